//! `--record FILE.cast`: writes what the screen shows, as it shows it. The file is written by a task of
//! its own, so that a slow disk never slows the screen, and is whole after every pause.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::fs::File;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::tui;

use super::CliError;
use super::look::Look;

/// Runs a screen, with a recording of it where one is wanted; the file is whole at the end.
///
/// # Errors
/// Those of the screen; the file is there already, cannot be created or cannot be written.
pub(super) async fn recorded<F>(
    path: Option<&Path>,
    mut look: Look,
    screen: impl FnOnce(Look) -> F,
) -> Result<ExitCode, CliError>
where
    F: Future<Output = Result<ExitCode, CliError>>,
{
    let Some(path) = path else { return screen(look).await };
    let (recording, sender) = Recording::start(path).await?;
    look.record = Some(sender);
    let code = screen(look).await;
    recording.finish().await?;
    code
}

/// A recording under way.
#[derive(Debug)]
struct Recording {
    path: PathBuf,
    writer: JoinHandle<io::Result<()>>,
}

impl Recording {
    /// Creates the file and gives the sender for the screen. A file that is there is not replaced.
    ///
    /// # Errors
    /// The file is there already or cannot be created.
    async fn start(path: &Path) -> Result<(Self, mpsc::Sender<String>), CliError> {
        let file = File::options().write(true).create_new(true).open(path).await.map_err(|error| {
            CliError::Refused(match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    format!("{} is there already: record into another file, or delete it", path.display())
                }
                _ => format!("cannot record into {}: {error}", path.display()),
            })
        })?;
        let (sender, lines) = tui::recording();
        let writer = tokio::spawn(write(file, lines));
        Ok((Self { path: path.to_owned(), writer }, sender))
    }

    /// Waits until everything is in the file; the screen has let go of its sender by then.
    ///
    /// # Errors
    /// The file could not be written.
    async fn finish(self) -> Result<(), CliError> {
        let written = match self.writer.await {
            Ok(result) => result,
            Err(error) => Err(io::Error::other(error)),
        };
        written.map_err(|error| {
            CliError::Refused(format!("the recording {} is not whole: {error}", self.path.display()))
        })
    }
}

async fn write(file: File, mut lines: mpsc::Receiver<String>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    while let Some(line) = lines.recv().await {
        out.write_all(line.as_bytes()).await?;
        out.write_all(b"\n").await?;
        if lines.is_empty() {
            out.flush().await?;
        }
    }
    out.flush().await
}
