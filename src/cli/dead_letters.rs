//! `syncscope dead-letters`: what was set aside, looked at, tried again, or taken out as NDJSON.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::config::Settings;
use crate::cosmos::{Account, CosmosError};
use crate::latency::LatencyTracker;
use crate::sync::{self, CacheWriter, DeadLetter, DeadLetters, Mapping, Retried};

use super::CliError;
use super::output::Output;

/// `syncscope dead-letters`
#[derive(Debug, Args)]
pub struct DeadLettersArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub action: DeadLettersAction,
}

/// What to do with dead letters.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum DeadLettersAction {
    /// Print them: when, id, reason
    List,
    /// Write what the source says now of each into the cache; what succeeds leaves the list
    Retry,
    /// Print them with their documents, one line of JSON each
    Export,
}

/// Exit code 1 if letters are left after a retry.
pub(super) async fn run(
    settings: &Settings,
    action: DeadLettersAction,
    output: &Output,
) -> Result<ExitCode, CliError> {
    let letters = DeadLetters::of(settings).ok_or_else(|| {
        CliError::Refused("this platform has no directory for the state of programs".to_owned())
    })?;
    let unreadable = |error: std::io::Error| {
        CliError::Refused(format!("cannot read {}: {error}", letters.directory().display()))
    };
    let found = letters.list().map_err(unreadable)?;
    match action {
        DeadLettersAction::List => {
            for letter in &found {
                let id = letter.id.as_deref();
                output.json(&json!({
                    "setAsideAt": letter.set_aside_at, "id": id, "reason": letter.reason
                }))?;
                output.text(&format!(
                    "{:.0}  {}  {}",
                    letter.set_aside_at,
                    id.unwrap_or("?"),
                    letter.reason
                ))?;
            }
            output.words(&format!("{} in {}", found.len(), letters.directory().display()));
        }
        DeadLettersAction::Export => {
            for letter in &found {
                let line = serde_json::to_string(letter).map_err(std::io::Error::from)?;
                super::output::data(&line)?;
            }
        }
        DeadLettersAction::Retry => return retry(settings, &letters, found, output).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn retry(
    settings: &Settings,
    letters: &DeadLetters,
    found: Vec<DeadLetter>,
    output: &Output,
) -> Result<ExitCode, CliError> {
    let told = |error: CosmosError| CliError::Refused(error.with_remedy());
    settings.may_write_to(&settings.redis.host)?;
    let mapping = Mapping::from_settings(settings).map_err(|fault| CliError::Refused(fault.to_string()))?;
    let (mut written, mut gone, mut left) = (0, 0, 0);
    if !found.is_empty() {
        let account = Account::connect(&settings.cosmos).await.map_err(told)?;
        let source = account.container(&settings.database, &settings.container).await.map_err(told)?;
        let writer = CacheWriter::new(settings.redis.clone(), Arc::new(mapping), LatencyTracker::new());
        for letter in found {
            match sync::retry(&source, &writer, &letter).await.map_err(CliError::Refused)? {
                Retried::Left(reason) => {
                    left += 1;
                    output.words(&format!("{}: {reason}", letter.id.as_deref().unwrap_or("?")));
                    continue;
                }
                Retried::Written => written += 1,
                Retried::Gone => gone += 1,
            }
            letters.remove(&letter)?;
        }
    }
    output.json(&json!({ "written": written, "gone": gone, "left": left }))?;
    output.text(&format!("{written} written, {gone} gone from the source, {left} left"))?;
    Ok(if left > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
