//! `syncscope watch feed|leases|cache`: one line each, NDJSON with `--json`.

use std::process::ExitCode;

use crate::config::Settings;
use crate::engine::{EngineOptions, Event, LeaseSnapshot};

use super::CliError;
use super::args::WatchTarget;
use super::lines;
use super::output::Output;
use super::session::{Session, Step};

/// Prints until a signal comes or the reader of our output is gone.
pub(super) async fn run(
    settings: Settings,
    target: &WatchTarget,
    output: &Output,
) -> Result<ExitCode, CliError> {
    let mut options = EngineOptions::new(settings);
    match target {
        WatchTarget::Feed { .. } => options.watch.feed = true,
        WatchTarget::Leases => options.watch.leases = true,
        WatchTarget::Cache => options.watch.cache = true,
    }
    let mut session = Session::start(options, true, output)?.while_read();
    let mut printer = Printer { output, leases: None, problem: None };
    let result = loop {
        match session.step().await {
            Err(error) => break Err(error),
            Ok(Step::Signal) => break Ok(ExitCode::SUCCESS),
            Ok(Step::Event(event)) => {
                if let Err(error) = printer.print(*event) {
                    break Err(error.into());
                }
            }
        }
    };
    session.end().await;
    result
}

struct Printer<'o> {
    output: &'o Output,
    leases: Option<LeaseSnapshot>,
    problem: Option<String>,
}

impl Printer<'_> {
    fn print(&mut self, event: Event) -> std::io::Result<()> {
        match event {
            Event::Changes(rows) => {
                for row in &rows {
                    self.output.text(&lines::change(row))?;
                    self.output.json(&lines::change_json(row))?;
                }
            }
            Event::Entries(rows) => {
                for row in &rows {
                    self.output.text(&lines::entry(row))?;
                    self.output.json(&lines::entry_json(row))?;
                }
            }
            Event::EntriesRemoved(keys) => {
                for key in &keys {
                    self.output.text(&format!("{key:?} removed"))?;
                    self.output.json(&serde_json::json!({ "key": key, "state": "removed" }))?;
                }
            }
            Event::CacheFlushed => {
                self.output.text("the whole cache was emptied")?;
                self.output.json(&serde_json::json!({ "state": "flushed" }))?;
            }
            Event::Leases(snapshot) => self.leases(snapshot)?,
            Event::Feed(status) => self.problem(status.problem),
            Event::Cache(status) => self.problem(status.problem),
            _ => {}
        }
        Ok(())
    }

    /// Only what has changed since the last look; reading times alone are no change.
    fn leases(&mut self, snapshot: LeaseSnapshot) -> std::io::Result<()> {
        self.problem(snapshot.problem.clone());
        let known = self.leases.replace(snapshot);
        let Some(now) = &self.leases else { return Ok(()) };
        let before = known.as_ref().map(|known| known.rows.as_slice()).unwrap_or_default();
        let changed: Vec<_> = now.rows.iter().filter(|row| !before.contains(row)).collect();
        if changed.is_empty() && known.is_some_and(|known| known.rows.len() == now.rows.len()) {
            return Ok(());
        }
        for row in changed {
            self.output.text(&lines::lease(row))?;
        }
        self.output.json(&lines::leases_json(now))
    }

    fn problem(&mut self, problem: Option<String>) {
        if let Some(text) = &problem
            && self.problem != problem
        {
            self.output.words(text);
        }
        self.problem = problem;
    }
}
