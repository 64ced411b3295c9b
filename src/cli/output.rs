//! stdout carries data, stderr carries words. Every line of the headless subcommands goes through
//! here, so that `--json` and `--quiet` mean the same everywhere.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;

/// Where the lines of one run go.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) json: bool,
    pub(super) quiet: bool,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// One line of data as text; nothing with `--json`.
    pub(super) fn text(&self, line: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { writeln!(io::stdout().lock(), "{line}") }
    }

    /// One line of data as JSON; nothing without `--json`.
    pub(super) fn json(&self, value: &Value) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{value}")?;
        out.flush()
    }

    /// Words, unless quiet.
    pub(super) fn words(&self, line: &str) {
        if !self.quiet {
            // Words that cannot be told are not worth failing for.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    /// An error, always.
    #[expect(clippy::unused_self, reason = "one door for all output")]
    pub(super) fn error(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "syncscope: {line}");
    }

    /// A progress bar on a terminal's stderr; hidden in a pipe, with `--quiet` and `--json`.
    pub(super) fn bar(&self, length: Option<u64>, what: &str) -> ProgressBar {
        let bar = match length {
            Some(length) => ProgressBar::new(length),
            None => ProgressBar::new_spinner(),
        };
        let shown = !self.quiet && !self.json && io::stderr().is_terminal();
        bar.set_draw_target(if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        let template = match length {
            Some(_) => "{msg} {wide_bar} {human_pos}/{human_len}  {per_sec}  {eta} left",
            None => "{spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar
    }
}

/// One line of data that has only one form.
pub(super) fn data(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Diagnostics on stderr: none, `-v` debug of ours, `-vv` everything.
pub(super) fn log_to_stderr(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = tracing_subscriber::filter::EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .parse_lossy(format!("syncscope={level}"));
    // A second call in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(ours).try_init();
}
