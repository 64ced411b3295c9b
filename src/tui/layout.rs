//! Where things are: a pure function of the size and the model, used alike by drawing, by page
//! scrolling and by mouse clicks.
//!
//! ```text
//!  header (1 line, 2 when narrow)
//! ╭ feed 5 ╮╭ leases 3 ╮╭ cache 4 ╮   narrow: tabs, and one pane
//! ╰────────╯╰──────────╯╰─────────╯
//! ╭ latency ──────╮╭ activity ────╮   one line when low
//! ╰───────────────╯╰──────────────╯
//!  footer
//! ```

use ratatui::layout::{Constraint, Layout, Position, Rect, Size};

use super::model::{Model, Pane};

/// Below this many columns the panes are tabs.
pub(crate) const WIDE: u16 = 100;
/// Below this size nothing sensible can be drawn.
pub(crate) const LEAST: Size = Size { width: 60, height: 15 };

/// What kind of screen there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    TooSmall,
    /// One pane under tabs.
    Tabs,
    /// All panes.
    Wide,
    /// All panes, latency and log in one line.
    Low,
    /// One pane on the whole body.
    Zoomed,
}

/// The rectangles of a frame. A pane that is not shown has an empty one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) shape: Shape,
    pub(crate) header: Rect,
    pub(crate) tabs: Rect,
    /// Between header and footer.
    pub(crate) body: Rect,
    panes: [Rect; 5],
    /// The one-line latency and log strip of a low screen.
    pub(crate) strip: Rect,
    /// The strip of the guided tour, above the footer.
    pub(crate) tour: Rect,
    pub(crate) footer: Rect,
}

impl Frame {
    pub(crate) fn pane(&self, pane: Pane) -> Rect {
        self.panes[pane.index()]
    }

    /// Rows of a pane without border and heading.
    pub(crate) fn rows(&self, pane: Pane, model: &Model) -> Rect {
        let inner = inner(self.pane(pane));
        let above = match pane {
            Pane::Leases | Pane::Cache => 1,
            Pane::Feed | Pane::Latency | Pane::Log => 0,
        } + super::view::trouble::height(model, pane, inner);
        let below = match pane {
            Pane::Leases => super::view::leases::below(model, inner, above),
            _ => 0,
        };
        let above = above.min(inner.height);
        Rect { y: inner.y + above, height: inner.height.saturating_sub(above).saturating_sub(below), ..inner }
    }

    /// The pane under a position.
    pub(crate) fn hit(&self, at: Position) -> Option<Pane> {
        Pane::ALL.into_iter().find(|pane| self.pane(*pane).contains(at))
    }

    /// What of which pane is under a position.
    pub(crate) fn place(&self, model: &Model, at: Position) -> Option<Place> {
        let pane = self.hit(at)?;
        let (area, rows) = (self.pane(pane), self.rows(pane, model));
        let has_heading = matches!(pane, Pane::Leases | Pane::Cache);
        let line = if at.y == area.y {
            Line::Title
        } else if rows.contains(at) {
            Line::Row(usize::from(at.y - rows.y))
        } else if has_heading && at.y + 1 == rows.y {
            Line::Heading
        } else {
            Line::Other
        };
        Some(Place { pane, column: at.x.saturating_sub(inner(area).x), line })
    }
}

/// What is under a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pane: Pane,
    /// From the left inside of its border; on the left border itself 0.
    #[allow(dead_code, reason = "for clicks on the titles of columns")]
    pub(crate) column: u16,
    pub(crate) line: Line,
}

/// A line of a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// The upper border.
    Title,
    /// The titles of the columns.
    Heading,
    /// A row of the list, from the first that is shown.
    Row(usize),
    /// Trouble, what stands below the rows, the other borders.
    Other,
}

/// Inside of a border; empty when there is no room.
pub(crate) fn inner(area: Rect) -> Rect {
    if area.width < 4 || area.height < 2 {
        return Rect::default();
    }
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}

/// The layout of a frame.
pub(crate) fn frame(model: &Model) -> Frame {
    let area = Rect { x: 0, y: 0, width: model.size.width, height: model.size.height };
    let mut frame = Frame {
        shape: Shape::TooSmall,
        header: Rect::default(),
        tabs: Rect::default(),
        body: area,
        panes: [Rect::default(); 5],
        strip: Rect::default(),
        tour: Rect::default(),
        footer: Rect::default(),
    };
    if area.width < LEAST.width || area.height < LEAST.height {
        return frame;
    }
    let narrow = area.width < WIDE;
    let header = if narrow { 2 } else { 1 };
    let tour = super::view::tour::height(model, area.width);
    let [header, body, tour, footer] = Layout::vertical([
        Constraint::Length(header),
        Constraint::Fill(1),
        Constraint::Length(tour),
        Constraint::Length(1),
    ])
    .areas(area);
    (frame.header, frame.body, frame.tour, frame.footer) = (header, body, tour, footer);
    if narrow {
        let [tabs, pane] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(body);
        frame.shape = Shape::Tabs;
        frame.tabs = tabs;
        frame.panes[model.focus.index()] = pane;
        return frame;
    }
    if model.zoomed {
        frame.shape = Shape::Zoomed;
        frame.panes[model.focus.index()] = body;
        return frame;
    }
    let strip = match area.height {
        0..22 => 1,
        22..45 => 6,
        _ => 13,
    };
    let [main, strip] = Layout::vertical([Constraint::Fill(1), Constraint::Length(strip)]).areas(body);
    let [feed, leases, cache] =
        Layout::horizontal([Constraint::Fill(5), Constraint::Fill(3), Constraint::Fill(4)]).areas(main);
    frame.panes[..3].copy_from_slice(&[feed, leases, cache]);
    if strip.height == 1 {
        frame.shape = Shape::Low;
        frame.strip = strip;
        // The focused one of the two still has to be seen.
        if matches!(model.focus, Pane::Latency | Pane::Log) {
            frame.panes = [Rect::default(); 5];
            frame.panes[model.focus.index()] = main;
        }
        return frame;
    }
    frame.shape = Shape::Wide;
    let [latency, log] = Layout::horizontal([Constraint::Fill(11), Constraint::Fill(9)]).areas(strip);
    frame.panes[3] = latency;
    frame.panes[4] = log;
    frame
}

/// A box in the middle of the body, at most as large as asked.
pub(crate) fn dialog(body: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(body.width);
    let height = height.min(body.height);
    Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 3, width, height }
}
