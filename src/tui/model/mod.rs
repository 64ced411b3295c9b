//! Everything the screen knows, split by pane. Changed only by [`super::update`]; time comes in by ticks.

mod agreement;
mod arrangement;
mod bookmarks;
mod cache;
mod editor;
mod export;
mod feed;
mod filter;
mod follow;
mod health;
mod insert;
mod lease_dialog;
mod lease_events;
mod leases;
mod letters;
mod log;
mod overlay;
mod palette;
mod preview;
mod rebuild;
mod restore;
mod ring;
mod slowest;
mod sort;
mod text_box;
mod thread;
mod tour;
mod tree;
mod verify;

use jiff::Timestamp;
use ratatui::layout::{Position, Size};

pub use self::arrangement::{Arrangement, Preset};
#[cfg(test)]
pub(crate) use self::palette::ONLY_KEYS;
pub(crate) use self::{
    arrangement::LEAST_COLUMNS,
    bookmarks::BookmarkDialog,
    cache::CachePane,
    editor::DocumentEditor,
    export::ExportDialog,
    feed::FeedPane,
    filter::{Filter, FilterLine, Filtered, Place, columns, fields_of, state_word},
    follow::{Follow, Look, RAW_WIDTH},
    health::{Health, Part, Standing},
    insert::{InsertForm, InsertMode},
    lease_dialog::{LeaseDialog, Marking},
    lease_events::{LeaseChange, LeaseEvent},
    leases::LeasePane,
    letters::Letters,
    log::Floor,
    palette::{Deed, Entry, Palette, Which},
    preview::Preview,
    rebuild::{RebuildChoice, RebuildDialog},
    restore::RestoreDialog,
    ring::Ring,
    sort::{Order, Sorted},
    thread::Thread,
    tour::{Proof, Step, Tour},
    tree::{KeyTree, TreeRow},
    verify::{Verification, VerifyDialog},
};
use super::{
    keymap::{Action, Context},
    layout::Splitter,
    options::ScreenOptions,
    svg,
    theme::{Theme, ThemeName},
};
use crate::engine::{
    ConnectionState, DriftStatus, LatencySnapshot, Level, LogLine, RebuildPhase, RebuildStatus, Server,
    SyncStatus, TrafficStatus,
};

/// Lines of the activity log kept.
const LOG_LINES: usize = 1_000;
/// How long a notice stays.
const NOTICE_SECONDS: i64 = 4;

/// A pane of the main screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pane {
    Feed,
    Leases,
    Cache,
    Latency,
    Log,
}

impl Pane {
    pub(crate) const ALL: [Self; 5] = [Self::Feed, Self::Leases, Self::Cache, Self::Latency, Self::Log];

    /// Title on a tab.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Feed => "Feed",
            Self::Leases => "Leases",
            Self::Cache => "Cache",
            Self::Latency => "Latency",
            Self::Log => "Log",
        }
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Self::Feed => 0,
            Self::Leases => 1,
            Self::Cache => 2,
            Self::Latency => 3,
            Self::Log => 4,
        }
    }
}

/// What lies over the panes, the topmost last.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    Follow(Box<Follow>),
    Edit(Box<DocumentEditor>),
    Insert(Box<InsertForm>),
    Rebuild(Box<RebuildDialog>),
    Leases(Box<LeaseDialog>),
    Bookmarks(Box<BookmarkDialog>),
    Restore(Box<RestoreDialog>),
    Letters(Box<Letters>),
    Tree(Box<KeyTree>),
    Preview(Box<Preview>),
    Verify(VerifyDialog),
    Help { of: Context, scroll: usize },
    Palette(Box<Palette>),
    Confirm(Question),
    Export(ExportDialog),
    Stage,
    Health { scroll: usize },
}

/// A question before something that others would feel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Stop the built-in sync: the cache would fall behind.
    StopSync,
    /// End the newest instance as if its process had died: its leases have to expire.
    KillInstance,
    /// Take back what the inserts of this session wrote.
    UndoInserts,
    /// Delete the entry of the followed document.
    DeleteEntry,
    /// Delete the file of a bookmark.
    DeleteBookmark,
}

/// A line in the footer that goes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) until: Timestamp,
}

