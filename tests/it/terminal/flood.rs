//! The screen while changes pour in and its size changes.

use super::{demo, quit};
use crate::support::tty::Tty;

/// Borders stand where they belong: nothing of another size is left.
fn is_whole(screen: &str, columns: u16, rows: u16) -> bool {
    let lines: Vec<Vec<char>> = screen.lines().map(|line| line.chars().collect()).collect();
    let (columns, rows) = (usize::from(columns), usize::from(rows));
    // Wide characters do not occur in the demo's rows, so a place in the text is a column.
    let corner = |line: &[char]| line.len() == columns && matches!(line.last(), Some('╮' | '╯' | '│'));
    lines.len() == rows
        && lines[0].iter().collect::<String>().contains("syncscope")
        && lines[..rows - 1].iter().filter(|line| line.first() != Some(&' ')).all(|line| corner(line))
        && lines.iter().filter(|line| line.first() == Some(&'│')).count() > rows / 2
}

#[test]
fn resized_again_and_again_under_a_flood_it_stays_whole_and_answers() {
    let args = ["demo", "--count", "50", "--rate", "400", "--cosmos-port", "0"];
    let mut tty = Tty::start(&args, 120, 40);
    tty.wait_text("sync 4/4");
    tty.wait_for("the flood", |screen| {
        let header = screen.lines().next().unwrap_or_default();
        let rate =
            header.split_whitespace().last().and_then(|word| word.strip_suffix("/s")?.parse::<f64>().ok());
        rate.is_some_and(|rate| rate > 20.0)
    });
    for (columns, rows) in [(240, 60), (90, 30), (160, 50), (300, 80), (120, 40)] {
        // Sizes in between, as from a window that is dragged.
        for step in 0..4 {
            tty.resize(columns - step, rows);
        }
        tty.resize(columns, rows);
        tty.wait_for(&format!("a whole screen of {columns}×{rows}"), |screen| {
            is_whole(screen, columns, rows)
        });
        tty.type_in("?");
        tty.wait_text("beside its entry");
        tty.type_in("?");
        tty.wait_for("the help to go", |screen| !screen.contains("beside its entry"));
    }
    quit(tty);
}

#[test]
fn no_size_is_too_small_or_too_large() {
    let mut tty = demo(120, 40);
    for (columns, rows) in [(1, 1), (20, 5), (2, 60), (200, 1), (500, 200), (1, 1), (500, 200)] {
        tty.resize(columns, rows);
        // Keys work at any size; each opens something else.
        tty.type_in("?");
        tty.type_in("?");
        if columns == 500 {
            tty.wait_for("all of it", |screen| {
                is_whole(screen, columns, rows)
                    && ["Change feed", "Leases · 4", "Cache · 20", "Activity"]
                        .iter()
                        .all(|t| screen.contains(t))
            });
        }
    }
    tty.resize(20, 5);
    tty.wait_text("60×15");
    quit(tty);
}
