//! Whoever reads our output. Gone, a command that goes on until it is stopped has nobody to go on for, and it must
//! not wait for its next line to notice.

#[cfg(unix)]
use std::{
    fs::File,
    os::{fd::AsFd, unix::fs::FileTypeExt},
};

#[cfg(unix)]
use tokio::{io::Interest, net::unix::pipe};

/// The other end of stdout, where it is a pipe.
#[derive(Debug)]
pub(super) struct Reader {
    #[cfg(unix)]
    pipe: Option<pipe::Sender>,
}

impl Reader {
    /// Begins to look.
    #[cfg(unix)]
    pub(super) fn of_stdout() -> Self {
        let own = std::io::stdout().as_fd().try_clone_to_owned().ok().map(File::from);
        let is_pipe = |file: &File| file.metadata().is_ok_and(|about| about.file_type().is_fifo());
        // Nothing is written here, and whether writes block is not changed: that would change it for stdout, too.
        let pipe =
            own.filter(is_pipe).and_then(|file| pipe::Sender::from_owned_fd_unchecked(file.into()).ok());
        Self { pipe }
    }

    /// Waits until it is gone; for ever where that cannot be told.
    #[cfg(unix)]
    pub(super) async fn gone(&self) {
        match &self.pipe {
            Some(pipe) if pipe.ready(Interest::ERROR).await.is_ok() => {}
            _ => std::future::pending().await,
        }
    }

    /// Begins to look.
    #[cfg(not(unix))]
    pub(super) fn of_stdout() -> Self {
        Self {}
    }

    /// Cannot be told here.
    #[cfg(not(unix))]
    pub(super) async fn gone(&self) {
        std::future::pending().await
    }
}
