//! The loop: input first, then what the engine told, in bulk; a frame only when something changed,
//! at most sixty a second. It awaits nothing but its own `select!`.

use std::{
    io,
    time::{Duration, Instant},
};

use crossterm::{
    clipboard::CopyToClipboard,
    event::{Event as TerminalEvent, EventStream},
    execute, queue,
    terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate},
};
use futures::{
    StreamExt,
    stream::{SelectAll, select_all},
};
use jiff::Timestamp;
use ratatui::{
    buffer::Buffer,
    layout::{Rect, Size},
};
use tokio::sync::mpsc;

use super::{
    background::{self, Sieve},
    cast::Recorder,
    model::{Arrangement, Model},
    options::ScreenOptions,
    signals::{Signal, Signals, has_shell},
    svg,
    terminal::Screen,
    update::{Effect, Msg, update},
    urgency::{self, Urgency},
    view, wake,
};
use crate::engine::{Command, Event, edit_text, editor};

/// Shortest time from the start of a frame to that of the next: sixty a second.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// And from its end: what came meanwhile is taken in, however long a frame takes.
const BREATH: Duration = Duration::from_millis(4);
/// Longest time until a figure that drifts is drawn anew.
const CALM: Duration = Duration::from_secs(1);
/// Events taken in at once, so that a flood cannot keep input and frames waiting.
const DRAIN: usize = 512;
/// Keys taken in at once (a paste without brackets, a held key).
const INPUT_DRAIN: usize = 64;

/// Why the screen could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal refused.
    #[error("cannot use the terminal: {0}; run it in one, or use the subcommands with --json")]
    Terminal(#[from] io::Error),
}

/// Shows the screen until the user quits, the terminal goes away or a signal asks to end; gives the layout
/// that it had then, to be kept.
///
/// Must be polled on the thread that it was called on (`block_on` of the main thread): the terminal is
/// restored when that thread panics. The first frame is drawn before the first event is read.
///
/// # Errors
/// When there is no terminal, or it fails while it is drawn on. It is restored in any case.
pub async fn run(
    commands: mpsc::Sender<Command>,
    mut events: mpsc::Receiver<Event>,
    mut options: ScreenOptions,
) -> Result<Arrangement, TuiError> {
    let title = format!("syncscope {}", options.source);
    let mut screen = Screen::take(options.mouse, &title)?;
    let size = screen.terminal().size()?;
    let tour = options.tour;
    let mut recorder = options.record.take().map(|lines| Recorder::new(lines, &title, Timestamp::now()));
    let size = Size { width: size.width, height: size.height };
    // On the heap: it is large, and a future carries what it holds.
    let mut model = Box::new(Model::new(options, size, Timestamp::now()));
    model.recording = recorder.is_some();
    let mut owed = tour.map_or_else(Vec::new, |auto| update(&mut model, Msg::Tour { auto }));
    draw(&mut screen, &mut model, &mut recorder)?;
    let mut sieve = Sieve::default();
    if model.options.ask_background && cfg!(unix) {
        background::ask()?;
        sieve = Sieve::expecting(Instant::now());
    }
    let mut input = input_of_the_terminal();
    let mut signals = Signals::listen()?;
    let mut drawn = Instant::now();
    let mut next = drawn;
    let mut dirty = false;
    // Something came that is worth no frame of its own.
    let mut later = false;
    let mut engine_open = true;
    loop {
        let wait = if dirty {
            Some(next.saturating_duration_since(Instant::now()))
        } else {
            until_frame(&model, later).map(|wait| wait.saturating_sub(drawn.elapsed()))
        };
        let mut effects = std::mem::take(&mut owed);
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::End => break,
                Signal::Suspend => effects.push(Effect::Suspend),
                Signal::Continue => effects.push(Effect::Redraw),
                // The event stream tells of it too, but not when a key comes in the same moment.
                Signal::Resized => {
                    let size = screen.terminal().size()?;
                    screen.doubt();
                    effects.extend(update(&mut model, Msg::Resize(size.width, size.height)));
                    dirty = true;
                }
            },
            event = input.next() => {
                effects.extend(update(&mut model, Msg::Tick(Timestamp::now())));
                // The end of input is the end of the terminal.
                let Some(event) = event else { break };
                effects.extend(on_terminal(&mut model, &mut screen, &mut sieve, event?));
                for _ in 1..INPUT_DRAIN {
                    let Some(Some(event)) = futures::FutureExt::now_or_never(input.next()) else { break };
                    effects.extend(on_terminal(&mut model, &mut screen, &mut sieve, event?));
                }
                dirty = true;
            }
            event = events.recv(), if engine_open => {
                effects.extend(update(&mut model, Msg::Tick(Timestamp::now())));
                engine_open = event.is_some();
                let mut urgency = if engine_open { Urgency::Never } else { Urgency::Now };
                effects.extend(update_all(&mut model, &mut urgency, event, &mut events));
                dirty |= urgency == Urgency::Now;
                later |= urgency == Urgency::Soon;
            }
            () = sleep(wait), if wait.is_some() => {
                effects.extend(update(&mut model, Msg::Tick(Timestamp::now())));
                dirty = true;
            }
        }
        let mut edit = None;
        let performed =
            Performed { screen: &mut screen, model: &mut model, dirty: &mut dirty, edit: &mut edit };
        if perform(effects, performed, &commands, &mut signals).await? {
            break;
        }
        if let Some(text) = edit {
            // Its thread reads the same keyboard as the editor would.
            drop(input);
            let end = Editing { screen: &mut screen, model: &mut model, signals: &mut signals };
            let effects = Box::pin(end.edit(&text, &mut events, &mut engine_open)).await?;
            input = input_of_the_terminal();
            let performed =
                Performed { screen: &mut screen, model: &mut model, dirty: &mut dirty, edit: &mut None };
            perform(effects, performed, &commands, &mut signals).await?;
        }
        if dirty && Instant::now() >= next {
            owed = update(&mut model, Msg::Tick(Timestamp::now()));
            drawn = Instant::now();
            draw(&mut screen, &mut model, &mut recorder)?;
            next = (drawn + FRAME).max(Instant::now() + BREATH);
            (dirty, later) = (false, false);
        }
    }
    Ok(model.arrangement)
}

