//! Is an entry what the mapping makes of its document? By bytes first, then by meaning: members in
//! any order, numbers by value, the fields that Cosmos adds left out. One judge for the screen's
//! rows, for verify and for repair.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Number, Value};

use crate::cache::{Encoding, Entry};
use crate::cosmos::SYSTEM_PROPERTIES;

use super::diff::Diff;
use super::mapping::MappedEntry;

/// Most fields named of an entry that differs.
const NAMED: usize = 8;

/// An expiry may differ so much from the wanted one: clocks, and the way of the write.
const TTL_SLACK: Duration = Duration::from_secs(5);

/// A value boiled down: equal bytes, or equal meaning without system fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    bytes: u64,
    meaning: Option<u64>,
}

/// A number for bytes, the same within one build of the program.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl Digest {
    /// Of a value; `meaning` only where it is JSON.
    pub fn of(value: &[u8]) -> Self {
        Self { bytes: hash(value), meaning: meaning(value) }
    }

    /// Same bytes or same meaning.
    pub fn agrees(self, other: Self) -> bool {
        self.same_bytes(other) || (self.meaning.is_some() && self.meaning == other.meaning)
    }

    /// Same bytes.
    pub fn same_bytes(self, other: Self) -> bool {
        self.bytes == other.bytes
    }
}

fn meaning(value: &[u8]) -> Option<u64> {
    let value = without_system_fields(value)?;
    let mut hasher = DefaultHasher::new();
    hash_json(&value, &mut hasher);
    Some(hasher.finish())
}

fn without_system_fields(value: &[u8]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(value).ok()?;
    if let Some(object) = value.as_object_mut() {
        for name in SYSTEM_PROPERTIES {
            object.remove(name);
        }
    }
    Some(value)
}

/// Numbers by value (`1.50` = `1.5`), members in any order.
fn hash_json(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(flag) => (1_u8, flag).hash(hasher),
        Value::Number(number) => match whole(number) {
            Some(whole) => (2_u8, whole).hash(hasher),
            None => (6_u8, number.as_f64().unwrap_or(f64::NAN).to_bits()).hash(hasher),
        },
        Value::String(text) => (3_u8, text).hash(hasher),
        Value::Array(items) => {
            (4_u8, items.len()).hash(hasher);
            for item in items {
                hash_json(item, hasher);
            }
        }
        Value::Object(members) => {
            (5_u8, members.len()).hash(hasher);
            let mut sum = 0_u64;
            for (name, member) in members {
                let mut one = DefaultHasher::new();
                name.hash(&mut one);
                hash_json(member, &mut one);
                sum = sum.wrapping_add(one.finish());
            }
            sum.hash(hasher);
        }
    }
}

/// A number without a fraction, exact: two ids beyond 2⁵³ are not the same because their nearest
/// doubles are. `5.0` and `5` are.
fn whole(number: &Number) -> Option<i128> {
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    exact.or_else(|| {
        let double = number.as_f64().filter(|double| double.fract() == 0.0 && double.abs() < 2_f64.powi(64));
        #[expect(clippy::cast_possible_truncation, reason = "whole, and smaller than 2^64")]
        double.map(|double| double as i128)
    })
}

/// How an entry is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is none.
    Missing,
    /// Its value differs in these fields (paths; the first few). Empty: not told apart by fields.
    Stale {
        /// Paths such as `price.current`.
        fields: Vec<String>,
    },
    /// It is kept in another form than the mapping writes.
    WrongEncoding {
        /// What was found, in words.
        found: String,
    },
    /// It expires otherwise than the mapping says.
    WrongTtl {
        /// Time to live that the mapping gives; `None` = for ever.
        wanted: Option<Duration>,
        /// What is left of its life; `None` = for ever.
        left: Option<Duration>,
    },
}

