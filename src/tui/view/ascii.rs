//! A frame in ASCII alone, for terminals and fonts that have nothing else: every sign has its stand-in of
//! the same width, so that nothing moves.

use ratatui::buffer::Buffer;

use crate::tui::widgets::text;

/// Replaces whatever is not ASCII.
pub(super) fn replace(buf: &mut Buffer) {
    let area = buf.area;
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let cell = &mut buf[(x, y)];
            let columns = text::width(cell.symbol()).max(1);
            if cell.symbol().is_ascii() {
                x += 1;
                continue;
            }
            let stand_in = stand_in(cell.symbol());
            for _ in 0..columns {
                if x < area.right() {
                    buf[(x, y)].set_symbol(stand_in);
                    x += 1;
                }
            }
        }
    }
}

fn stand_in(symbol: &str) -> &'static str {
    match symbol {
        "✓" | "▅" | "╭" | "╮" | "╯" | "╰" | "┌" | "┐" | "└" | "┘" | "┼" | "┬" | "┴" => {
            "+"
        }
        "✗" | "×" => "x",
        "∅" => "0",
        "▌" | "→" | "▶" | "▸" | "›" => ">",
        "←" | "◀" => "<",
        "↑" | "▲" => "^",
        "↓" | "▼" => "v",
        "●" | "•" | "▆" => "*",
        "◐" | "◓" | "◑" | "◒" => "o",
        "↕" => "%",
        "○" | "·" | "…" | "⋯" | "▁" | "░" => ".",
        "▂" => ":",
        "▃" | "▒" | "─" | "╌" | "—" | "–" | "━" | "∞" => "-",
        "▄" | "▓" | "‖" => "=",
        "▇" | "█" | "■" | "▏" | "▎" | "▍" | "▋" | "▊" | "▉" => "#",
        "│" | "┃" | "├" | "┤" => "|",
        _ => "?",
    }
}