/// Keys, mouse, pastes. The stream behind it takes a lock and asks the system at each poll; this one polls it only
/// when it has something to tell, not whenever the engine does.
fn input_of_the_terminal() -> SelectAll<EventStream> {
    select_all([EventStream::new()])
}

/// Takes in an event and what waits behind it, or the engine's end.
fn update_all(
    model: &mut Model,
    urgency: &mut Urgency,
    first: Option<Event>,
    waiting: &mut mpsc::Receiver<Event>,
) -> Vec<Effect> {
    let Some(first) = first else { return update(model, Msg::EngineGone) };
    let mut effects = Vec::new();
    let behind = std::iter::from_fn(|| waiting.try_recv().ok()).take(DRAIN - 1);
    for event in std::iter::once(first).chain(behind) {
        *urgency = (*urgency).max(urgency::of(model, &event));
        effects.extend(update(model, Msg::Engine(event)));
    }
    effects
}

/// From one frame to the next although nothing happens; `None` while nothing is to be seen.
fn until_frame(model: &Model, later: bool) -> Option<Duration> {
    let ages = wake::next(model);
    if later { Some(ages.map_or(CALM, |ages| ages.min(CALM))) } else { ages }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

fn on_terminal(
    model: &mut Model,
    screen: &mut Screen,
    sieve: &mut Sieve,
    event: TerminalEvent,
) -> Vec<Effect> {
    let (events, background) = sieve.sift(event, Instant::now());
    let mut effects: Vec<Effect> =
        events.into_iter().flat_map(|event| take_in(model, screen, event)).collect();
    if let Some(background) = background {
        effects.extend(update(model, Msg::Background(background)));
    }
    effects
}

fn take_in(model: &mut Model, screen: &mut Screen, event: TerminalEvent) -> Vec<Effect> {
    let msg = match event {
        TerminalEvent::Key(key) => Msg::Key(key),
        TerminalEvent::Mouse(mouse) => Msg::Mouse(mouse),
        TerminalEvent::Paste(text) => Msg::Paste(text),
        TerminalEvent::Resize(width, height) => {
            screen.doubt();
            Msg::Resize(width, height)
        }
        TerminalEvent::FocusGained | TerminalEvent::FocusLost => {
            // For the test of the terminal after a panic; gone from a release build.
            debug_assert!(std::env::var_os("SYNCSCOPE_PANIC_ON_FOCUS").is_none(), "asked to panic");
            return Vec::new();
        }
    };
    update(model, msg)
}

/// What effects work on.
struct Performed<'a> {
    screen: &'a mut Screen,
    model: &'a mut Model,
    dirty: &'a mut bool,
    /// A text that the user's own editor shall be opened on.
    edit: &'a mut Option<String>,
}

/// The user's own editor has the terminal.
struct Editing<'a> {
    screen: &'a mut Screen,
    model: &'a mut Model,
    signals: &'a mut Signals,
}

