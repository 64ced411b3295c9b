//! `[mapping]`: what a document becomes in the cache, as settings. Templates and jq expressions are
//! compiled where they are used; here they are texts.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::Deserialize;

use super::checked::{Checked, FromText, Name};

/// Longest TTL: Redis counts milliseconds, people think in days.
const LONGEST_TTL: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// Everything about the mapping but the key template, which is [`super::Settings::key`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappingSettings {
    /// What of the document becomes the value, unless `jq` says it.
    pub value: ValueShape,
    /// A jq expression whose outputs become values, one entry each; no output, no entry.
    pub jq: Option<String>,
    /// How the value is kept.
    pub encoding: ValueEncoding,
    /// `InstanceName` of .NET's `IDistributedCache`: stands before every key.
    pub cache_instance: String,
    /// Further key templates: the same value under each.
    pub more_keys: Vec<String>,
    /// How long an entry lives after it was written; `None` = for ever.
    pub ttl: Option<Duration>,
    /// Path of a field with the TTL: seconds from `_ts` on, or a time of RFC 3339.
    pub ttl_field: Option<String>,
    /// Path of a field that marks a deleted document.
    pub delete_field: Option<String>,
    /// A jq predicate that is true for a deleted document.
    pub delete_jq: Option<String>,
    /// Whether an older version is kept from replacing a newer one.
    pub guard: Guard,
}

impl MappingSettings {
    /// Whether writes are compared with what is there: as asked for; else where the encoding is a
    /// hash, which has room for the version beside the data.
    pub fn is_guarded(&self) -> bool {
        match self.guard {
            Guard::On => true,
            Guard::Off => false,
            Guard::Auto => matches!(self.encoding, ValueEncoding::Fields | ValueEncoding::DistributedCache),
        }
    }
}

/// What of a document becomes the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValueShape {
    /// All of it, byte for byte.
    #[default]
    Document,
    /// Without the fields that Cosmos adds.
    Stripped,
}

/// How a value is kept in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValueEncoding {
    /// A string (`SET`).
    #[default]
    String,
    /// .NET's `IDistributedCache`: a hash of `absexp`, `sldexp` and `data`.
    DistributedCache,
    /// A hash with a field per property.
    Fields,
    /// RedisJSON (`JSON.SET`).
    Json,
}

/// When the version is compared before a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guard {
    /// With hashes.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Words of a setting that has a few.
trait Words: Sized + Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| *word)
    }

    fn read(text: &str) -> Result<Self, String> {
        let found = Self::WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = Self::WORDS.iter().map(|(word, _)| *word).collect();
            format!("must be one of {}", words.join(", "))
        })
    }
}

impl Words for ValueShape {
    const WORDS: &'static [(&'static str, Self)] =
        &[("document", Self::Document), ("stripped", Self::Stripped)];
}

impl Words for ValueEncoding {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("string", Self::String),
        ("distributed-cache", Self::DistributedCache),
        ("fields", Self::Fields),
        ("json", Self::Json),
    ];
}

impl Words for Guard {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("on", Self::On), ("off", Self::Off)];
}

macro_rules! words {
    ($($name:ty),*) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromText for $name {
            fn from_text(text: &str) -> Result<Self, String> {
                Self::read(text)
            }
        }
    )*};
}

words!(ValueShape, ValueEncoding, Guard);

/// A TTL: a time with its unit, or `none`.
#[derive(Debug, PartialEq)]
pub(super) struct Ttl(Option<Duration>);

impl FromText for Ttl {
    fn from_text(text: &str) -> Result<Self, String> {
        let told = || "must be none, or a time with its unit, e.g. 90s, 15m or 7d".to_owned();
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        let span: Span = text.trim().parse().map_err(|_| told())?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| told())?;
        let length = Duration::try_from(length).map_err(|_| told())?;
        if length < Duration::from_millis(1) || length > LONGEST_TTL {
            return Err("must be at least 1ms and at most 100 years".to_owned());
        }
        Ok(Self(Some(length)))
    }
}

/// `[mapping]` of a file, or of all layers merged.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct MappingLayer {
    value: Option<Checked<ValueShape>>,
    jq: Option<Checked<Name>>,
    encoding: Option<Checked<ValueEncoding>>,
    cache_instance: Option<Checked<String>>,
    more_keys: Option<Vec<Checked<Name>>>,
    ttl: Option<Checked<Ttl>>,
    ttl_field: Option<Checked<Name>>,
    delete_field: Option<Checked<Name>>,
    delete_jq: Option<Checked<Name>>,
    guard: Option<Checked<Guard>>,
}

impl MappingLayer {
    pub(super) fn apply(self, settings: &mut MappingSettings) {
        use super::layer::set;
        let text = |name: Checked<Name>| name.0.0;
        set(&mut settings.value, self.value.map(|value| value.0));
        set(&mut settings.jq, self.jq.map(|name| Some(text(name))));
        set(&mut settings.encoding, self.encoding.map(|encoding| encoding.0));
        set(&mut settings.cache_instance, self.cache_instance.map(|name| name.0));
        set(&mut settings.more_keys, self.more_keys.map(|names| names.into_iter().map(text).collect()));
        set(&mut settings.ttl, self.ttl.map(|ttl| ttl.0.0));
        set(&mut settings.ttl_field, self.ttl_field.map(|name| Some(text(name))));
        set(&mut settings.delete_field, self.delete_field.map(|name| Some(text(name))));
        set(&mut settings.delete_jq, self.delete_jq.map(|name| Some(text(name))));
        set(&mut settings.guard, self.guard.map(|guard| guard.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttls_may_be_long_and_none() {
        let read = |text| Ttl::from_text(text).map(|ttl| ttl.0);
        assert_eq!(read("none"), Ok(None));
        assert_eq!(read("7d"), Ok(Some(Duration::from_secs(7 * 86_400))));
        assert_eq!(read("1m 30s"), Ok(Some(Duration::from_secs(90))));
        for text in ["", "5", "0s", "-1s", "900y", "5 parsecs"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_guard_is_on_by_itself_where_the_encoding_is_a_hash() {
        let guarded =
            |encoding, guard| MappingSettings { encoding, guard, ..Default::default() }.is_guarded();
        assert!(!guarded(ValueEncoding::String, Guard::Auto));
        assert!(guarded(ValueEncoding::Fields, Guard::Auto));
        assert!(guarded(ValueEncoding::String, Guard::On));
        assert!(!guarded(ValueEncoding::Fields, Guard::Off));
    }
}