/// Compares what should be there with what is there; `None` = in step.
pub fn compare(wanted: &MappedEntry, held: Option<&Entry>, now: Timestamp) -> Option<Difference> {
    let (value, held) = match (&wanted.value, held) {
        (None, None) => return None,
        // A deleted document whose entry is still there.
        (None, Some(_)) => return Some(Difference::Stale { fields: Vec::new() }),
        (Some(_), None) => return Some(Difference::Missing),
        (Some(value), Some(held)) => (value, held),
    };
    if held.encoding != value.encoding {
        return Some(Difference::WrongEncoding { found: form(held) });
    }
    let expected = value.as_read();
    let redis_json = held.encoding == Encoding::Json;
    let same =
        || same_meaning(&expected, &held.value) || (redis_json && nearly_the_same(&expected, &held.value));
    if held.value != expected && (held.cut || !same()) {
        return Some(Difference::Stale { fields: fields_that_differ(&expected, held) });
    }
    wrong_ttl(value.expiry.from(now), held, now)
}

fn wrong_ttl(wanted: Option<Duration>, held: &Entry, now: Timestamp) -> Option<Difference> {
    let left = held.expires_at.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO));
    let right = match (wanted, left) {
        (None, None) => true,
        (Some(wanted), Some(left)) => left <= wanted + TTL_SLACK,
        _ => false,
    };
    (!right).then_some(Difference::WrongTtl { wanted, left })
}

/// The form of an entry in words.
fn form(held: &Entry) -> String {
    match held.encoding {
        Encoding::Text => "a string".to_owned(),
        Encoding::Fields => "a hash of fields".to_owned(),
        Encoding::DistributedCache => "a hash of IDistributedCache".to_owned(),
        Encoding::Json => "RedisJSON".to_owned(),
        Encoding::Other => format!("a {}", held.kind),
    }
}

/// Same JSON value but for system fields.
pub fn same_meaning(one: &[u8], other: &[u8]) -> bool {
    Digest::of(one).agrees(Digest::of(other))
}

/// As [`same_meaning`], but the last bit of a number with a fraction may differ: RedisJSON's reader
/// misses some doubles of 17 digits by one.
fn nearly_the_same(one: &[u8], other: &[u8]) -> bool {
    matches!((without_system_fields(one), without_system_fields(other)), (Some(one), Some(other)) if near(&one, &other))
}

/// See [`nearly_the_same`].
pub(super) fn near(one: &Value, other: &Value) -> bool {
    /// Our own reader may miss by one, too.
    const STEPS: f64 = 2.0;
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => match (whole(a), whole(b)) {
            (None, None) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() <= STEPS * f64::EPSILON * a.abs(),
                _ => false,
            },
            (a, b) => a == b,
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| near(a, b)))
        }
        _ => one == other,
    }
}

/// Same value as [`Digest`] sees it.
pub(super) fn same_value(one: &Value, other: &Value) -> bool {
    let [one, other] = [one, other].map(|value| {
        let mut hasher = DefaultHasher::new();
        hash_json(value, &mut hasher);
        hasher.finish()
    });
    one == other
}

