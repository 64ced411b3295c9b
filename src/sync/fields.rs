//! Picking single fields out of a raw JSON document without building a tree of it: the hot path
//! needs an id and perhaps one more field of some hundred bytes.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The raw JSON value at `path` (object member names), or `None` where there is none. What follows a
/// plain member near the beginning is not looked at.
///
/// # Errors
/// `document` is not JSON.
pub fn pick<'a, S: AsRef<str>>(
    document: &'a [u8],
    path: &[S],
) -> Result<Option<&'a RawValue>, serde_json::Error> {
    let Some((first, rest)) = path.split_first() else {
        return serde_json::from_slice(document).map(Some);
    };
    if rest.is_empty()
        && let Some(raw) = near(document, first.as_ref())
    {
        return Ok(Some(raw));
    }
    let mut de = serde_json::Deserializer::from_slice(document);
    let found = Member { name: first.as_ref() }.deserialize(&mut de)?;
    match found {
        Some(raw) if !rest.is_empty() && !raw.get().starts_with('{') => Ok(None),
        Some(raw) if !rest.is_empty() => pick(raw.get().as_bytes(), rest),
        other => Ok(other),
    }
}

/// Members before the wanted one that [`near`] passes.
const NEAR: usize = 4;

/// A plain member (text without escapes, number, boolean) that only such stand before: an id mostly is
/// one, and need not cost a walk through the whole document. `None` decides nothing.
fn near<'a>(document: &'a [u8], name: &str) -> Option<&'a RawValue> {
    let mut rest = document.trim_ascii_start().strip_prefix(b"{")?;
    for _ in 0..=NEAR {
        let (member, after) = plain(rest.trim_ascii_start())?;
        let value = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let member = member.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let (value, after) = plain(value)?;
        if member == name.as_bytes() {
            return serde_json::from_slice(value).ok();
        }
        rest = after.trim_ascii_start().strip_prefix(b",")?;
    }
    None
}

/// A text without escapes, or what is no text, object or array; and what follows.
fn plain(json: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = match json.first()? {
        b'"' => {
            let end = 1 + json[1..].iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            if json[end] == b'\\' {
                return None;
            }
            end + 1
        }
        b'{' | b'[' => return None,
        _ => json.iter().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n'))?,
    };
    Some(json.split_at(end))
}

/// The scalar at `path` as text: strings unescaped, numbers and booleans as written; `None` for
/// null, objects, arrays and what is not there.
///
/// # Errors
/// `document` is not JSON.
pub fn scalar<'a, S: AsRef<str>>(
    document: &'a [u8],
    path: &[S],
) -> Result<Option<Cow<'a, str>>, serde_json::Error> {
    Ok(pick(document, path)?.and_then(text))
}

/// A raw scalar as text; see [`scalar`].
pub fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' if !json.contains('\\') => Some(Cow::Borrowed(&json[1..json.len() - 1])),
        b'"' => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// The first `most` scalar fields of a document in its own order, system fields (`_…`) and `id`
/// left out, nested objects looked into as `a.b`. Empty for what is not an object.
pub fn first_scalars(document: &[u8], most: usize) -> Vec<(String, &RawValue)> {
    let mut found = Vec::with_capacity(most);
    collect(document, "", most, &mut found);
    found
}

fn collect<'a>(object: &'a [u8], prefix: &str, most: usize, found: &mut Vec<(String, &'a RawValue)>) {
    let mut de = serde_json::Deserializer::from_slice(object);
    // An object that is left in the middle has no end: that is no fault here.
    drop(de.deserialize_map(FirstScalars { prefix, most, found }));
}

/// Walks through an object until there are enough.
struct FirstScalars<'f, 'a> {
    prefix: &'f str,
    most: usize,
    found: &'f mut Vec<(String, &'a RawValue)>,
}

impl<'de> Visitor<'de> for FirstScalars<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { prefix, most, found } = self;
        while found.len() < most
            && let Some((name, raw)) = map.next_entry::<String, &RawValue>()?
        {
            if prefix.is_empty() && (name.starts_with('_') || name == "id") {
                continue;
            }
            let path = format!("{prefix}{name}");
            if text(raw).is_some() {
                found.push((path, raw));
            } else if raw.get().starts_with('{') {
                collect(raw.get().as_bytes(), &format!("{path}."), most, found);
            }
        }
        Ok(())
    }
}

/// The members of an object in the order in which they were written, values unparsed.
///
/// # Errors
/// `object` is not a JSON object.
pub fn members(object: &[u8]) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    serde_json::from_slice(object).map(|Members(members)| members)
}

