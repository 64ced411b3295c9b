//! The one place where the model changes: `update(&mut Model, Msg) -> Vec<Effect>`.
//! No I/O, no clock, no task: a list of messages is a test.

mod act;
mod arrange;
mod bookmarks;
mod edit;
mod find;
mod follow;
mod insert;
mod lease_deeds;
mod look;
mod mouse;
mod mouse_over;
mod overlay;
mod palette;
mod panes;
mod rebuild;
mod telemetry;
mod tour;
mod typing;
mod views;

pub(super) use lease_deeds::bookmark_name;

use crossterm::event::{KeyEvent, KeyEventKind, MouseEvent};
use jiff::Timestamp;
use ratatui::layout::Size;

use super::{
    background::Background,
    keymap::{Chord, Context},
    model::Model,
};
use crate::engine::{BookmarkAsk, Command, Event};

/// Something that the screen has to take in.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key.
    Key(KeyEvent),
    /// A click or the wheel.
    Mouse(MouseEvent),
    /// Pasted text.
    Paste(String),
    /// The terminal's new size.
    Resize(u16, u16),
    /// Something from the engine.
    Engine(Event),
    /// The engine has ended.
    EngineGone,
    /// The engine did not take a command because its queue is full.
    Refused(Command),
    /// The guided tour begins.
    Tour {
        /// It plays by itself.
        auto: bool,
    },
    /// There is no shell to go to.
    NoShell,
    /// Something that the loop did has an outcome worth a notice.
    Notice(String),
    /// The terminal told its background.
    Background(Background),
    /// What another editor left of a text, or why there is nothing.
    TextEdited(Result<String, String>),
    /// The time. Comes before every batch of messages and while something ages.
    Tick(Timestamp),
}

/// Something that the loop has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the engine.
    Send(Command),
    /// Put text into the clipboard, through the terminal.
    Copy(String),
    /// Give the terminal back and stop; `fg` comes back.
    Suspend,
    /// Draw every cell again.
    Redraw,
    /// Let the user edit a text with a program of their own.
    EditText(String),
    /// Save the frame as SVG.
    Screenshot,
    /// Leave.
    Quit,
}

/// Takes a message in.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let told = match &msg {
        Msg::Tick(_) => true,
        Msg::Engine(event) => is_rows(event),
        _ => false,
    };
    let effects = take_in(model, msg);
    // Whatever it was may have moved rows or borders: a pane that shows up, a lost server's trouble.
    panes::keep_cursors_in_view(model);
    edit::keep_in_view(model);
    overlay::keep_scrolls(model, told);
    effects
}

fn take_in(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => on_key(model, &key),
        Msg::Mouse(mouse) => mouse::on_mouse(model, mouse),
        Msg::Paste(text) => overlay::paste(model, &text),
        Msg::Resize(width, height) => {
            model.size = Size { width, height };
            Vec::new()
        }
        Msg::Engine(event) => {
            let rows = is_rows(&event);
            let effects = telemetry::on_event(model, event);
            if !rows {
                model.note_health();
            }
            effects
        }
        Msg::EngineGone => {
            model.engine_gone = true;
            Vec::new()
        }
        Msg::Refused(command) => {
            model.say(format!("the engine is busy, not done: {}", name(&command)));
            match command {
                Command::Bookmarks(question) => bookmarks::refused(model, question.request),
                Command::Compare { request, .. } => {
                    if let Some(follow) = model.follow_mut() {
                        follow.give_up(request);
                    }
                }
                _ => {}
            }
            Vec::new()
        }
        Msg::Tour { auto } => tour::begin(model, auto),
        Msg::NoShell => {
            model.say("no shell to go to: syncscope was not started from one");
            Vec::new()
        }
        Msg::Notice(text) => {
            model.say(text);
            Vec::new()
        }
        Msg::Background(background) => {
            look::suit(model, background);
            Vec::new()
        }
        Msg::TextEdited(outcome) => edit::edited(model, outcome),
        Msg::Tick(now) => {
            model.now = now;
            model.end_notice_in_time();
            find::tick(model, now);
            tour::tick(model)
        }
    }
}

fn is_rows(event: &Event) -> bool {
    matches!(event, Event::Changes(_) | Event::Entries(_) | Event::EntriesRemoved(_))
}

fn on_key(model: &mut Model, key: &KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let context = model.context();
    // Letters are text where somebody types, and an answer where a question is asked.
    if model.tour.is_some()
        && !context.takes_text()
        && context != Context::Confirm
        && let Some(action) = model.options.keymap.own(Context::Tour, Chord::of(key))
    {
        return tour::act(model, action);
    }
    match model.options.keymap.action(context, Chord::of(key)) {
        Some(action) => act::act(model, context, action),
        None if context.takes_text() => overlay::type_key(model, key),
        None => Vec::new(),
    }
}

/// A command in words, for notices.
fn name(command: &Command) -> &'static str {
    match command {
        Command::StartSync => "start the sync",
        Command::StopSync => "stop the sync",
        Command::PauseSync => "pause the sync",
        Command::ResumeSync => "resume the sync",
        Command::AddInstance => "add an instance",
        Command::RemoveInstance => "remove an instance",
        Command::KillInstance => "kill an instance",
        Command::SplitPartition => "split a partition",
        Command::SpoilEntry { .. } => "spoil an entry",
        Command::Insert(_) => "insert",
        Command::ExportLatency { .. } => "export the latencies",
        Command::ReportLatency => "report the latencies",
        Command::FindFiles { .. } => "look for files",
        Command::StopInserts => "stop the inserts",
        Command::UndoInserts => "undo the inserts",
        Command::PauseTraffic => "pause the traffic",
        Command::ResumeTraffic => "resume the traffic",
        Command::SetTraffic(_) => "change the traffic",
        Command::PlanRebuild(_) => "plan a rebuild",
        Command::StartRebuild(_) => "rebuild",
        Command::PlanLeases(_) => "plan a deed on leases",
        Command::DoLeases(order) => order.deed.word(),
        Command::SaveBookmark { .. } => "save a bookmark",
        Command::Bookmarks(question) => match question.ask {
            BookmarkAsk::List => "list the bookmarks",
            BookmarkAsk::Compare(_) => "compare a bookmark",
            BookmarkAsk::PlanRestore(_) => "plan to go back to a bookmark",
            BookmarkAsk::Restore(_) => "go back to a bookmark",
            BookmarkAsk::Delete(_) => "delete a bookmark",
        },
        Command::ShowDocument { .. } => "show a document",
        Command::Compare { .. } => "compare",
        Command::Verify { .. } => "verify",
        Command::StopVerify => "stop the verification",
        Command::Repair { .. } => "repair",
        Command::WatchDrift(_) => "watch the drift",
        Command::PreviewMapping(_) => "preview the mapping",
        Command::DeadLetters(_) => "look at the dead letters",
        Command::Edit(_) => "change a document or entry",
        Command::SaveFile { .. } => "save a file",
        Command::Shutdown => "shut down",
    }
}
