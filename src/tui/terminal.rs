//! The terminal, taken and given back: by `Drop`, by a panic of the thread that draws, before a
//! suspension. What was switched on is switched off in the other order; errors on the way out are
//! not told, because the terminal may be gone (SIGHUP).

use std::{
    io::{self, IsTerminal, Stdout, Write},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Terminal, backend::CrosstermBackend};

/// Our terminal is switched to the screen now. Process-wide, as the terminal is.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal as a screen; dropping it gives it back.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: bool,
    title: String,
    /// Nobody knows what the terminal shows.
    unknown: bool,
}

impl Screen {
    /// Takes the terminal over. `Err` when there is none, with everything as it was.
    pub(crate) fn take(mouse: bool, title: &str) -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "stdout is not a terminal"));
        }
        restore_on_panic(thread::current().id());
        let guard = Guard;
        enter(mouse, title)?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        std::mem::forget(guard);
        Ok(Self { terminal, mouse, title: title.to_owned(), unknown: false })
    }

    pub(crate) fn terminal(&mut self) -> &mut Terminal<CrosstermBackend<Stdout>> {
        &mut self.terminal
    }

    /// The terminal was resized, perhaps there and back again before we looked: what it shows now is its own
    /// affair, and the next frame draws every cell.
    pub(crate) fn doubt(&mut self) {
        self.unknown = true;
    }

    /// Forgets what was drawn if that is in doubt. To be called inside of a synchronized update, where an
    /// empty screen is never seen.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.unknown) { self.forget() } else { Ok(()) }
    }

    /// Gives the terminal back, as before the start.
    #[expect(clippy::unused_self, reason = "only who has the screen may release it")]
    pub(crate) fn release(&mut self) {
        restore();
    }

    /// Takes it again after [`Screen::release`]; everything has to be drawn anew.
    pub(crate) fn retake(&mut self) -> io::Result<()> {
        enter(self.mouse, &self.title)?;
        self.forget()
    }

    /// Clears the screen; the next frame draws every cell. (`Terminal::clear` would ask the terminal
    /// where the cursor is, and its answer would come in as keys.)
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Restores when taking the terminal fails half-way.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

fn enter(mouse: bool, title: &str) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    let mut out = io::stdout();
    execute!(out, EnterAlternateScreen, EnableBracketedPaste, SetTitle(title))?;
    if mouse {
        execute!(out, EnableMouseCapture)?;
    }
    Ok(())
}

/// Gives the terminal back, once.
fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // One by one: a terminal that refuses one still gets the others.
    drop(execute!(out, DisableMouseCapture));
    drop(execute!(out, DisableBracketedPaste));
    drop(execute!(out, LeaveAlternateScreen));
    drop(execute!(out, Show));
    drop(disable_raw_mode());
    drop(out.flush());
}

/// Restores before a panic of the drawing thread is printed. Panics of other threads are caught by
/// their tasks' owners and must not take the screen away while it is being drawn on.
fn restore_on_panic(drawing: ThreadId) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !TAKEN.load(Ordering::SeqCst) {
                before(info);
            } else if thread::current().id() == drawing {
                restore();
                before(info);
            } else {
                tracing::error!(target: "panic", "{info}");
            }
        }));
    });
}
