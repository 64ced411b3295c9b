//! `syncscope leases`: deeds on leases, and bookmarks of positions. Bookmarks are saved and compared without
//! touching a lease; restored under If-Match, after saying what will be replayed.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::cosmos::{Account, CosmosError};
use crate::engine::BookmarkFiles;
use crate::lease::{
    Bookmark, BookmarkError, Change, Difference, Lease, LeaseDeed, LeasePrefix, LeaseStorage, LeaseStore,
};

pub use super::lease_deeds::DeedArgs;
use super::output::Output;
use super::rebuild::confirmed;
use super::{CliError, lease_deeds};

/// `syncscope leases`
#[derive(Debug, Args)]
pub struct LeasesArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: LeasesAction,
}

/// What to do with leases.
#[derive(Debug, Clone, Subcommand)]
pub enum LeasesAction {
    /// Free leases: Owner becomes null, any running instance takes them and goes on where they stood
    Release(DeedArgs),
    /// Delete lease documents, and the marker without which nobody would make them again
    Delete(DeedArgs),
    /// Back to the start: one lease loses its continuation, all of them are deleted with their marker
    Reset(DeedArgs),
    /// Keep the positions of all leases of the prefix under a name
    Save {
        /// Letters, digits, '-', '_', '.'
        #[arg(value_parser = name)]
        name: String,
        /// Replace a bookmark of this name
        #[arg(long)]
        replace: bool,
    },
    /// Print the bookmarks of this source and prefix: name, time, source, number of leases
    List,
    /// Print each lease then and now, and how much going back would replay
    Diff {
        /// Name of the bookmark
        #[arg(value_parser = name)]
        name: String,
    },
    /// Send leases back to a bookmark: what follows it is delivered again
    Restore(RestoreArgs),
}

/// `syncscope leases restore`
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// Name of the bookmark
    #[arg(value_parser = name)]
    pub name: String,
    /// Only this lease, by id or token; may be repeated
    #[arg(long, value_name = "ID|TOKEN", allow_hyphen_values = true)]
    pub lease: Vec<String>,
    /// Go on although a processor owns leases now; they are taken from it
    #[arg(long)]
    pub take_over: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

fn name(text: &str) -> Result<String, BookmarkError> {
    Bookmark::check_name(text).map(|()| text.to_owned())
}

/// Exit code 0 done or in step, 1 something differs or was refused.
pub(super) async fn run(
    settings: &Settings,
    action: &LeasesAction,
    output: &Output,
) -> Result<ExitCode, CliError> {
    let files = BookmarkFiles::of(settings)?;
    match action {
        LeasesAction::Release(args) => lease_deeds::run(settings, LeaseDeed::Release, args, output).await,
        LeasesAction::Delete(args) => lease_deeds::run(settings, LeaseDeed::Delete, args, output).await,
        LeasesAction::Reset(args) => lease_deeds::run(settings, LeaseDeed::Reset, args, output).await,
        LeasesAction::Save { name, replace } => save(settings, &files, name, *replace, output).await,
        LeasesAction::List => list(&files, output),
        LeasesAction::Diff { name } => diff(settings, &files.load(name)?, output).await,
        LeasesAction::Restore(args) => restore(settings, &files.load(&args.name)?, args, output).await,
    }
}

/// The leases of the configured prefix as they are now.
pub(super) struct Today {
    pub(super) store: LeaseStore,
    pub(super) prefix: LeasePrefix,
    source: String,
    leases: Vec<Lease>,
}

impl Today {
    pub(super) async fn read(settings: &Settings) -> Result<Self, CliError> {
        let account = Account::connect(&settings.cosmos).await.map_err(told)?;
        let source = account.container(&settings.database, &settings.container).await.map_err(told)?;
        let leases = account.container(&settings.database, &settings.lease_container).await.map_err(told)?;
        let store = LeaseStore::new(leases).map_err(told)?;
        let prefix =
            LeasePrefix::new(&settings.lease_prefix, account.host(), source.database_rid(), source.rid());
        let leases = store.list(&prefix).await.map_err(told)?;
        let source = format!("{} at {}", source.path(), account.address());
        Ok(Self { store, prefix, source, leases })
    }