impl Editing<'_> {
    /// Runs it to its end. What the engine tells meanwhile is taken in: nobody may wait for us.
    async fn edit(
        self,
        text: &str,
        events: &mut mpsc::Receiver<Event>,
        engine_open: &mut bool,
    ) -> Result<Vec<Effect>, TuiError> {
        let Self { screen, model, signals } = self;
        screen.release();
        let editor = editor();
        let edited = edit_text(&editor, text);
        tokio::pin!(edited);
        let mut later = Vec::new();
        let outcome = loop {
            tokio::select! {
                outcome = &mut edited => break outcome,
                signal = signals.next() => match signal {
                    // ctrl-z in the editor stops the whole group, us included, until the shell goes on.
                    Signal::Suspend => signals.suspend().await,
                    // ctrl-c is the editor's; its end, and ours, come when it ends.
                    Signal::End | Signal::Continue | Signal::Resized => {}
                },
                event = events.recv(), if *engine_open => {
                    *engine_open = event.is_some();
                    update(model, Msg::Tick(Timestamp::now()));
                    let asked = update(model, event.map_or(Msg::EngineGone, Msg::Engine));
                    // One question at a time is open, so these are few; they are asked afterwards.
                    later.extend(asked.into_iter().filter(|effect| matches!(effect, Effect::Send(_))));
                }
            }
        };
        screen.retake()?;
        let size = screen.terminal().size()?;
        update(model, Msg::Tick(Timestamp::now()));
        update(model, Msg::Resize(size.width, size.height));
        later.extend(update(model, Msg::TextEdited(outcome.map_err(|error| error.to_string()))));
        Ok(later)
    }
}

/// Does what the update asked for; `true` = leave.
async fn perform(
    effects: Vec<Effect>,
    on: Performed<'_>,
    commands: &mpsc::Sender<Command>,
    signals: &mut Signals,
) -> Result<bool, TuiError> {
    let Performed { screen, model, dirty, edit } = on;
    for effect in effects {
        match effect {
            Effect::Quit => return Ok(true),
            Effect::EditText(text) => *edit = Some(text),
            // Never awaited: an engine that is busy must not freeze the keys.
            Effect::Send(command) => {
                let msg = match commands.try_send(command) {
                    Ok(()) => continue,
                    Err(mpsc::error::TrySendError::Full(command)) => Msg::Refused(command),
                    Err(mpsc::error::TrySendError::Closed(_)) => Msg::EngineGone,
                };
                update(model, msg);
                *dirty = true;
            }
            Effect::Copy(text) => execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?,
            Effect::Redraw => {
                screen.forget()?;
                *dirty = true;
            }
            Effect::Screenshot => {
                let size = model.size;
                let mut buf = Buffer::empty(Rect::new(0, 0, size.width, size.height));
                view::draw(model, &mut buf);
                let picture =
                    svg::render(&buf, &format!("syncscope {}", model.options.source), model.paper());
                let name = format!("syncscope-{}.svg", model.now.strftime("%Y%m%d-%H%M%S"));
                let notice = format!("saving {name}");
                let msg = match commands.try_send(Command::SaveFile { name, content: picture }) {
                    Ok(()) => Msg::Notice(notice),
                    Err(mpsc::error::TrySendError::Full(command)) => Msg::Refused(command),
                    Err(mpsc::error::TrySendError::Closed(_)) => Msg::EngineGone,
                };
                update(model, msg);
                *dirty = true;
            }
            Effect::Suspend => {
                if has_shell() {
                    screen.release();
                    signals.suspend().await;
                    screen.retake()?;
                    let size = screen.terminal().size()?;
                    update(model, Msg::Resize(size.width, size.height));
                } else {
                    update(model, Msg::NoShell);
                }
                *dirty = true;
            }
        }
    }
    Ok(false)
}

fn draw(screen: &mut Screen, model: &mut Model, recorder: &mut Option<Recorder>) -> io::Result<()> {
    queue!(io::stdout(), BeginSynchronizedUpdate)?;
    screen.settle()?;
    let drawn = screen.terminal().draw(|frame| {
        if let Some(cursor) = view::draw(model, frame.buffer_mut()) {
            frame.set_cursor_position(cursor);
        }
    })?;
    if recorder.as_mut().is_some_and(|recorder| recorder.frame(drawn.buffer).is_err()) {
        *recorder = None;
        model.recording = false;
        update(model, Msg::Notice("the recording has ended: its file cannot be written".to_owned()));
    }
    execute!(io::stdout(), EndSynchronizedUpdate)
}
