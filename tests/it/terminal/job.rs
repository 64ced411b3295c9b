//! Suspended and continued by a shell's job control, and a panic of the screen.

use std::time::{Duration, Instant};

use super::{DEMO, demo, in_cache};
use crate::support::servers::left_out;
use crate::support::tty::Tty;

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_brings_the_screen_again() {
    if std::process::Command::new("bash").args(["-c", "exit"]).status().is_err() {
        left_out("bash");
        return;
    }
    let mut tty = Tty::start_as_job(&DEMO, 120, 40);
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    tty.type_in("\x1a");
    tty.wait_text("STOPPED");
    assert!(!tty.is_full_screen(), "the shell's own screen is back");
    assert!(tty.has_line_settings_of_before(), "the shell reads lines again");
    tty.type_in("\r");
    tty.wait_text("Change feed");
    assert!(tty.is_full_screen());
    // Not only the picture is back: keys are read, and what they write arrives.
    tty.type_in("i");
    tty.wait_text("Insert into shop/prices");
    tty.type_in("\x15again-1\r");
    tty.wait_for("the entry in the cache", |screen| in_cache(screen, "again-1"));
    tty.type_in("q");
    tty.wait_text("ENDED");
    assert!(tty.ended().success());
}

#[test]
fn without_job_control_ctrl_z_says_so_and_nothing_stops() {
    let mut tty = demo(120, 40);
    tty.type_in("\x1a");
    tty.wait_text("no shell to go to");
    super::quit(tty);
}

/// In a debug build the screen panics when the terminal tells that it has the focus, if this variable asks for it.
#[test]
#[cfg(debug_assertions)]
fn a_panic_of_the_screen_restores_the_terminal_and_says_what_happened() {
    let mut tty =
        Tty::start_with(&DEMO, 120, 40, &[("SYNCSCOPE_PANIC_ON_FOCUS", "1"), ("RUST_BACKTRACE", "0")]);
    tty.wait_text("sync 4/4");
    tty.type_in("\x1b[I");
    tty.wait_text("panicked at");
    tty.wait_text("asked to panic");
    assert!(!tty.is_full_screen(), "the words are on the user's own screen");
    let began = Instant::now();
    assert_eq!(tty.ended().exit_code(), 101);
    assert!(began.elapsed() < Duration::from_secs(20), "the children end with it");
}
