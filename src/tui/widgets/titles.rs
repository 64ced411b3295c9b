//! The titles of a list's columns: which one the list is sorted by, and which one is clicked.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    pen::{Align, Pen},
    text,
};

/// A row of titles, laid out like the cells below them.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    cells: Vec<Title>,
    at: usize,
}

#[derive(Debug)]
struct Title {
    name: String,
    at: usize,
    columns: usize,
    align: Align,
    /// Place among the columns that the list can be sorted by.
    sorts: Option<usize>,
}

/// How titles look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TitleStyles {
    pub(crate) plain: Style,
    /// Of the column that the list is sorted by.
    pub(crate) sorted: Style,
}

impl Titles {
    /// Columns taken so far.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Leaves columns free.
    pub(crate) fn skip(&mut self, columns: usize) -> &mut Self {
        self.at += columns;
        self
    }

    /// A title of so many columns; none where there is no room for the column.
    pub(crate) fn cell(
        &mut self,
        name: &str,
        columns: usize,
        align: Align,
        sorts: impl Into<Option<usize>>,
    ) -> &mut Self {
        if columns > 0 {
            let (at, name) = (self.at, name.to_owned());
            self.cells.push(Title { name, at, columns, align, sorts: sorts.into() });
            self.at += columns;
        }
        self
    }

    /// The column under a place of the row.
    pub(crate) fn hit(&self, at: usize) -> Option<usize> {
        self.cells.iter().find(|cell| (cell.at..cell.at + cell.columns).contains(&at))?.sorts
    }

    /// Draws the row; `sorted` is the column that the list is sorted by, and its mark.
    pub(crate) fn draw(
        &self,
        area: Rect,
        sorted: Option<(usize, &str)>,
        styles: TitleStyles,
        buf: &mut Buffer,
    ) {
        for cell in &self.cells {
            let mut pen = Pen::new(buf, area, 0);
            pen.skip(cell.at);
            match sorted.filter(|(column, _)| cell.sorts == Some(*column)) {
                Some((_, mark)) => {
                    // The mark is never cut off.
                    let room = cell.columns.saturating_sub(text::width(mark));
                    let name = text::end(&cell.name, room).into_owned();
                    let gap = if text::width(&name) < room { " " } else { "" };
                    pen.cell(&format!("{name}{gap}{mark}"), cell.columns, cell.align, styles.sorted);
                }
                None => {
                    pen.cell(&cell.name, cell.columns, cell.align, styles.plain);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sorted_column_has_its_mark_and_each_is_hit_where_it_is() {
        let mut titles = Titles::default();
        titles.skip(1).cell("key", 8, Align::Left, 1).cell("ttl", 3, Align::Right, 4);
        titles.cell("none", 0, Align::Left, 2).skip(1).cell("wide", 6, Align::Right, None);
        assert_eq!(
            [0, 1, 8, 9, 11, 12, 13].map(|at| titles.hit(at)),
            [None, Some(1), Some(1), Some(4), Some(4), None, None]
        );
        let area = Rect::new(0, 0, 20, 1);
        let row = |sorted| {
            let mut buf = Buffer::empty(area);
            let styles = TitleStyles { plain: Style::new(), sorted: Style::new() };
            titles.draw(area, sorted, styles, &mut buf);
            buf.content().iter().map(ratatui::buffer::Cell::symbol).collect::<String>()
        };
        assert_eq!(row(None), " key     ttl   wide ");
        assert_eq!(row(Some((1, "▲"))), " key ▲   ttl   wide ");
        assert_eq!(row(Some((4, "▼"))), " key     t…▼   wide ");
    }
}
