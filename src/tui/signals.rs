//! The signals that end, stop and continue us, and those that tell of a new size.

use std::io;

/// Whether somebody could continue us after a stop: without job control `fg` does not exist.
#[cfg(unix)]
pub(super) fn has_shell() -> bool {
    use rustix::process::{getpgid, getsid};
    matches!((getpgid(None), getsid(None)), (Ok(group), Ok(session)) if group != session)
}

#[cfg(not(unix))]
pub(super) fn has_shell() -> bool {
    false
}

/// What was asked of us from outside.
pub(super) enum Signal {
    End,
    #[cfg_attr(not(unix), expect(dead_code, reason = "job control is Unix"))]
    Suspend,
    #[cfg_attr(not(unix), expect(dead_code, reason = "job control is Unix"))]
    Continue,
    #[cfg_attr(not(unix), expect(dead_code, reason = "elsewhere the event stream tells of it"))]
    Resized,
}

/// All of them, listened to from the first frame on.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    stop: tokio::signal::unix::Signal,
    go_on: tokio::signal::unix::Signal,
    resized: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let number = |signal: rustix::process::Signal| SignalKind::from_raw(signal.as_raw());
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            stop: signal(number(rustix::process::Signal::TSTP))?,
            go_on: signal(number(rustix::process::Signal::CONT))?,
            resized: signal(SignalKind::window_change())?,
        })
    }

    /// Stops the whole process group, as the shell's job control would, until somebody continues it.
    pub(super) async fn suspend(&mut self) {
        match rustix::process::kill_current_process_group(rustix::process::Signal::STOP) {
            // The stop may come a moment after the call returns: only the signal to go on says that it
            // is over, and that the terminal is ours again.
            Ok(()) => drop(self.go_on.recv().await),
            Err(error) => tracing::warn!(%error, "cannot stop for the shell"),
        }
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::End,
            _ = self.terminate.recv() => Signal::End,
            _ = self.hang_up.recv() => Signal::End,
            _ = self.stop.recv() => Signal::Suspend,
            _ = self.go_on.recv() => Signal::Continue,
            _ = self.resized.recv() => Signal::Resized,
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn suspend(&mut self) {}

    pub(super) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::End
    }
}
