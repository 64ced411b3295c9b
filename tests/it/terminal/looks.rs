//! Terminals that can do less: no colours, no capabilities.

use super::{DEMO, quit};
use crate::support::tty::Tty;

/// Parameters of every SGR sequence (`ESC [ … m`).
fn styles(output: &[u8]) -> Vec<Vec<u16>> {
    let text = String::from_utf8_lossy(output);
    text.split("\x1b[")
        .skip(1)
        .filter_map(|part| {
            let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
            let number = |text: &str| text.parse().unwrap_or(0);
            (part[end..].starts_with('m')).then(|| part[..end].split([';', ':']).map(number).collect())
        })
        .collect()
}

#[test]
fn no_color_means_none_at_all_and_weight_stays() {
    let mut tty = Tty::start_with(&DEMO, 120, 40, &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
    tty.wait_text("100% in step");
    tty.type_in("j");
    tty.wait_text("▌");
    // Whatever theme is asked for.
    for _ in 0..3 {
        tty.type_in("T?");
        tty.wait_text("open the document beside its entry");
        tty.type_in("?");
        tty.wait_for("the help to go", |screen| !screen.contains("beside its entry"));
    }
    let output = tty.output();
    quit(tty);
    let styles = styles(&output);
    // Back to the terminal's own colours (39, 49, 59) is no colour.
    let colours = |n: &u16| matches!(n, 30..=38 | 40..=48 | 58 | 90..=97 | 100..=107);
    let coloured: Vec<_> = styles.iter().filter(|style| style.iter().any(colours)).collect();
    assert!(coloured.is_empty(), "{coloured:?}");
    for (weight, name) in [(1, "bold"), (2, "dim"), (7, "reversed")] {
        assert!(styles.iter().any(|style| style.contains(&weight)), "nothing is {name}");
    }
}

#[test]
fn a_terminal_that_promises_nothing_gets_sixteen_colours_and_works() {
    let mut tty = Tty::start_with(&DEMO, 80, 24, &[("TERM", "dumb"), ("COLORTERM", "")]);
    tty.wait_text("sync 4/4");
    tty.type_in("3");
    tty.wait_text("✓ p-0000");
    let output = tty.output();
    quit(tty);
    // The sixteen, too, are named by their number in the palette.
    let beyond = styles(&output).into_iter().find(|style| {
        let named = |at: usize| matches!(style[at..], [38 | 48, 5, 0..16, ..]);
        (0..style.len())
            .any(|at| matches!(style[at], 38 | 48) && !named(at) && (at == 0 || style[at - 1] != 5))
    });
    assert_eq!(beyond, None);
}
