//! Where a reader of the feed stands. The service's etag of one range is `"N"`, an lsn; of several
//! ranges read at once ours is `"id:N,id:N"`.

use jiff::Timestamp;

use super::super::request::Ask;
use super::log::Range;

/// The start of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cursor {
    /// From the first change.
    Beginning,
    /// From the next change.
    Now,
    /// Changes committed after this second (seconds since 1970).
    After(u64),
    /// After these commits: one for every range, or one each.
    Lsn(u64),
    /// After these commits of these ranges or of ranges that came from them.
    Each(Vec<(u32, u64)>),
}

impl Cursor {
    /// Reads `If-None-Match`, else `x-ms-continuation`, else `If-Modified-Since`.
    /// `Err`: what is wrong with it.
    pub(super) fn of(ask: &Ask) -> Result<Self, &'static str> {
        let etag = ask.header("if-none-match").or_else(|| ask.header("x-ms-continuation"));
        if let Some(etag) = etag.map(str::trim).filter(|etag| !etag.is_empty()) {
            return Self::parse(etag).ok_or("the continuation of the change feed is not valid");
        }
        match ask.header("if-modified-since") {
            Some(date) => {
                let since = time(date).ok_or("If-Modified-Since is not a date")?;
                Ok(Self::After(u64::try_from(since.as_second()).unwrap_or(0)))
            }
            None => Ok(Self::Beginning),
        }
    }

    fn parse(etag: &str) -> Option<Self> {
        let etag = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
        if etag == "*" {
            return Some(Self::Now);
        }
        if let Ok(lsn) = etag.parse() {
            return Some(Self::Lsn(lsn));
        }
        let pairs = etag.split(',').map(|pair| {
            let (range, lsn) = pair.split_once(':')?;
            Some((range.parse().ok()?, lsn.parse().ok()?))
        });
        pairs.collect::<Option<Vec<_>>>().map(Self::Each)
    }

    /// The commit after which to read in this range.
    pub(super) fn in_range(&self, range: &Range) -> u64 {
        match self {
            Self::Beginning | Self::After(_) => 0,
            Self::Now => range.lsn,
            Self::Lsn(lsn) => *lsn,
            Self::Each(each) => {
                let of = |id: u32| each.iter().find(|(range, _)| *range == id).map(|(_, lsn)| *lsn);
                // After a merge the least of the parents: some changes twice, none lost.
                of(range.id).or_else(|| range.parents.iter().filter_map(|id| of(*id)).min()).unwrap_or(0)
            }
        }
    }
}

fn time(date: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(date).map(|zoned| zoned.timestamp()).ok().or_else(|| date.parse().ok())
}

/// The etag of a page of these ranges.
pub(super) fn etag(at: &[(u32, u64)]) -> String {
    match at {
        [(_, lsn)] => format!("\"{lsn}\""),
        many => {
            let pairs: Vec<_> = many.iter().map(|(id, lsn)| format!("{id}:{lsn}")).collect();
            format!("\"{}\"", pairs.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_read_back() {
        assert_eq!(Cursor::parse(&etag(&[(3, 17)])), Some(Cursor::Lsn(17)));
        let each = vec![(0, 4), (7, 9)];
        assert_eq!(Cursor::parse(&etag(&each)), Some(Cursor::Each(each)));
        assert_eq!(Cursor::parse("*"), Some(Cursor::Now));
        assert_eq!(Cursor::parse("\"x\""), None);
    }
}
