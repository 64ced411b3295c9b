//! The heartbeat's spelling: .NET writes ISO 8601 with `Z` and at most 7 fraction digits, Java up to 9 and
//! sometimes `Z[UTC]`, and .NET takes a text without zone for local time (so ours always has the `Z`).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `2026-08-07T18:56:44.1234567Z`: at most 7 fraction digits, trailing zeros cut (Newtonsoft's default).
pub(super) fn format(time: Timestamp) -> String {
    let whole = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let ticks = time.subsec_nanosecond() / 100;
    if ticks <= 0 {
        return format!("{whole}Z");
    }
    let digits = format!("{ticks:07}");
    format!("{whole}.{}Z", digits.trim_end_matches('0'))
}

/// Reads every spelling above; a text without zone counts as UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches("[UTC]");
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (read, written) in [
            ("2026-08-07T18:56:44.1234567Z", "2026-08-07T18:56:44.1234567Z"),
            ("2026-08-07T18:56:44.123456789Z", "2026-08-07T18:56:44.1234567Z"),
            ("2026-08-07T18:56:44.5000000Z", "2026-08-07T18:56:44.5Z"),
            ("2026-08-07T18:56:44Z", "2026-08-07T18:56:44Z"),
            ("2026-08-07T18:56:44.123456Z[UTC]", "2026-08-07T18:56:44.123456Z"),
            ("2026-08-07T20:56:44+02:00", "2026-08-07T18:56:44Z"),
            ("2026-08-07T18:56:44", "2026-08-07T18:56:44Z"),
        ] {
            assert_eq!(format(parse(read).expect(read)), written, "{read}");
        }
        assert_eq!(parse("yesterday"), None);
    }
}
