//! Leases that could not be seen for a while: how long, and who owns others than before.

use std::time::Instant;

use crate::lease::Lease;
use crate::wording::counted;

/// What was seen last, and since when nothing is.
#[derive(Debug, Default)]
pub(super) struct Away {
    since: Option<Instant>,
    /// Id and owner of each lease.
    seen: Vec<(String, Option<String>)>,
}

impl Away {
    /// They cannot be listed.
    pub(super) fn failed(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// They are listed; tells what is different after a time in which they were not.
    pub(super) fn listed(&mut self, leases: &[Lease], now: Instant) -> Option<String> {
        let owners: Vec<_> =
            leases.iter().map(|lease| (lease.id().to_owned(), lease.owner().map(str::to_owned))).collect();
        let before = std::mem::replace(&mut self.seen, owners);
        let away = now.duration_since(self.since.take()?).as_secs_f64();
        let known = |id: &str| before.iter().find(|(known, _)| known == id).map(|(_, owner)| owner);
        let moved =
            self.seen.iter().filter(|(id, owner)| known(id).is_some_and(|before| before != owner)).count();
        let changed = match moved {
            0 => "each with the owner that it had".to_owned(),
            n => format!("{n} of them with another owner"),
        };
        let seen = counted(self.seen.len(), "lease");
        Some(format!(
            "listed again after {away:.1} s in which owners and lag stood as they were seen last: {seen}, {changed}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cosmos::EpkRange;
    use crate::lease::LeasePrefix;

    fn lease(range: (&str, &str), owner: Option<&str>) -> Lease {
        let prefix = LeasePrefix::from_raw("p");
        let mut lease = Lease::new_epk(&prefix, &EpkRange::new(range.0, range.1), None);
        lease.set_owner(owner);
        lease
    }

    #[test]
    fn what_changed_while_nobody_could_look_is_told() {
        let start = Instant::now();
        let later = start + Duration::from_millis(12_400);
        let before = [lease(("", "80"), Some("a")), lease(("80", "FF"), Some("a"))];
        let after = [lease(("", "80"), Some("a")), lease(("80", "FF"), Some("b"))];
        let mut away = Away::default();
        assert_eq!(away.listed(&before, start), None, "nothing was missed");
        away.failed(start);
        away.failed(later);
        let told = away.listed(&after, later).unwrap();
        assert!(
            told.contains("after 12.4 s") && told.ends_with("2 leases, 1 of them with another owner"),
            "{told}"
        );
        away.failed(later);
        assert!(away.listed(&after, later).unwrap().ends_with("each with the owner that it had"));
    }
}
