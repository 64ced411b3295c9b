//! Where keys are typed.

/// Where keys are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    /// Everywhere, after the context's own keys.
    Global,
    /// The panes.
    Main,
    /// A document beside its entry.
    Follow,
    /// The editor of a document.
    Edit,
    /// The insert form.
    Insert,
    /// The rebuild dialog.
    Rebuild,
    /// The rebuild dialog while a time is typed.
    RebuildSince,
    /// The dialog of deeds on leases.
    Leases,
    /// The bookmarks of lease positions.
    Bookmarks,
    /// The plan of going back to one.
    Restore,
    /// What was set aside.
    Letters,
    /// The keys as a tree.
    Tree,
    /// What a document would become.
    Preview,
    /// What a verification found.
    Verify,
    /// The page of keys.
    Help,
    /// The line of a filter.
    Filter,
    /// The command palette.
    Palette,
    /// A question with yes and no.
    Confirm,
    /// Forms of an export.
    Export,
    /// Large figures for a stage.
    Stage,
    /// How each connection and task is doing.
    Health,
    /// The strip of the guided tour, over all that is not typed into.
    Tour,
}

impl Context {
    /// Section of a keymap file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Main => "main",
            Self::Follow => "follow",
            Self::Edit => "edit",
            Self::Insert => "insert",
            Self::Rebuild => "rebuild",
            Self::RebuildSince => "rebuild_since",
            Self::Leases => "leases",
            Self::Bookmarks => "bookmarks",
            Self::Restore => "restore",
            Self::Letters => "dead_letters",
            Self::Tree => "tree",
            Self::Preview => "preview",
            Self::Verify => "verify",
            Self::Help => "help",
            Self::Filter => "filter",
            Self::Palette => "palette",
            Self::Confirm => "confirm",
            Self::Export => "export",
            Self::Stage => "stage",
            Self::Health => "health",
            Self::Tour => "tour",
        }
    }

    /// Where its actions work, in the palette.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Global => "everywhere",
            Self::Main => "panes",
            Self::Follow => "follow",
            Self::Edit => "editor",
            Self::Insert => "insert form",
            Self::Rebuild | Self::RebuildSince => "rebuild",
            Self::Leases => "lease deeds",
            Self::Bookmarks => "bookmarks",
            Self::Restore => "going back",
            Self::Letters => "dead letters",
            Self::Tree => "key tree",
            Self::Preview => "preview",
            Self::Verify => "verify",
            Self::Help => "help",
            Self::Filter => "filter",
            Self::Palette => "commands",
            Self::Confirm => "question",
            Self::Export => "export",
            Self::Stage => "stage",
            Self::Health => "health",
            Self::Tour => "tour",
        }
    }

    /// Heading on the help page.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Main => "Panes",
            Self::Follow => "Following a document",
            Self::Edit => "Editing a document",
            Self::Insert => "Insert form",
            Self::Rebuild => "Rebuild",
            Self::RebuildSince => "Rebuild since a time",
            Self::Leases => "Deeds on leases",
            Self::Bookmarks => "Bookmarks of lease positions",
            Self::Restore => "Going back to a bookmark",
            Self::Letters => "Dead letters",
            Self::Tree => "Keys as a tree",
            Self::Preview => "Mapping preview",
            Self::Verify => "Verify",
            Self::Help => "This page",
            Self::Filter => "Filter line",
            Self::Palette => "Commands",
            Self::Confirm => "Questions",
            Self::Export => "Export",
            Self::Stage => "Stage mode",
            Self::Health => "Health",
            Self::Tour => "Guided tour",
        }
    }

    /// Printable keys are text here, not actions.
    pub(crate) fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Edit | Self::Insert | Self::RebuildSince | Self::Preview | Self::Filter | Self::Palette
        )
    }
}
