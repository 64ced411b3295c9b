//! What a person can mean.

use serde::Serialize;
use serde_json::Value;

use crate::tui::{
    model::{Floor, Pane, Preset},
    theme::ThemeName,
};

/// What a person means by a key, a click or a palette entry.
/// Its name in files is the variant's in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Quit,
    Suspend,
    Redraw,
    Screenshot,
    Focus(Pane),
    FocusNext,
    FocusPrevious,
    FocusLeft,
    FocusRight,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Insert,
    InsertCopy,
    UndoInserts,
    StopInserts,
    Export,
    RunSale,
    RunDrip,
    RunBurst,
    RunSameProduct,
    Rebuild,
    ToggleSync,
    TogglePause,
    ToggleTraffic,
    TrafficUp,
    TrafficDown,
    Filter,
    ClearFilter,
    FindNext,
    FindPrevious,
    Narrow,
    Sort,
    SortReversed,
    Zoom,
    Stage,
    Mask,
    NextTheme,
    Theme(ThemeName),
    Activity(Floor),
    Layout(Preset),
    NextLayout,
    Toggle(Pane),
    Hide,
    ShowAll,
    Wider,
    Narrower,
    Taller,
    Lower,
    CopyKey,
    Copy,
    Palette,
    Help,
    Back,
    Submit,
    NextField,
    PreviousField,
    NextChoice,
    PreviousChoice,
    EditDocument,
    OpenEditor,
    WriteEntry,
    DeleteEntry,
    CopyValue,
    RawBytes,
    Reload,
    SourceBeside,
    Fold,
    NextDifference,
    PreviousDifference,
    NextEntry,
    PreviousEntry,
    OlderVersion,
    NewerVersion,
    TakeOver,
    NextShape,
    Verify,
    StopVerify,
    Repair,
    AddInstance,
    RemoveInstance,
    KillInstance,
    SplitPartition,
    Leases,
    SaveBookmark,
    Bookmarks,
    DeleteBookmark,
    Tick,
    Wait,
    Health,
    LogLevel,
    LogRoom,
    Tour,
    TourNext,
    TourBack,
    TourAuto,
    TourEnd,
    RepairOne,
    WatchDrift,
    DeadLetters,
    Retry,
    RetryAll,
    Tree,
    Preview,
}

impl Action {
    /// One of several that exclude each other: the palette lists them apart from the rest.
    pub(crate) fn is_choice(self) -> bool {
        matches!(
            self,
            Self::Focus(_)
                | Self::Theme(_)
                | Self::Activity(_)
                | Self::Layout(_)
                | Self::Toggle(_)
                | Self::RunSale
                | Self::RunDrip
                | Self::RunBurst
                | Self::RunSameProduct
        )
    }

    /// Name in a keymap file: `toggle_sync`, `focus_feed`.
    pub(crate) fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            // A variant with a value: `{"focus": "feed"}`.
            Ok(Value::Object(parts)) => {
                let part = parts.iter().next().and_then(|(name, value)| Some((name, value.as_str()?)));
                part.map_or_else(String::new, |(name, value)| format!("{name}_{value}"))
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case() {
        assert_eq!(Action::ToggleSync.name(), "toggle_sync");
        assert_eq!(Action::Focus(Pane::Feed).name(), "focus_feed");
    }
}