/// Paths of the fields that differ, the first few in order; empty where one side is not JSON.
fn fields_that_differ(expected: &[u8], held: &Entry) -> Vec<String> {
    // Lines without names would be compared for nothing, and in a value that is cut all behind the cut.
    if held.cut || !is_json(expected) || !is_json(&held.value) {
        return Vec::new();
    }
    let compare = if held.encoding == Encoding::Json { Diff::of_redis_json } else { Diff::of };
    let diff = compare(Some(expected), Some(&held.value));
    let named = diff.named().iter().map(|(_, path)| path).filter(|path| !path.is_empty());
    named.take(NAMED).cloned().collect()
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::sync::{Expiry, MappedValue};

    fn wanted(value: &'static str) -> MappedEntry {
        let json = Bytes::from_static(value.as_bytes());
        let value = MappedValue { json, encoding: Encoding::Text, expiry: Expiry::Never };
        MappedEntry { key: "k".to_owned(), value: Some(value), version: None }
    }

    fn held(value: &'static str) -> Entry {
        Entry {
            kind: "string".to_owned(),
            encoding: Encoding::Text,
            value: Bytes::from_static(value.as_bytes()),
            cut: false,
            size: value.len() as u64,
            expires_at: None,
            distributed: None,
        }
    }

    #[test]
    fn equal_by_meaning() {
        let a = Digest::of(br#"{"id":"1","p":1.50,"_etag":"x"}"#);
        assert!(a.agrees(Digest::of(br#"{ "p": 1.5, "id": "1" }"#)));
        assert!(!a.agrees(Digest::of(br#"{"p":1.6,"id":"1"}"#)));
        assert!(!Digest::of(b"\x01").agrees(Digest::of(b"\x02")));
    }

    #[test]
    fn whole_numbers_are_compared_exactly() {
        assert!(same_meaning(b"[5.0, -0.0, 1e3]", b"[5, 0, 1000]"));
        assert!(
            !same_meaning(b"[9007199254740993]", b"[9007199254740992]"),
            "beyond what doubles tell apart"
        );
        assert!(!same_meaning(b"[18446744073709551615]", b"[18446744073709551614]"));
        assert!(!same_meaning(b"[0.5]", b"[0]"));
    }

    #[test]
    fn redis_json_may_miss_the_last_bit_of_a_double_and_nothing_else() {
        let now = Timestamp::UNIX_EPOCH;
        let json = |mut entry: MappedEntry| {
            entry.value.as_mut().unwrap().encoding = Encoding::Json;
            entry
        };
        let read = |value| Entry { encoding: Encoding::Json, ..held(value) };
        let document = json(wanted(r#"{"id":"1","a":[-467154461.80662805,2]}"#));
        assert_eq!(compare(&document, Some(&read(r#"{"id":"1","a":[-467154461.8066281,2]}"#)), now), None);
        for wrong in [
            r#"{"id":"1","a":[-467154461.80663,2]}"#,
            r#"{"id":"1","a":[-467154461.8066281,3]}"#,
            r#"{"id":"1","a":[-467154461.8066281]}"#,
            r#"{"id":"1","a":[-467154461.8066281,2],"b":1}"#,
        ] {
            let Some(Difference::Stale { fields }) = compare(&document, Some(&read(wrong)), now) else {
                panic!("{wrong}")
            };
            assert_eq!(fields.len(), 1, "only what verify minds: {fields:?}");
        }
        let text = wanted(r#"{"id":"1","a":-467154461.80662805}"#);
        assert!(compare(&text, Some(&held(r#"{"id":"1","a":-467154461.8066281}"#)), now).is_some());
    }

    #[test]
    fn differences_are_told_apart() {
        let now = Timestamp::UNIX_EPOCH;
        let document = wanted(r#"{"id":"1","price":{"now":2,"was":3},"_ts":7}"#);
        let same = held(r#"{"id":"1","price":{"was":3.0,"now":2},"_ts":6}"#);
        assert_eq!(compare(&document, Some(&same), now), None);
        assert_eq!(compare(&document, None, now), Some(Difference::Missing));
        let old = held(r#"{"id":"1","price":{"now":1,"was":3},"x":1}"#);
        let fields = vec!["price.now".to_owned(), "x".to_owned()];
        assert_eq!(compare(&document, Some(&old), now), Some(Difference::Stale { fields }));
        let hash = Entry { encoding: Encoding::Fields, ..same.clone() };
        assert!(matches!(compare(&document, Some(&hash), now), Some(Difference::WrongEncoding { .. })));
        let soon = Entry { expires_at: Some(now + Duration::from_secs(60)), ..same.clone() };
        assert!(matches!(compare(&document, Some(&soon), now), Some(Difference::WrongTtl { .. })));
        let cut = Entry { cut: true, ..same };
        assert!(matches!(compare(&document, Some(&cut), now), Some(Difference::Stale { .. })));
    }

    #[test]
    fn a_ttl_may_have_run_for_a_while_but_not_be_longer() {
        let now = Timestamp::UNIX_EPOCH;
        let left = |seconds| Entry { expires_at: Some(now + Duration::from_secs(seconds)), ..held("1") };
        let wanted = Some(Duration::from_secs(100));
        assert_eq!(wrong_ttl(wanted, &left(40), now), None);
        assert!(wrong_ttl(wanted, &left(200), now).is_some());
        assert!(wrong_ttl(wanted, &held("1"), now).is_some());
    }
}
