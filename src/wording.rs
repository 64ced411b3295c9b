//! Numbers in sentences: with separators, and with their noun in the right number.

/// `1,284`.
pub(crate) fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A number as it is written in a document, its whole part with separators: `1028.99` is `1,028.99`. What is no
/// plain decimal number stays as it is, and so does one with a zero in front: it is a name made of digits.
pub(crate) fn decimal(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let named = whole.len() > 1 && whole.starts_with('0');
    let numeric = plain(whole) && (fraction.is_empty() || plain(&fraction[1..]));
    (numeric && !named).then(|| format!("{sign}{}{fraction}", grouped(whole)))
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 lease`, `1,284 leases`, `2 entries`: a number with its noun, which is given in the singular.
pub(crate) fn counted(n: impl TryInto<u64>, noun: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {}", count(n), of_number(n, noun))
}

/// The noun alone as it follows such a number.
pub(crate) fn of_number(n: impl TryInto<u64>, noun: &str) -> String {
    if n.try_into().is_ok_and(|n| n == 1) {
        return noun.to_owned();
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("ch") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_all_others_are_many() {
        assert_eq!(counted(0_u64, "lease"), "0 leases");
        assert_eq!(counted(1_usize, "lease"), "1 lease");
        assert_eq!(counted(1_284_u64, "document"), "1,284 documents");
        assert_eq!(
            [
                counted(2_u64, "entry"),
                counted(2_u64, "key"),
                counted(3_u64, "prefix"),
                counted(1_u64, "entry")
            ],
            ["2 entries", "2 keys", "3 prefixes", "1 entry"]
        );
    }

    #[test]
    fn a_number_of_a_document_is_read_in_groups_and_nothing_else_is() {
        for (written, shown) in [
            ("1028.99", "1,028.99"),
            ("-1234567", "-1,234,567"),
            ("999", "999"),
            ("0.12345", "0.12345"),
            ("1000000000000000000000.5", "1,000,000,000,000,000,000,000.5"),
        ] {
            assert_eq!(decimal(written).as_deref(), Some(shown));
        }
        for other in ["", "-", "1e5", "1.", ".5", "007123", "inf", "NaN", "+1000", "1,000", "1.2.3", "٣٣٣٣"]
        {
            assert_eq!(decimal(other), None, "{other}");
        }
    }
}
