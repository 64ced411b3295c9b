//! A lease whose range is served by other physical ranges now: new leases for it, then the old one goes.
//! (.NET: PartitionSynchronizerCore.cs, FeedManagement/PartitionControllerCore.cs)

use serde_json::Map;

use crate::cosmos::{CosmosError, EpkRange, FeedPosition, PhysicalRange};
use crate::lease::{Lease, LeaseStorage, UpdateError};

use super::ProcessorEvent;
use super::context::Context;
use super::held::Held;
use super::pace::Backoff;

/// Creates the leases of `children`, each from `position`, deletes the held one, and gives those that are ours.
/// A child that is there already was made by another instance (or by us before a failure) and stays as it is.
/// Every step can be repeated; what fails is tried again until it works or the lease is lost.
pub(super) async fn replace<S, L: LeaseStorage, H>(
    context: &Context<S, L, H>,
    held: &Held<L>,
    children: &[PhysicalRange],
    position: &FeedPosition,
) -> Result<Vec<Lease>, UpdateError> {
    let parent = held.lease().await;
    let mut backoff = Backoff::default();
    loop {
        // Also shows whether it is still ours: else its new owner does the split.
        let done = match held.renew().await {
            Ok(()) => create_and_delete(context, &parent, children, position).await,
            Err(lost @ UpdateError::Lost { .. }) => return Err(lost),
            Err(UpdateError::Store(e)) => Err(e),
        };
        match done {
            Ok((leases, all)) => {
                context.tell(ProcessorEvent::Split { lease_id: parent.id().to_owned(), children: all });
                return Ok(leases);
            }
            Err(error) => {
                let retry_in = backoff.next(error.retry_after());
                context.tell(ProcessorEvent::Problem {
                    lease_id: Some(parent.id().to_owned()),
                    cause: format!("the leases after a split could not be made: {error}"),
                    remedy: error.remedy(),
                    retry_in: Some(retry_in),
                });
                tokio::time::sleep(retry_in).await;
            }
        }
    }
}

async fn create_and_delete<S, L: LeaseStorage, H>(
    context: &Context<S, L, H>,
    parent: &Lease,
    children: &[PhysicalRange],
    position: &FeedPosition,
) -> Result<(Vec<Lease>, Vec<String>), CosmosError> {
    let storage = context.updater.storage();
    let (mut ours, mut all) = (Vec::new(), Vec::new());
    for mut child in plan(context, parent, children, position) {
        all.push(child.id().to_owned());
        child.set_owner(Some(context.updater.instance()));
        child.set_heartbeat(context.updater.clock().now());
        match storage.create(&mut child).await {
            Ok(()) => ours.push(child),
            Err(CosmosError::Conflict(_)) => {}
            Err(e) => return Err(e),
        }
    }
    match storage.delete(parent).await {
        Ok(()) | Err(CosmosError::NotFound(_)) => Ok((ours, all)),
        Err(e) => Err(e),
    }
}

/// The leases that replace `parent`: v0 for each child of a split v0; v1 of the old range for a merged v0; v1 pieces
/// of the old range, cut at the children's bounds, for a v1.
fn plan<S, L, H>(
    context: &Context<S, L, H>,
    parent: &Lease,
    children: &[PhysicalRange],
    position: &FeedPosition,
) -> Vec<Lease> {
    let etag = match position {
        FeedPosition::Continuation(etag) => Some(etag.as_str()),
        _ => None,
    };
    let prefix = &context.prefix;
    let by_id = parent.kind().is_by_range_id();
    let mut leases: Vec<Lease> = match (children, parent.range()) {
        ([_], Some(range)) => vec![Lease::new_epk(prefix, range, etag)],
        (many, _) if by_id => many.iter().map(|c| Lease::new_by_range_id(prefix, c, etag)).collect(),
        (many, Some(range)) => {
            pieces(range, many).iter().map(|piece| Lease::new_epk(prefix, piece, etag)).collect()
        }
        (_, None) => Vec::new(),
    };
    for lease in &mut leases {
        lease.set_properties(parent.properties().cloned().unwrap_or_else(Map::new));
        if etag.is_none() && matches!(position, FeedPosition::Beginning) {
            lease.mark_from_beginning();
        }
    }
    leases
}

/// `[min,r0.max) [r0.max,r1.max) … [r(n-1).max,max)`.
fn pieces(range: &EpkRange, children: &[PhysicalRange]) -> Vec<EpkRange> {
    let mut from = range.min.clone();
    let mut pieces = Vec::with_capacity(children.len());
    for (i, child) in children.iter().enumerate() {
        let to = if i + 1 == children.len() { &range.max } else { &child.range.max };
        pieces.push(EpkRange::new(std::mem::replace(&mut from, to.clone()), to.clone()));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_old_range_exactly() {
        let child = |min: &str, max: &str| PhysicalRange {
            id: min.into(),
            parents: Vec::new(),
            range: EpkRange::new(min, max),
        };
        let cut =
            pieces(&EpkRange::new("05", "30"), &[child("", "10"), child("10", "20"), child("20", "FF")]);
        assert_eq!(cut, [EpkRange::new("05", "10"), EpkRange::new("10", "20"), EpkRange::new("20", "30")]);
    }
}
