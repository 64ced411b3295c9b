//! What was set aside, and what a document would become: answered on demand, from the disk and from
//! the mapping. One task, so that two retries do not meet.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::sync::{CacheWriter, DeadLetter, DeadLetters, Mapping, Retried, preview, retry};
use crate::wording::counted;

use super::command::{DeadLetterOrder, MappingTrial};
use super::event::{
    DeadLetterList, DeadLetterRow, Event, Level, MappingPreview, PreviewEntry, PreviewFault, RetryCounts,
};
use super::source::SourceReceiver;
use super::{NO_SOURCE, Shared};

/// So much of a document is shown.
const SHOWN: usize = 16 << 10;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    Letters(DeadLetterOrder),
    Preview(MappingTrial),
}

/// Runs until cancelled.
pub(super) async fn run(
    shared: Arc<Shared>,
    source: SourceReceiver,
    mut requests: mpsc::Receiver<Request>,
    cancel: CancellationToken,
) {
    let serving = async {
        while let Some(request) = requests.recv().await {
            match request {
                Request::Preview(trial) => {
                    let request = trial.request;
                    let outcome = try_mapping(&shared, trial);
                    let answer = MappingPreview { request, outcome };
                    shared.report.state(Event::MappingPreview(Box::new(answer))).await;
                }
                Request::Letters(order) => {
                    let list = Box::pin(letters(&shared, &source, order)).await;
                    shared.report.state(Event::DeadLetters(Box::new(list))).await;
                }
            }
        }
    };
    cancel.run_until_cancelled(serving).await;
}

fn try_mapping(shared: &Shared, trial: MappingTrial) -> Result<Vec<PreviewEntry>, PreviewFault> {
    let document = Bytes::from(trial.document);
    if trial.key.is_none() && trial.jq.is_none() {
        return preview(&shared.mapping, &document, Timestamp::now());
    }
    let mut settings = Settings::clone(&shared.settings);
    if let Some(key) = trial.key {
        settings.key = key;
    }
    if let Some(jq) = trial.jq {
        settings.mapping.jq = Some(jq).filter(|jq| !jq.trim().is_empty());
    }
    preview(&Mapping::from_settings(&settings)?, &document, Timestamp::now())
}

async fn letters(shared: &Arc<Shared>, source: &SourceReceiver, order: DeadLetterOrder) -> DeadLetterList {
    let Some(letters) = DeadLetters::of(&shared.settings).map(Arc::new) else {
        let problem = Some("this platform has no directory for the state of programs".to_owned());
        return DeadLetterList { problem, ..DeadLetterList::default() };
    };
    let mut list =
        DeadLetterList { directory: letters.directory().display().to_string(), ..DeadLetterList::default() };
    let mut reasons = Vec::new();
    let done = match order {
        DeadLetterOrder::List => Ok(()),
        DeadLetterOrder::Export { file } => export(shared, &letters, file).await,
        DeadLetterOrder::Retry { names } => {
            match again(shared, source, &letters, names, &mut reasons).await {
                Ok(counts) => {
                    list.retried = Some(counts);
                    Ok(())
                }
                Err(problem) => Err(problem),
            }
        }
    };
    list.problem = done.err();
    match read(&letters).await {
        Ok(found) => list.letters = found.iter().map(row).collect(),
        Err(problem) => list.problem = Some(problem),
    }
    for (name, reason) in reasons {
        if let Some(row) = list.letters.iter_mut().find(|row| row.name == name) {
            row.reason = reason;
        }
    }
    list
}

async fn read(letters: &Arc<DeadLetters>) -> Result<Vec<DeadLetter>, String> {
    let from = Arc::clone(letters);
    let found = tokio::task::spawn_blocking(move || from.list()).await;
    found
        .map_err(std::io::Error::other)
        .and_then(|found| found)
        .map_err(|error| format!("cannot read {}: {error}", letters.directory().display()))
}

fn row(letter: &DeadLetter) -> DeadLetterRow {
    let document = letter.document.get();
    let mut end = document.len().min(SHOWN);
    while !document.is_char_boundary(end) {
        end -= 1;
    }
    DeadLetterRow {
        name: letter.name(),
        set_aside_at: letter.set_aside_at,
        id: letter.id.clone(),
        reason: letter.reason.clone(),
        document: document[..end].to_owned(),
        bytes: document.len(),
    }
}

async fn export(shared: &Shared, letters: &Arc<DeadLetters>, file: String) -> Result<(), String> {
    let found = read(letters).await?;
    let mut text = Vec::new();
    for letter in &found {
        serde_json::to_writer(&mut text, letter).map_err(|error| error.to_string())?;
        text.push(b'\n');
    }
    tokio::fs::write(&file, text).await.map_err(|error| format!("cannot save {file}: {error}"))?;
    let text = format!("saved {} to {file}", counted(found.len(), "dead letter"));
    shared.report.log(Level::Info, "sync", text).await;
    Ok(())
}

async fn again(
    shared: &Shared,
    source: &SourceReceiver,
    letters: &Arc<DeadLetters>,
    names: Option<Vec<String>>,
    reasons: &mut Vec<(String, String)>,
) -> Result<RetryCounts, String> {
    shared.settings.may_write_to(&shared.settings.redis.host).map_err(|error| error.to_string())?;
    let found = source.borrow().clone();
    let source = found.ok_or(NO_SOURCE)?.monitored;
    let writer =
        CacheWriter::new(shared.settings.redis.clone(), Arc::clone(&shared.mapping), shared.latency.clone());
    let mut counts = RetryCounts::default();
    for letter in read(letters).await? {
        let name = letter.name();
        if names.as_ref().is_some_and(|names| !names.contains(&name)) {
            continue;
        }
        match retry(&source, &writer, &letter).await? {
            Retried::Written => counts.written += 1,
            Retried::Gone => counts.gone += 1,
            Retried::Left(reason) => {
                counts.left += 1;
                reasons.push((name, reason));
                continue;
            }
        }
        letters.remove(&letter).map_err(|error| format!("cannot remove {name}: {error}"))?;
    }
    let RetryCounts { written, gone, left } = counts;
    let text =
        format!("dead letters tried again: {written} written, {gone} gone from the source, {left} left");
    shared.report.log(if left > 0 { Level::Warning } else { Level::Info }, "sync", text).await;
    Ok(counts)
}
