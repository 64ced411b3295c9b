//! The equal-partitions strategy: which leases an instance should take in a round.
//! (.NET: FeedManagement/EqualPartitionsBalancingStrategy.cs)

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::Lease;

/// What an instance should do in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// It has its share.
    Enough,
    /// Take these free or expired leases (indices into the list).
    Take(Vec<usize>),
    /// Take this one from the instance that has most.
    Steal(usize),
}

/// Decides for instance `me` over all leases of a prefix, in list order.
pub fn balance(leases: &[Lease], me: &str, now: Timestamp, expiration: Duration) -> Share {
    let mut free = Vec::new();
    let mut held: HashMap<&str, usize> = HashMap::from([(me, 0)]);
    for (i, lease) in leases.iter().enumerate() {
        match lease.owner() {
            Some(owner) if !lease.is_expired(now, expiration) => *held.entry(owner).or_default() += 1,
            _ => free.push(i),
        }
    }
    let (count, workers) = (leases.len(), held.len());
    let target = if count <= workers { 1 } else { count.div_ceil(workers) };
    let mine = held.get(me).copied().unwrap_or(0);
    let need = target.saturating_sub(mine);
    if need == 0 {
        return Share::Enough;
    }
    if !free.is_empty() {
        free.truncate(need);
        return Share::Take(free);
    }
    let Some((&richest, &most)) =
        held.iter().filter(|(owner, _)| **owner != me).max_by_key(|(o, n)| (**n, **o))
    else {
        return Share::Enough;
    };
    if most <= target - usize::from(need > 1) {
        return Share::Enough;
    }
    leases.iter().position(|l| l.owner() == Some(richest)).map_or(Share::Enough, Share::Steal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosmos::EpkRange;
    use crate::lease::LeasePrefix;

    const MINUTE: Duration = Duration::from_mins(1);

    fn leases(owners: &str) -> (Vec<Lease>, Timestamp) {
        let now: Timestamp = "2026-08-07T18:56:44Z".parse().unwrap();
        let prefix = LeasePrefix::from_raw("x");
        let made = owners.chars().enumerate().map(|(i, c)| {
            let mut lease = Lease::new_epk(&prefix, &EpkRange::new(format!("{i:02X}"), "FF"), None);
            let fresh = c.is_lowercase();
            if c != '.' {
                lease.set_owner(Some(&c.to_lowercase().to_string()));
                let old = now.checked_sub(MINUTE * 2).unwrap();
                lease.set_heartbeat(if fresh { now } else { old });
            }
            lease
        });
        (made.collect(), now)
    }

    /// Owners by letter; a capital's heartbeat is too old; `.` is free. We are `m`.
    #[test]
    fn rounds() {
        for (owners, expected) in [
            ("....", Share::Take(vec![0, 1, 2, 3])),
            ("a.aa.", Share::Take(vec![1, 4])), // target 3, but two are free
            ("aaaa", Share::Steal(0)),
            ("aamm", Share::Enough),
            ("aaam", Share::Steal(0)),
            ("aAAm", Share::Take(vec![1])), // target 2: one more
            ("a", Share::Enough),           // as many leases as workers
            ("", Share::Enough),
            ("aaabbb", Share::Steal(3)), // target 2
            ("aabbm", Share::Enough),
            ("mmmm", Share::Enough),
            ("mmMM", Share::Take(vec![2, 3])), // our own expired ones
        ] {
            let (list, now) = leases(owners);
            assert_eq!(balance(&list, "m", now, MINUTE), expected, "{owners}");
        }
    }
}
