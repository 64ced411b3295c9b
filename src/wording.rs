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

/// A share in percent with as many digits as it has nines, and at least so many: `100%`, `99.98%`, `97.2%`. Cut,
/// never rounded: what is not all is not 100, and what missed a target does not look as if it had reached it.
pub(crate) fn share(part: u64, whole: u64, least_digits: usize) -> String {
    let missing = whole.saturating_sub(part);
    if missing == 0 {
        return "100%".to_owned();
    }
    let nines =
        (1..=5).rev().find(|n| u128::from(missing) * 10_u128.pow(*n) <= u128::from(whole)).unwrap_or(1);
    let digits = nines.max(u32::try_from(least_digits).unwrap_or(0).min(9));
    let scale = 10_u128.pow(digits);
    let scaled = u128::from(part) * 100 * scale / u128::from(whole);
    format!("{}.{:0digits$}%", scaled / scale, scaled % scale, digits = digits as usize)
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

    #[test]
    fn a_share_is_cut_and_not_rounded() {
        for (part, whole, least, shown) in [
            (10, 10, 1, "100%"),
            (0, 0, 1, "100%"),
            (9, 10, 1, "90.0%"),
            (972, 1_000, 1, "97.2%"),
            (1_281, 1_284, 2, "99.76%"),
            (9_998, 10_000, 1, "99.980%"),
            (99_999, 100_000, 1, "99.99900%"),
            (99_999_999, 100_000_000, 1, "99.99999%"),
            (u64::MAX - 1, u64::MAX, 1, "99.99999%"),
            (8_556, 10_000, 2, "85.56%"),
            (0, 4, 1, "0.0%"),
        ] {
            assert_eq!(share(part, whole, least), shown);
        }
    }
}
