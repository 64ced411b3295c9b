//! `syncscope leases`: deeds on leases, and bookmarks of positions. Bookmarks are saved and compared without
//! touching a lease; restored under If-Match, after saying what will be replayed.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::cosmos::{Account, CosmosError};
use crate::engine::{BookmarkFileError, BookmarkFiles};
use crate::lease::{
    self, Bookmark, BookmarkError, ComparedLease, Comparison, Lease, LeaseDeed, LeasePrefix, LeaseStorage,
    LeaseStore, RestoreOrder, RestoreOutcome, RestorePlan,
};
use crate::wording::counted;

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
    /// Delete a bookmark; no lease is touched
    Forget {
        /// Name of the bookmark
        #[arg(value_parser = name)]
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
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
        LeasesAction::Forget { name, yes } => forget(&files, name, *yes, output).await,
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
    output.text(&format!("{name}: {} of {}", counted(bookmark.leases.len(), "lease"), bookmark.source))?;
    output.words(&format!("kept in {}", path.display()));
    Ok(ExitCode::SUCCESS)
}

fn list(files: &BookmarkFiles, output: &Output) -> Result<ExitCode, CliError> {
    let (bookmarks, wrong) = files.list()?;
    for bookmark in &bookmarks {
        output.json(&about(bookmark))?;
        output.text(&format!(
            "{}  {:.0}  {}  {}",
            bookmark.name,
            bookmark.saved_at,
            bookmark.source,
            counted(bookmark.leases.len(), "lease")
        ))?;
    }
    for (_, error) in &wrong {
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
    let expiration = settings.sync.expiration_interval;
    let found = Comparison::of(bookmark, &today.prefix, &today.leases, expiration)
        .map_err(|error| CliError::Refused(error.to_string()))?;
    for lease in &found.leases {
        output.json(&row_json(lease))?;
        output.text(&row(lease))?;
    }
    let differs = found.differing();
    let all = counted(found.leases.len(), "lease");
    output.words(&format!("different from {}: {differs} of {all}", bookmark.name));
    Ok(if differs == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn row_json(lease: &ComparedLease) -> Value {
    json!({
        "id": lease.id,
        "lease": lease.token,
        "then": lease.then,
        "now": lease.now,
        "ownerThen": lease.owner_then,
        "owner": lease.owner,
        "split": lease.split_from.is_some(),
        "change": lease.change.name(),
        "lsns": lease.change.lsns(),
    })
}

fn row(lease: &ComparedLease) -> String {
    let shown = |position: &Option<String>| position.clone().unwrap_or_else(|| "none".to_owned());
    format!("{}  then {}  now {}  {}", lease.token, shown(&lease.then), shown(&lease.now), lease.words())
}

async fn restore(
    settings: &Settings,
    bookmark: &Bookmark,
    args: &RestoreArgs,
    output: &Output,
) -> Result<ExitCode, CliError> {
    settings.may_write_to(settings.cosmos.endpoint.host_str().unwrap_or_default())?;
    let today = Today::read(settings).await?;
    let order = RestoreOrder { name: args.name.clone(), only: args.lease.clone(), take_over: args.take_over };
    let expiration = settings.sync.expiration_interval;
    let plan =
        RestorePlan::make(&today.store, &today.prefix, bookmark, order, expiration).await.map_err(told)?;
    if let Some(reason) = &plan.refused {
        return Err(CliError::Refused(reason.clone()));
    }
    tell(&plan, &today.source, output);
    if plan.hindrance().is_some() {
        let outcome = lease::restore(&today.store, &plan).await;
        output.words("nothing was done");
        return end(&plan, &outcome, output);
    }
    if !args.yes && !confirmed().await? {
        output.words("nothing was done");
        return Ok(ExitCode::from(super::COULD_NOT_RUN));
    }
    let outcome = lease::restore(&today.store, &plan).await;
    end(&plan, &outcome, output)
}

fn tell(plan: &RestorePlan, source: &str, output: &Output) {
    output.words(&format!(
        "Send leases of {source} back to {} ({:.0}): {}",
        plan.order.name,
        plan.saved_at,
        plan.headline()
    ));
    for lease in &plan.leases {
        output.words(&format!("  {}", row(lease)));
    }
    let now = Timestamp::now();
    for lease in plan.live() {
        let (Some(owner), Some(beat)) = (&lease.owner, lease.heartbeat) else { continue };
        let age = now.duration_since(beat).as_secs().max(0);
        output.words(&format!("  {owner} owns {} now (heartbeat {beat:.0}, {age} s ago)", lease.token));
    }
    if plan.live().next().is_some() && !plan.order.take_over {
        output.words("  live owners: stop their processors first, or add --take-over");
    }
    output.words(&format!("not touched: {}", plan.untouched()));
    for line in plan.consequences() {
        output.words(&format!("then: {line}"));
    }
}

fn end(plan: &RestorePlan, outcome: &RestoreOutcome, output: &Output) -> Result<ExitCode, CliError> {
    let mut rows = Vec::new();
    for lease in &plan.leases {
        let reason = outcome.refused.iter().find(|(id, _)| *id == lease.id).map(|(_, reason)| reason);
        if reason.is_none() && !outcome.restored.contains(&lease.id) {
            continue;
        }
        let mut row = row_json(lease);
        row["restored"] = reason.is_none().into();
        if let Some(reason) = reason {
            output.words(&format!("  not restored: {}: {reason}", lease.token));
            row["reason"] = reason.as_str().into();
        }
        rows.push(row);
    }
    let (restored, refused) = (outcome.restored.len(), outcome.refused.len());
    output.json(&json!({ "restored": restored, "refused": refused, "leases": rows }))?;
    output.text(&format!("{restored} leases restored, {refused} refused"))?;
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Deletes the file of a bookmark, after a question.
async fn forget(files: &BookmarkFiles, name: &str, yes: bool, output: &Output) -> Result<ExitCode, CliError> {
    let about = match files.load(name) {
        Ok(bookmark) => format!("{:.0}, {} leases", bookmark.saved_at, bookmark.leases.len()),
        Err(missing @ BookmarkFileError::Missing(_)) => return Err(missing.into()),
        Err(error) => error.reason(),
    };
    output.words(&format!("Delete the bookmark {name} ({about}); no lease is touched"));
    if !yes && !confirmed().await? {
        output.words("nothing was done");
        return Ok(ExitCode::from(super::COULD_NOT_RUN));
    }
    files.delete(name)?;
    output.json(&json!({ "forgotten": name }))?;
    output.text(&format!("{name} is deleted"))?;
    Ok(ExitCode::SUCCESS)
}
