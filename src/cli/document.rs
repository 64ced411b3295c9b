//! `syncscope document`: one document beside its entry, and the deeds of the view that follows it.

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::config::Settings;
use crate::engine::{
    Command, Diff, DiffKind, DocumentDetail, Edit, EditEnd, EditOrder, EngineOptions, EntryState, Event,
    NOT_CONNECTED, Server,
};
use crate::wording::counted;

use super::CliError;
use super::output::Output;
use super::rebuild::confirmed;
use super::session::{Session, Step};

/// Between two questions while the engine is still looking for the source.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest value of a difference in a line for people, in characters.
const VALUE: usize = 60;

/// `syncscope document`
#[derive(Debug, Args)]
pub struct DocumentArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: DocumentAction,
}

/// What to do with a document or its entry.
#[derive(Debug, Clone, Subcommand)]
pub enum DocumentAction {
    /// What the mapping writes beside what the cache holds: each field that differs, as verify judges
    Show {
        /// Its id
        id: String,
        /// The entry of this key, where the document makes several [default: the first]
        #[arg(long, value_name = "KEY")]
        entry: Option<String>,
        /// Its partition key value as JSON, e.g. '"GB"' [default: looked up by the id]
        #[arg(long, value_name = "JSON")]
        partition_key: Option<String>,
    },
    /// Write a document from a file of JSON, over exactly the version that was seen
    Save {
        /// The file; - is stdin
        file: String,
        /// The version to write over, by its _etag; without it only a new document is written
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Map a document as it is now and write its entries, as a delivery of the feed would
    WriteEntry {
        /// Its id
        id: String,
        /// Its partition key value as JSON, e.g. '"GB"' [default: looked up by the id]
        #[arg(long, value_name = "JSON")]
        partition_key: Option<String>,
    },
    /// Delete exactly one key of the cache; the document stays
    DeleteEntry {
        /// The key
        entry: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Exit code 0: in step, or done; 1: it differs, or was refused.
pub(super) async fn run(
    settings: Settings,
    action: DocumentAction,
    output: &Output,
) -> Result<ExitCode, CliError> {
    let command = match action {
        DocumentAction::Show { id, entry, partition_key } => {
            Command::ShowDocument { request: 1, id, partition_key, key: entry }
        }
        DocumentAction::Save { file, if_match } => edit(save(&file, if_match)?),
        DocumentAction::WriteEntry { id, partition_key } => edit(Edit::WriteEntry { id, partition_key }),
        DocumentAction::DeleteEntry { entry, yes } => {
            settings.may_write_to(&settings.redis.host)?;
            let redis = &settings.redis;
            output.words(&format!(
                "deletes exactly one key from {}:{} db {}: {entry}",
                redis.host, redis.port, redis.database
            ));
            if !yes && !confirmed().await? {
                return Ok(ExitCode::from(super::COULD_NOT_RUN));
            }
            edit(Edit::DeleteEntry { key: entry })
        }
    };
    let mut session = Session::start(EngineOptions::new(settings), false, output)?;
    let answer = answer(&mut session, command).await;
    session.end().await;
    match answer? {
        None => Ok(ExitCode::from(super::COULD_NOT_RUN)),
        Some(Answer::Detail(detail)) => shown(&detail, output),
        Some(Answer::Edited(end)) => told(&end, output),
    }
}

fn edit(edit: Edit) -> Command {
    Command::Edit(EditOrder { request: 1, edit })
}

fn save(file: &str, if_match: Option<String>) -> Result<Edit, CliError> {
    let unreadable = |error: std::io::Error| CliError::Refused(format!("cannot read {file}: {error}"));
    let json = if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
        text
    } else {
        std::fs::read_to_string(file).map_err(unreadable)?
    };
    let value: Value = serde_json::from_str(&json)
        .map_err(|error| CliError::Refused(format!("{file} is no JSON: {error}")))?;
    let Some(id) = value.get("id").and_then(Value::as_str) else {
        return Err(CliError::Refused(format!("{file} needs an object with a text as its field \"id\"")));
    };
    Ok(Edit::Document { id: id.to_owned(), partition_key: None, json, if_match })
}

enum Answer {
    Detail(Box<DocumentDetail>),
    Edited(EditEnd),
}

/// Asks until the engine has found the source; `None` = a signal came.
async fn answer(session: &mut Session<'_>, command: Command) -> Result<Option<Answer>, CliError> {
    session.order(command.clone()).await;
    loop {
        let event = match session.step().await? {
            Step::Signal => return Ok(None),
            Step::Event(event) => *event,
        };
        let early = |reason: &str| reason.starts_with(NOT_CONNECTED);
        match event {
            Event::Document(detail) if !matches!(&detail.source, Err(reason) if early(reason)) => {
                return Ok(Some(Answer::Detail(detail)));
            }
            Event::Edited(outcome) if !matches!(&outcome.end, EditEnd::Refused { reason } if early(reason)) =>
            {
                return Ok(Some(Answer::Edited(outcome.end)));
            }
            Event::Document(_) | Event::Edited(_) => {
                tokio::time::sleep(PAUSE).await;
                session.order(command.clone()).await;
            }
            // The account is there, the container is not.
            Event::Feed(status) => {
                if let Some(problem) = status.problem {
                    return Err(CliError::Refused(problem));
                }
            }
            _ => {}
        }
    }
}

fn shown(detail: &DocumentDetail, output: &Output) -> Result<ExitCode, CliError> {
    for (server, problem) in
        [(Server::Cosmos, detail.source.as_ref().err()), (Server::Redis, detail.entry.as_ref().err())]
    {
        if let Some(problem) = problem {
            return Err(CliError::Refused(format!("{server:?}: {problem}")));
        }
    }
    let (source, entry) = (detail.source.as_ref().ok(), detail.entry.as_ref().ok());
    let (source, entry) = (source.and_then(Option::as_ref), entry.and_then(Option::as_ref));
    let differences = differences(&detail.diff);
    let in_step = detail.state == EntryState::InStep;
    output.json(&json!({
        "id": detail.id,
        "state": detail.state.name(),
        "etag": source.map(|source| &source.etag),
        "lsn": source.and_then(|source| source.lsn),
        "keys": detail.keys,
        "key": detail.key,
        "type": entry.map(|entry| &entry.kind),
        "bytes": entry.map(|entry| entry.size),
        "expiresAt": entry.and_then(|entry| entry.expires_at),
        "differences": detail.diff.differences(),
        "fields": differences.iter().map(|found| json!({
            "path": found.path, "change": found.word(), "source": found.left, "entry": found.right
        })).collect::<Vec<_>>(),
    }))?;
    let version = source.map_or("no such document".to_owned(), |source| format!("etag {}", source.etag));
    output.text(&format!("source  {}  {version}", detail.id))?;
    let held = entry.map_or("not in the cache".to_owned(), |entry| {
        let expiry = entry.expires_at.map_or("no expiry".to_owned(), |at| format!("until {at:.0}"));
        format!("{}, {}, {expiry}", entry.kind, counted(entry.size, "byte"))
    });
    output.text(&format!("entry   {}  {held}", detail.key.as_deref().unwrap_or("no key")))?;
    for found in &differences {
        let short = |value: &Option<String>| {
            value.as_ref().map_or("-".to_owned(), |value| value.chars().take(VALUE).collect::<String>())
        };
        output.text(&format!(
            "{:<8}{}  {} | {}",
            found.word(),
            if found.path.is_empty() { "(all)" } else { &found.path },
            short(&found.left),
            short(&found.right)
        ))?;
    }
    let differ = match detail.diff.differences() {
        0 => "no field differs".to_owned(),
        1 => "1 field differs".to_owned(),
        many => format!("{} differ", counted(many, "field")),
    };
    output.words(&format!("{}: {differ}", detail.state.name()));
    Ok(ExitCode::from(u8::from(!in_step)))
}

/// A difference with the values of its first line.
struct Found {
    kind: DiffKind,
    path: String,
    left: Option<String>,
    right: Option<String>,
}

impl Found {
    fn word(&self) -> &'static str {
        match self.kind {
            DiffKind::OnlyLeft => "missing",
            DiffKind::OnlyRight => "extra",
            DiffKind::Moved => "moved",
            DiffKind::Changed | DiffKind::Same | DiffKind::System => "changed",
        }
    }
}

fn differences(diff: &Diff) -> Vec<Found> {
    let lines = diff.starts().iter().map(|at| diff.lines().get(*at as usize));
    diff.named()
        .iter()
        .zip(lines.chain(std::iter::repeat(None)))
        .map(|((kind, path), line)| Found {
            kind: *kind,
            path: path.clone(),
            left: line.and_then(|line| Some(diff.left(line)?.value.to_owned())),
            right: line.and_then(|line| Some(diff.right(line)?.value.to_owned())),
        })
        .collect()
}

fn told(end: &EditEnd, output: &Output) -> Result<ExitCode, CliError> {
    let (done, value, words) = match end {
        EditEnd::Saved { etag } => {
            (true, json!({ "saved": true, "etag": etag }), format!("saved, etag {etag}"))
        }
        EditEnd::ChangedMeanwhile => (
            false,
            json!({ "saved": false }),
            "not saved: the document is another version by now; look at it with `syncscope document show`"
                .into(),
        ),
        EditEnd::Written { keys, kept: false } => {
            (true, json!({ "written": keys }), format!("wrote {}", keys.join(", ")))
        }
        EditEnd::Written { keys, kept: true } => (
            false,
            json!({ "kept": keys }),
            format!("not written: {} keeps another version, a newer one", keys.join(", ")),
        ),
        EditEnd::Deleted { existed } => (
            *existed,
            json!({ "deleted": existed }),
            if *existed { "deleted".into() } else { "there was no such key".into() },
        ),
        EditEnd::Refused { reason } => return Err(CliError::Refused(reason.clone())),
    };
    output.json(&value)?;
    output.words(&words);
    Ok(ExitCode::from(u8::from(!done)))
}
