//! A frame as SVG: the same cells, colours and glyphs, for a README or a slide.

use std::fmt::Write as _;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

use super::widgets::text;

const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 17.0;
const MARGIN: f64 = 12.0;

/// What the terminal's own background and foreground are in the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paper {
    background: &'static str,
    foreground: &'static str,
}

/// For every theme that is made for dark terminals, or for both.
pub(crate) const DARK: Paper = Paper { background: "#16181d", foreground: "#d8dee9" };
/// For themes made for light ones.
pub(crate) const LIGHT: Paper = Paper { background: "#fbfbfa", foreground: "#24292f" };

/// How a run of cells looks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    fg: String,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    underlined: bool,
}

impl Look {
    fn of(cell: &Cell, paper: Paper) -> Self {
        let fg = colour(cell.fg).unwrap_or(paper.foreground.to_owned());
        let bg = colour(cell.bg);
        let has = |modifier| cell.modifier.contains(modifier);
        let (fg, bg) = if has(Modifier::REVERSED) {
            (bg.unwrap_or(paper.background.to_owned()), Some(fg))
        } else {
            (fg, bg)
        };
        Self {
            fg,
            bg,
            bold: has(Modifier::BOLD),
            dim: has(Modifier::DIM),
            underlined: has(Modifier::UNDERLINED),
        }
    }
}

/// The whole frame as an SVG document.
pub(crate) fn render(buf: &Buffer, title: &str, paper: Paper) -> String {
    let width = f64::from(buf.area.width) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f64::from(buf.area.height) * CELL_HEIGHT + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n\
         <g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n",
        escaped(title),
        paper.background
    );
    for y in 0..buf.area.height {
        line(buf, y, paper, &mut out);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn line(buf: &Buffer, y: u16, paper: Paper, out: &mut String) {
    let mut x = 0;
    while x < buf.area.width {
        let look = Look::of(&buf[(x, y)], paper);
        let start = x;
        let mut run = String::new();
        while x < buf.area.width && Look::of(&buf[(x, y)], paper) == look {
            let symbol = buf[(x, y)].symbol();
            run.push_str(symbol);
            x += u16::try_from(text::width(symbol).max(1)).unwrap_or(1);
        }
        piece(&run, &look, start, x, y, out);
    }
}

/// A run of cells: the background as a rectangle, each word at its own column. The length of a word is
/// told, so that another font cannot shift the columns.
fn piece(run: &str, look: &Look, start: u16, end: u16, y: u16, out: &mut String) {
    let left = |column: u16| MARGIN + f64::from(column) * CELL_WIDTH;
    let top = MARGIN + f64::from(y) * CELL_HEIGHT;
    // Writing to a String cannot fail.
    if let Some(bg) = &look.bg {
        let (x, width) = (left(start), f64::from(end - start) * CELL_WIDTH);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{CELL_HEIGHT}\" fill=\"{bg}\"/>"
        );
    }
    let mut column = start;
    for word in if look.underlined { vec![run] } else { run.split(' ').collect() } {
        let columns = u16::try_from(text::width(word)).unwrap_or(u16::MAX);
        if columns > 0 {
            word_at(word, look, left(column), top, f64::from(columns) * CELL_WIDTH, out);
        }
        column = column.saturating_add(columns).saturating_add(1);
    }
}

fn word_at(word: &str, look: &Look, x: f64, top: f64, width: f64, out: &mut String) {
    let baseline = top + 13.0;
    let _ =
        write!(out, "<text x=\"{x:.1}\" y=\"{baseline:.1}\" textLength=\"{width:.1}\" fill=\"{}\"", look.fg);
    for (on, attribute) in [
        (look.bold, " font-weight=\"bold\""),
        (look.dim, " opacity=\"0.55\""),
        (look.underlined, " text-decoration=\"underline\""),
    ] {
        if on {
            out.push_str(attribute);
        }
    }
    let _ = writeln!(out, ">{}</text>", escaped(word));
}

fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            // Spaces at the ends of a run are part of its length.
            ' ' => "\u{A0}".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

fn colour(colour: Color) -> Option<String> {
    let name = match colour {
        Color::Rgb(r, g, b) => return Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Red => "#e06c75",
        Color::Green => "#98c379",
        Color::Yellow => "#e5c07b",
        Color::Blue => "#61afef",
        Color::Magenta => "#c678dd",
        Color::Cyan => "#56b6c2",
        Color::LightRed => "#ff7a85",
        Color::LightGreen => "#b5e890",
        Color::LightYellow => "#ffd68a",
        Color::LightCyan => "#7fd8e4",
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use ratatui::{layout::Rect, style::Style};

    use super::*;

    #[test]
    fn cells_become_runs_of_one_look() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        buf.set_string(0, 0, "<a & b>", Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD));
        buf.set_string(8, 0, "価", Style::new().add_modifier(Modifier::REVERSED));
        let svg = render(&buf, "x<y", DARK);
        assert!(svg.contains("<title>x&lt;y</title>"));
        assert!(
            svg.contains(">&lt;a</text>") && svg.contains(">&amp;</text>") && svg.contains(">b&gt;</text>")
        );
        assert!(svg.contains("fill=\"#56b6c2\" font-weight"));
        assert!(svg.contains(&format!("width=\"16.8\" height=\"17\" fill=\"{}\"", DARK.foreground)), "{svg}");
    }
}
