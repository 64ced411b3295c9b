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

use super::model::{LEAST_COLUMNS, Model, Pane};

/// Below this many columns the panes are tabs.
pub(crate) const WIDE: u16 = 100;
/// Below this size nothing sensible can be drawn.
pub(crate) const LEAST: Size = Size { width: 60, height: 15 };

/// The panes of the upper row and of the lower one, from left to right.
pub(crate) const UPPER: [Pane; 3] = [Pane::Feed, Pane::Leases, Pane::Cache];
pub(crate) const LOWER: [Pane; 2] = [Pane::Latency, Pane::Log];

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
    /// The line of the panes that are not shown.
    pub(crate) shelf: Rect,
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
            Pane::Feed | Pane::Leases | Pane::Cache => 1,
            Pane::Latency | Pane::Log => 0,
        } + super::view::trouble::height(model, pane, inner);
        let below = match pane {
            Pane::Leases => super::view::leases::below(model, inner, above),
            Pane::Cache => super::view::entry_strip::height(model, inner, above),
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
        let has_heading = matches!(pane, Pane::Feed | Pane::Leases | Pane::Cache);
        let line = if at.y == area.y {
            Line::Title
        } else if rows.contains(at) {
            Line::Row(usize::from(at.y - rows.y))
        } else if has_heading && at.y + 1 == rows.y {
            Line::Heading
        } else {
            Line::Other
        };
        Some(Place { pane, line })
    }
}

/// A border that can be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Splitter {
    /// Between two panes of a row.
    Columns(Pane, Pane),
    /// Between the rows.
    Rows,
}

impl Frame {
    /// The panes of a row that are shown, from left to right, with their widths.
    pub(crate) fn row(&self, of: Pane) -> Vec<(Pane, u16)> {
        let row: &[Pane] = if UPPER.contains(&of) { &UPPER } else { &LOWER };
        let shown = |pane: &Pane| (*pane, self.pane(*pane).width);
        row.iter().map(shown).filter(|(_, width)| *width > 0).collect()
    }

    /// The border under a position.
    pub(crate) fn splitter(&self, at: Position) -> Option<Splitter> {
        if !matches!(self.shape, Shape::Wide | Shape::Low) {
            return None;
        }
        let pane = self.hit(at)?;
        let area = self.pane(pane);
        let other = |row: &[Pane]| row.iter().any(|pane| !self.pane(*pane).is_empty());
        let (last, first) = (area.bottom() - 1, area.y);
        if UPPER.contains(&pane) && at.y == last && other(&LOWER)
            || LOWER.contains(&pane) && at.y == first && other(&UPPER)
        {
            return Some(Splitter::Rows);
        }
        let row = self.row(pane);
        let place = row.iter().position(|(of, _)| *of == pane)?;
        if at.x + 1 == area.right() {
            row.get(place + 1).map(|(next, _)| Splitter::Columns(pane, *next))
        } else if at.x == area.x && place > 0 {
            Some(Splitter::Columns(row[place - 1].0, pane))
        } else {
            None
        }
    }

    /// Lays the panes of a row side by side.
    fn columns(&mut self, model: &Model, panes: &[Pane], area: Rect) {
        if panes.is_empty() || area.height < 2 {
            return;
        }
        let split = |weights: &dyn Fn(Pane) -> Constraint| {
            Layout::horizontal(panes.iter().map(|pane| weights(*pane))).split(area)
        };
        let mut areas = split(&|pane| Constraint::Fill(model.arrangement.weight(pane)));
        // Shares of a wider screen may leave one nothing here.
        if areas.iter().any(|area| area.width < LEAST_COLUMNS) {
            areas = split(&|_| Constraint::Fill(1));
        }
        for (pane, area) in panes.iter().zip(areas.iter()) {
            self.panes[pane.index()] = *area;
        }
    }
}

/// What is under a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pane: Pane,
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
        shelf: Rect::default(),
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
    let shelf = super::view::shelf::height(model, area);
    let [body, shelf] = Layout::vertical([Constraint::Fill(1), Constraint::Length(shelf)]).areas(body);
    (frame.body, frame.shelf) = (body, shelf);
    if model.zoomed {
        frame.shape = Shape::Zoomed;
        frame.panes[model.focus.index()] = body;
        return frame;
    }
    share(model, &mut frame, area.height);
    frame
}

/// Shares the body among the panes.
fn share(model: &Model, frame: &mut Frame, height: u16) {
    let arrangement = &model.arrangement;
    let visible = |panes: &[Pane]| -> Vec<Pane> {
        panes.iter().copied().filter(|pane| model.is_in_sight(*pane)).collect()
    };
    let (upper, lower) = (visible(&UPPER), visible(&LOWER));
    let body = frame.body;
    let lines = if lower.is_empty() {
        0
    } else if upper.is_empty() {
        body.height
    } else {
        match height {
            0..22 => 1,
            22..45 => arrangement.lower(body.height).unwrap_or(6),
            _ => arrangement.lower(body.height).unwrap_or(13),
        }
    };
    let [main, strip] = Layout::vertical([Constraint::Fill(1), Constraint::Length(lines)]).areas(body);
    frame.shape = Shape::Wide;
    frame.columns(model, &upper, main);
    if strip.height == 1 {
        frame.shape = Shape::Low;
        frame.strip = strip;
        // The focused one of the two still has to be seen.
        if lower.contains(&model.focus) {
            frame.panes = [Rect::default(); 5];
            frame.panes[model.focus.index()] = main;
        }
        return;
    }
    frame.columns(model, &lower, strip);
}

/// A box in the middle of the body, at most as large as asked.
pub(crate) fn dialog(body: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(body.width);
    let height = height.min(body.height);
    Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 3, width, height }
}