/// The members of an object in the order in which they were written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder).map(Members)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(map.size_hint().unwrap_or(8));
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// Finds one member of an object and skips the rest unparsed.
struct Member<'n> {
    name: &'n str,
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(NameIs(self.name))? {
            if is_it {
                found = Some(map.next_value::<&RawValue>()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a member name without allocating it.
struct NameIs<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for NameIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// A value that is no object and no array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// Whether any scalar passes `test` whose path is `name`, or ends with it at a dot: `current` finds
/// `price.current`. Elements of arrays have the array's path; case does not count. False for what is
/// not JSON.
pub fn any_named(document: &[u8], name: &str, mut test: impl FnMut(Scalar<'_>) -> bool) -> bool {
    let mut walk = Walk { path: String::new(), name, test: &mut test, found: false };
    let mut de = serde_json::Deserializer::from_slice(document);
    // What was found before a fault was found.
    drop(Step(&mut walk).deserialize(&mut de));
    walk.found
}

/// Whether a path is `name`, or ends with it at a dot. Case does not count.
pub fn is_named(path: &str, name: &str) -> bool {
    let head = path.len().checked_sub(name.len());
    match head {
        Some(0) => path.eq_ignore_ascii_case(name),
        Some(head) if path.is_char_boundary(head) => {
            path[..head].ends_with('.') && path[head..].eq_ignore_ascii_case(name)
        }
        _ => false,
    }
}

/// A walk through a document.
struct Walk<'w, F> {
    path: String,
    name: &'w str,
    test: &'w mut F,
    found: bool,
}

impl<F: FnMut(Scalar<'_>) -> bool> Walk<'_, F> {
    fn at(&mut self, scalar: Scalar<'_>) {
        if !self.found && is_named(&self.path, self.name) {
            self.found = (self.test)(scalar);
        }
    }
}

/// One value on the way.
struct Step<'s, 'w, F>(&'s mut Walk<'w, F>);

impl<'de, F: FnMut(Scalar<'_>) -> bool> DeserializeSeed<'de> for Step<'_, '_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.0.found {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Scalar<'_>) -> bool> Visitor<'de> for Step<'_, '_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(walk) = self;
        let end = walk.path.len();
        while map.next_key_seed(Path(&mut walk.path))?.is_some() {
            map.next_value_seed(Step(walk))?;
            walk.path.truncate(end);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self(walk) = self;
        while seq.next_element_seed(Step(walk))?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.at(Scalar::Text(text));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.at(Scalar::Number(number as f64));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.at(Scalar::Number(number as f64));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.at(Scalar::Number(number));
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.at(Scalar::Bool(value));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.at(Scalar::Null);
        Ok(())
    }
}

/// Puts a member name behind a path.
struct Path<'p>(&'p mut String);

impl<'de> DeserializeSeed<'de> for Path<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Path<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<(), E> {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_the_end_of_their_path() {
        let document =
            br#"{"id":"p","price":{"current":12.5,"sale":true},"offers":[{"Sku":"a"},{"Sku":"b"}],"tags":["x",null]}"#;
        let all = |name: &str| {
            let mut found = Vec::new();
            any_named(document, name, |scalar| {
                found.push(format!("{scalar:?}"));
                false
            });
            found.join(" ")
        };
        assert_eq!(all("price.current"), "Number(12.5)");
        assert_eq!(all("current"), "Number(12.5)");
        assert_eq!(all("rrent"), "");
        assert_eq!(all("sku"), r#"Text("a") Text("b")"#);
        assert_eq!(all("offers.sku"), r#"Text("a") Text("b")"#);
        assert_eq!(all("tags"), r#"Text("x") Null"#);
        assert_eq!(all("SALE"), "Bool(true)");
        assert!(any_named(document, "id", |scalar| scalar == Scalar::Text("p")));
        assert!(!any_named(b"{\"id\"", "id", |_| true));
    }

    const DOCUMENT: &[u8] =
        br#"{"id":"p-1","price":{"current":1.50,"was":null},"n\u0061me":"a\"b","tags":[1]}"#;

    #[test]
    fn scalars_keep_their_spelling() {
        let at = |path: &[&str]| scalar(DOCUMENT, path).unwrap().map(Cow::into_owned);
        assert_eq!(at(&["id"]).as_deref(), Some("p-1"));
        assert_eq!(at(&["price", "current"]).as_deref(), Some("1.50"));
        assert_eq!(at(&["name"]).as_deref(), Some("a\"b"));
        assert_eq!(at(&["price", "was"]), None);
        assert_eq!(at(&["price"]), None);
        assert_eq!(at(&["id", "deeper"]), None);
    }

    #[test]
    fn a_member_near_the_beginning_is_the_one_that_a_walk_finds() {
        let walked = |document: &'static str, name| {
            let mut de = serde_json::Deserializer::from_slice(document.as_bytes());
            Member { name }.deserialize(&mut de).unwrap().map(RawValue::get)
        };
        for document in [
            r#"{"id":"p","b":1}"#,
            r#" { "id" : "p" , "b" : -1.50e3 } "#,
            r#"{"b":true,"c":null,"id":"é"}"#,
            r#"{"id":"a\"b","b":1}"#,
            r#"{"i\u0064":"p","b":1}"#,
            r#"{"o":{"id":"inner"},"id":"p","b":1}"#,
            r#"{"b":1,"t":"\"id\":7","id":"p"}"#,
            r#"{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"id":"p","b":1}"#,
            "{}",
        ] {
            for name in ["id", "b", "c"] {
                let found = pick(document.as_bytes(), &[name]).unwrap().map(RawValue::get);
                assert_eq!(found, walked(document, name), "{name} of {document}");
            }
        }
        for broken in [r#"{"id":p"#, r#"{"id":tru}"#, r#"{"id" "p"}"#, "{\"id\":\"\u{1}\"}"] {
            assert!(pick(broken.as_bytes(), &["id"]).is_err(), "{broken}");
        }
    }

    #[test]
    fn first_scalars_skip_system_fields() {
        let found = first_scalars(br#"{"id":"x","_ts":1,"a":{"b":2},"c":"d","e":true}"#, 2);
        let found: Vec<_> = found.iter().map(|(path, raw)| (path.as_str(), raw.get())).collect();
        assert_eq!(found, [("a.b", "2"), ("c", "\"d\"")]);
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        assert!(pick(b"{\"id\":", &["id"]).is_err());
        assert!(pick(b"\x80", &["id"]).is_err());
        assert!(pick(b"[1]", &["id"]).is_err());
    }
}
