//! `syncscope leases release|delete|reset`: the plan, the question, the deed.

use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::lease::{LeaseDeed, LeaseOrder, LeaseOutcome, LeasePlan, LeaseStep, PlannedLease, perform};

use super::CliError;
use super::leases::{Today, told};
use super::output::Output;
use super::rebuild::confirmed;

/// Which leases, and how sure the user is.
#[derive(Debug, Clone, Args)]
pub struct DeedArgs {
    /// Only this lease, by id or token; may be repeated [default: all of the prefix]
    #[arg(long, value_name = "ID|TOKEN", allow_hyphen_values = true)]
    pub lease: Vec<String>,
    /// Go on although live owners lose their leases
    #[arg(long)]
    pub take_over: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Exit code 0 done, 1 something was refused, 2 nothing could be done.
pub(super) async fn run(
    settings: &Settings,
    deed: LeaseDeed,
    args: &DeedArgs,
    output: &Output,
) -> Result<ExitCode, CliError> {
    settings.may_write_to(settings.cosmos.endpoint.host_str().unwrap_or_default())?;
    let today = Today::read(settings).await?;
    let order = LeaseOrder { deed, only: args.lease.clone(), take_over: args.take_over };
    let expiration = settings.sync.expiration_interval;
    let plan = LeasePlan::make(&today.store, &today.prefix, order, expiration).await.map_err(told)?;
    tell(&plan, output);
    if let Some(reason) = &plan.refused {
        return Err(CliError::Refused(reason.clone()));
    }
    if plan.hindrance().is_some() {
        // Told document by document, as what a script reads.
        return end(&plan, &perform(&today.store, &plan).await, output);
    }
    if !args.yes && !confirmed().await? {
        output.words("nothing was done");
        return Ok(ExitCode::from(super::COULD_NOT_RUN));
    }
    let outcome = perform(&today.store, &plan).await;
    end(&plan, &outcome, output)
}

fn tell(plan: &LeasePlan, output: &Output) {
    output.words(&plan.headline());
    for document in plan.touched() {
        output.words(&format!("  {}{}", document.id, owner(document)));
    }
    output.words(&format!("not touched: {}", plan.untouched()));
    for line in plan.consequences() {
        output.words(&format!("then: {line}"));
    }
}

fn owner(document: &PlannedLease) -> String {
    let Some(owner) = &document.owner else { return String::new() };
    let age = document.heartbeat.map(|beat| Timestamp::now().duration_since(beat).as_secs().max(0));
    let beat = age.map_or_else(String::new, |age| format!(", heartbeat {age} s ago"));
    let life = if document.live { "live" } else { "expired" };
    format!("  owned by {owner} ({life}{beat})")
}

fn end(plan: &LeasePlan, outcome: &LeaseOutcome, output: &Output) -> Result<ExitCode, CliError> {
    for (id, reason) in &outcome.refused {
        output.words(&format!("  left: {id}: {reason}"));
    }
    let documents: Vec<Value> = plan.touched().map(|document| row(document, outcome)).collect();
    output.json(&json!({
        "deed": plan.order.deed.word(),
        "done": outcome.done.len(),
        "refused": outcome.refused.len(),
        "documents": documents,
    }))?;
    let words = LeaseOutcome { refused: Vec::new(), ..outcome.clone() }.words();
    output.text(&format!("{words}, {} left", outcome.refused.len()))?;
    Ok(if outcome.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn row(document: &PlannedLease, outcome: &LeaseOutcome) -> Value {
    let reason = outcome.refused.iter().find(|(id, _)| *id == document.id).map(|(_, reason)| reason);
    json!({
        "id": document.id,
        "lease": document.token,
        "step": match document.step {
            LeaseStep::Free => "free",
            LeaseStep::Rewind => "rewind",
            LeaseStep::Delete => "delete",
            LeaseStep::Nothing => "nothing",
        },
        "owner": document.owner,
        "live": document.live,
        "position": document.position,
        "done": outcome.done.contains(&document.id),
        "reason": reason,
    })
}