    /// Positions of another container mean nothing here, even if it has the same name.
    fn check(&self, bookmark: &Bookmark) -> Result<(), CliError> {
        if bookmark.prefix == self.prefix.as_str() {
            return Ok(());
        }
        Err(CliError::Refused(format!(
            "the bookmark {} is of the leases {}, these are {}: the container was deleted and created again, so its positions mean nothing now",
            bookmark.name, bookmark.prefix, self.prefix
        )))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn told(error: CosmosError) -> CliError {
    CliError::Refused(error.with_remedy())
}

async fn save(
    settings: &Settings,
    files: &BookmarkFiles,
    name: &str,
    replace: bool,
    output: &Output,
) -> Result<ExitCode, CliError> {
    files.check_free(name, replace)?;
    let today = Today::read(settings).await?;
    if today.leases.is_empty() {
        return Err(CliError::Refused(format!(
            "there are no leases of {} in {}; run the sync first, or name yours with --lease-prefix",
            today.prefix, settings.lease_container
        )));
    }
    let bookmark = Bookmark::new(name, Timestamp::now(), today.source, &today.prefix, &today.leases)
        .map_err(|error| CliError::Refused(error.to_string()))?;
    let path = files.save(&bookmark, replace)?;
    output.json(&about(&bookmark))?;
    output.text(&format!("{name}: {} leases of {}", bookmark.leases.len(), bookmark.source))?;
    output.words(&format!("kept in {}", path.display()));
    Ok(ExitCode::SUCCESS)
}

fn list(files: &BookmarkFiles, output: &Output) -> Result<ExitCode, CliError> {
    let (bookmarks, wrong) = files.list()?;
    for bookmark in &bookmarks {
        output.json(&about(bookmark))?;
        output.text(&format!(
            "{}  {:.0}  {}  {} leases",
            bookmark.name,
            bookmark.saved_at,
            bookmark.source,
            bookmark.leases.len()
        ))?;
    }
    for error in &wrong {
        output.error(&error.to_string());
    }
    output.words(&format!("{} in {}", bookmarks.len(), files.directory().display()));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn about(bookmark: &Bookmark) -> Value {
    json!({
        "name": bookmark.name,
        "savedAt": bookmark.saved_at,
        "source": bookmark.source,
        "prefix": bookmark.prefix,
        "leases": bookmark.leases.len(),
    })
}

async fn diff(settings: &Settings, bookmark: &Bookmark, output: &Output) -> Result<ExitCode, CliError> {
    let today = Today::read(settings).await?;
    today.check(bookmark)?;
    let found = bookmark.differences(&today.leases);
    for difference in &found {
        output.json(&row_json(difference))?;
        output.text(&row(difference))?;
    }
    let differs = found.iter().filter(|difference| difference.change != Change::Same).count();
    output.words(&format!("{differs} of {} leases differ from {}", found.len(), bookmark.name));
    Ok(if differs == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn positions(difference: &Difference<'_>) -> (Option<String>, Option<String>) {
    let then = difference.then.and_then(|then| then.position.clone());
    (then, difference.now.and_then(Lease::position_text))
}

fn row_json(difference: &Difference<'_>) -> Value {
    let (then, now) = positions(difference);
    json!({
        "id": difference.id(),
        "lease": difference.token(),
        "then": then,
        "now": now,
        "ownerThen": difference.then.and_then(|then| then.owner.as_deref()),
        "owner": difference.now.and_then(Lease::owner),
        "split": difference.split,
        "change": difference.change.name(),
        "lsns": difference.change.lsns(),
    })
}

fn row(difference: &Difference<'_>) -> String {
    let (then, now) = positions(difference);
    let shown = |position: Option<String>| position.unwrap_or_else(|| "none".to_owned());
    let counted =
        |lsns: Option<u64>| lsns.map_or_else(|| "an unknown number of".to_owned(), |n| n.to_string());
    let meaning = match difference.change {
        Change::Same => "the same".to_owned(),
        Change::Replays(lsns) => format!("replays {} LSNs", counted(lsns)),
        Change::Skips(lsns) => format!("would skip {} LSNs: the lease is behind the bookmark", counted(lsns)),
        Change::NoPosition => "had no position then; `syncscope rebuild --lease` replays it all".to_owned(),
        Change::Gone => "the lease is gone".to_owned(),
        Change::Merged => "covers more than the bookmarked range (merged since)".to_owned(),
        Change::New => "not in the bookmark".to_owned(),
    };
    let split = difference.then.filter(|_| difference.split);
    let split = split.map_or_else(String::new, |parent| format!(" (split since from {})", parent.token));
    format!("{}  then {}  now {}  {meaning}{split}", difference.token(), shown(then), shown(now))
}

async fn restore(
    settings: &Settings,
    bookmark: &Bookmark,
    args: &RestoreArgs,
    output: &Output,
) -> Result<ExitCode, CliError> {
    settings.may_write_to(settings.cosmos.endpoint.host_str().unwrap_or_default())?;
    let today = Today::read(settings).await?;
    today.check(bookmark)?;
    if let Some(java) = today.leases.iter().find(|lease| !lease.kind().is_ours_to_run()) {
        return Err(CliError::Refused(BookmarkError::Java(java.id().to_owned()).to_string()));
    }
    let all = bookmark.differences(&today.leases);
    if let Some(unknown) = args.lease.iter().find(|name| !all.iter().any(|lease| lease.is_named(name))) {
        return Err(CliError::Refused(format!(
            "there is no lease {unknown}; `syncscope leases diff {}` shows those that are",
            bookmark.name
        )));
    }
    let named = |lease: &Difference<'_>| args.lease.iter().any(|name| lease.is_named(name));
    let chosen: Vec<_> = all.iter().filter(|lease| args.lease.is_empty() || named(lease)).collect();
    output.words(&format!(
        "Send leases of {} back to {} ({:.0})",
        today.source, bookmark.name, bookmark.saved_at
    ));
    for lease in &chosen {
        output.words(&format!("  {}", row(lease)));
    }

    let back: Vec<&Lease> = chosen
        .iter()
        .filter(|lease| matches!(lease.change, Change::Replays(_)))
        .filter_map(|lease| lease.now)
        .collect();
    let live = live_owners(&back, settings, output);
    let mut report = Report::default();
    for lease in &chosen {
        let refused = match lease.change {
            Change::Replays(_) if live > 0 && !args.take_over => {
                Some("live owners: stop their processors first, or add --take-over")
            }
            Change::Skips(_) => Some("going forward would lose changes"),
            Change::NoPosition => Some("it had no position then"),
            Change::Gone => Some("it is gone"),
            Change::Merged => Some("it covers more than the bookmarked range"),
            Change::Same | Change::New | Change::Replays(_) => None,
        };
        if let Some(reason) = refused {
            report.refused(lease, reason, output);
        }
    }
    if back.is_empty() || (live > 0 && !args.take_over) {
        output.words("nothing was done");
        return report.end(output);
    }
    if !args.yes && !confirmed().await? {
        output.words("nothing was done");
        return Ok(ExitCode::from(super::COULD_NOT_RUN));
    }
    for lease in chosen {
        let (Change::Replays(_), Some(then), Some(now)) = (lease.change, lease.then, lease.now) else {
            continue;
        };
        let mut next = now.clone();
        next.set_continuation(then.continuation.as_deref());
        // Whoever still works on it finds it lost with its next write, and does not store over it.
        next.set_owner(None);
        match today.store.replace(&mut next).await {
            Ok(()) => report.restored(lease),
            Err(CosmosError::PreconditionFailed(_)) => {
                report.refused(lease, "somebody else wrote it meanwhile (412); look again", output);
            }
            Err(error) => report.refused(lease, &error.with_remedy(), output),
        }
    }
    report.end(output)
}

/// Tells who holds leases with a heartbeat that counts, and answers how many leases that are.
fn live_owners(leases: &[&Lease], settings: &Settings, output: &Output) -> usize {
    let now = Timestamp::now();
    let mut live = 0;
    for lease in leases.iter().filter(|lease| !lease.is_expired(now, settings.sync.expiration_interval)) {
        let (Some(owner), Some(beat)) = (lease.owner(), lease.heartbeat()) else { continue };
        live += 1;
        output.words(&format!(
            "  {owner} owns {} now (heartbeat {beat:.0}, {} s ago)",
            lease.token(),
            now.duration_since(beat).as_secs().max(0)
        ));
    }
    if live > 0 {
        output.words(
            "  warning: a running worker may store its own position over a restored one (.NET's, too); with \
             --take-over the lease is also freed, so that the worker finds it lost with its next write and stops",
        );
    }
    live
}

/// What became of each lease.
#[derive(Default)]
struct Report {
    restored: usize,
    refused: usize,
    rows: Vec<Value>,
}

impl Report {
    fn restored(&mut self, lease: &Difference<'_>) {
        self.restored += 1;
        let mut row = row_json(lease);
        row["restored"] = true.into();
        self.rows.push(row);
    }

    fn refused(&mut self, lease: &Difference<'_>, reason: &str, output: &Output) {
        self.refused += 1;
        output.words(&format!("  not restored: {}: {reason}", lease.token()));
        let mut row = row_json(lease);
        row["restored"] = false.into();
        row["reason"] = reason.into();
        self.rows.push(row);
    }

    fn end(self, output: &Output) -> Result<ExitCode, CliError> {
        let Self { restored, refused, rows } = self;
        output.json(&json!({ "restored": restored, "refused": refused, "leases": rows }))?;
        output.text(&format!("{restored} leases restored, {refused} refused"))?;
        Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