/// State of the screen.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, not a state of one machine")]
pub struct Model {
    pub(crate) options: ScreenOptions,
    pub(crate) theme_name: ThemeName,
    /// The place of the user's own theme in use.
    pub(crate) own_theme: Option<usize>,
    pub(crate) theme: Theme,
    pub(crate) size: Size,
    /// The newest tick.
    pub(crate) now: Timestamp,
    pub(crate) cosmos: Option<ConnectionState>,
    pub(crate) redis: Option<ConnectionState>,
    pub(crate) sync: SyncStatus,
    pub(crate) traffic: TrafficStatus,
    pub(crate) feed: FeedPane,
    pub(crate) leases: LeasePane,
    pub(crate) cache: CachePane,
    pub(crate) latency: LatencySnapshot,
    /// The one of the slowest documents that is pointed at.
    pub(crate) slow_cursor: Option<usize>,
    pub(crate) slow_order: Order,
    /// A document is being read to be copied: number of the question.
    pub(crate) copying: Option<u64>,
    pub(crate) log: Ring<LogLine>,
    pub(crate) rebuild: Option<RebuildStatus>,
    pub(crate) verification: Verification,
    /// What the comparing in the background tells; `None` = it has never run.
    pub(crate) drift: Option<Box<DriftStatus>>,
    /// Comparing in the background was begun, or decided against.
    pub(crate) drift_decided: bool,
    /// Telemetry that the engine dropped because we were slow.
    pub(crate) dropped: u64,
    pub(crate) thread: Thread,
    pub(crate) focus: Pane,
    pub(crate) zoomed: bool,
    /// How the panes share the screen.
    pub(crate) arrangement: Arrangement,
    /// The border that is being dragged.
    pub(crate) dragged: Option<Splitter>,
    pub(crate) masked: bool,
    pub(crate) overlays: Vec<Overlay>,
    /// The line of each pane's filter, and whether it is being typed now.
    pub(crate) filters: [FilterLine; 5],
    pub(crate) typing_filter: bool,
    /// What was chosen in the palette, the newest first.
    pub(crate) recent: Vec<Deed>,
    /// What the followed document is opened for: done once it is read.
    pub(crate) after_reading: Option<Action>,
    pub(crate) notice: Option<Notice>,
    pub(crate) last_click: Option<(Position, Timestamp)>,
    /// The frames are being recorded.
    pub(crate) recording: bool,
    /// Since when each part is as it is.
    pub(crate) health: Health,
    /// The guided tour, while it is on.
    pub(crate) tour: Option<Tour>,
    /// The engine has ended; nothing can be asked any more.
    pub(crate) engine_gone: bool,
    requests: u64,
}

impl Model {
    /// The state before the first event.
    pub fn new(options: ScreenOptions, size: Size, now: Timestamp) -> Self {
        let theme = themed(&options, options.theme, options.own_theme);
        Self {
            theme_name: options.theme,
            own_theme: options.own_theme,
            theme,
            size,
            now,
            cosmos: None,
            redis: None,
            sync: SyncStatus::default(),
            traffic: TrafficStatus::default(),
            feed: FeedPane::new(options.feed_rows),
            leases: LeasePane::default(),
            cache: CachePane::new(options.cache_rows),
            latency: LatencySnapshot::default(),
            slow_cursor: None,
            slow_order: Order::default(),
            copying: None,
            log: Ring::new(LOG_LINES),
            rebuild: None,
            verification: Verification::default(),
            drift: None,
            drift_decided: false,
            dropped: 0,
            thread: Thread::default(),
            focus: Pane::Feed,
            zoomed: options.arrangement.preset() == Some(Preset::Reading),
            arrangement: options.arrangement.clone(),
            dragged: None,
            masked: false,
            overlays: Vec::new(),
            filters: Default::default(),
            typing_filter: false,
            recent: Vec::new(),
            after_reading: None,
            notice: None,
            last_click: None,
            recording: false,
            health: Health::default(),
            tour: None,
            engine_gone: false,
            requests: 0,
            options,
        }
    }

    /// Goes through the themes of the program, then the user's own.
    pub(crate) fn next_theme(&mut self) {
        let own = self.options.own_themes.len();
        (self.theme_name, self.own_theme) = match self.own_theme {
            Some(place) if place + 1 < own => (self.theme_name, Some(place + 1)),
            Some(_) => (ThemeName::default(), None),
            None if self.theme_name.next() == ThemeName::default() && own > 0 => (self.theme_name, Some(0)),
            None => (self.theme_name.next(), None),
        };
        self.theme = themed(&self.options, self.theme_name, self.own_theme);
    }

    /// A pane is not hidden, or is looked at all the same.
    pub(crate) fn is_in_sight(&self, pane: Pane) -> bool {
        !self.arrangement.is_hidden(pane) || self.focus == pane
    }

    /// Takes a theme that comes with the program.
    pub(crate) fn use_theme(&mut self, name: ThemeName) {
        (self.theme_name, self.own_theme) = (name, None);
        self.theme = themed(&self.options, self.theme_name, self.own_theme);
    }

    /// Takes one of the user's own themes.
    pub(crate) fn use_own_theme(&mut self, place: usize) {
        self.own_theme = Some(place);
        self.theme = themed(&self.options, self.theme_name, self.own_theme);
    }

    /// Name of the theme in use.
    pub(crate) fn theme_title(&self) -> &str {
        let own = self.own_theme.and_then(|place| self.options.own_themes.get(place));
        own.map_or(self.theme_name.name(), |theme| theme.name())
    }

    /// What a picture of the screen is drawn on.
    pub(crate) fn paper(&self) -> svg::Paper {
        match (self.own_theme, self.theme_name) {
            (None, ThemeName::Light) => svg::LIGHT,
            _ => svg::DARK,
        }
    }

    /// The key of an action of the panes as it is bound, for words such as "s starts it".
    pub(crate) fn key(&self, action: Action) -> String {
        self.key_in(Context::Main, action)
    }

    /// The key of an action in a place; its name, by which the palette finds it, where it has none.
    pub(crate) fn key_in(&self, context: Context, action: Action) -> String {
        self.options.keymap.key_of(context, action).unwrap_or_else(|| action.name())
    }

    pub(crate) fn connection(&self, server: Server) -> Option<&ConnectionState> {
        match server {
            Server::Cosmos => self.cosmos.as_ref(),
            Server::Redis => self.redis.as_ref(),
        }
    }

    /// An id or key as it may be shown: hidden under the mask.
    pub(crate) fn shown_name<'a>(&self, name: &'a str) -> std::borrow::Cow<'a, str> {
        if self.masked {
            name.chars().map(|c| if c.is_alphanumeric() { '•' } else { c }).collect::<String>().into()
        } else {
            name.into()
        }
    }

    /// A line of the log as it may be shown: under the mask, what speaks of documents and keys is hidden; what
    /// speaks of servers, leases and the program itself is not.
    pub(crate) fn shown_line<'a>(&self, line: &'a LogLine) -> std::borrow::Cow<'a, str> {
        const PLAIN: [&str; 8] = ["cache", "cosmos", "demo", "engine", "feed", "latency", "lease", "screen"];
        let speaks_of_documents = !PLAIN.contains(&line.room) || line.level == Level::Error;
        if speaks_of_documents { self.shown_name(&line.text) } else { line.text.as_str().into() }
    }

    /// Why something that would show a document does not.
    pub(crate) fn say_masked(&mut self) {
        self.say(format!("values are masked: {} in the panes shows them", self.key(Action::Mask)));
    }

    /// Masks ids, keys and values, or shows them again. What stands in a notice was written before.
    pub(crate) fn toggle_mask(&mut self) {
        self.masked = !self.masked;
        self.notice = None;
    }

    /// A number for a question that no other question has.
    pub(crate) fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), until: self.end_of_notices() });
    }

    /// When a notice that comes now goes.
    fn end_of_notices(&self) -> Timestamp {
        self.now.checked_add(jiff::SignedDuration::from_secs(NOTICE_SECONDS)).unwrap_or(Timestamp::MAX)
    }

    /// A clock that was set back must not keep a notice for hours.
    pub(crate) fn end_notice_in_time(&mut self) {
        let latest = self.end_of_notices();
        if let Some(notice) = &mut self.notice {
            notice.until = notice.until.min(latest);
        }
    }

    /// The notice, unless its time is over.
    pub(crate) fn notice(&self) -> Option<&str> {
        self.notice.as_ref().filter(|notice| self.now < notice.until).map(|notice| notice.text.as_str())
    }

    /// The rebuild that is under way.
    pub(crate) fn rebuilding(&self) -> Option<&RebuildStatus> {
        self.rebuild
            .as_ref()
            .filter(|status| !matches!(status.phase, RebuildPhase::Done | RebuildPhase::Failed { .. }))
    }

    /// The followed document, also under another overlay.
    pub(crate) fn follow_mut(&mut self) -> Option<&mut Follow> {
        self.overlays.iter_mut().find_map(|overlay| match overlay {
            Overlay::Follow(follow) => Some(&mut **follow),
            _ => None,
        })
    }
}

/// The styles of a theme, as the options want them drawn.
fn themed(options: &ScreenOptions, name: ThemeName, own: Option<usize>) -> Theme {
    let own = own.and_then(|place| options.own_themes.get(place));
    let mut theme = own.map_or_else(|| Theme::of(name), |own| own.theme.clone()).at_depth(options.depth);
    theme.ascii = options.ascii;
    theme
}
