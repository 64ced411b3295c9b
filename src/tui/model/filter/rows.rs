//! What rows answer to a filter.

use super::{Asked, Fact, Filtered, Verdict, parse::level_word};
use crate::engine::{ChangeRow, EntryRow, EntryState, LeaseRow, LogLine, Scalar, any_field, is_named};

/// Whether a text passes.
fn text(text: Option<&str>, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict {
    Verdict::of(text.is_some_and(|text| test(Fact::Text(text))))
}

/// Whether a number passes.
fn number(number: Option<f64>, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict {
    Verdict::of(number.is_some_and(|number| test(Fact::Number(number))))
}

impl Filtered for ChangeRow {
    fn any_name(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.id) || self.keys.iter().any(|key| test(key))
    }

    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.fields.iter().any(|field| test(&field.value))
    }

    fn field(&self, asked: &Asked<'_>, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict {
        match asked.name {
            "id" => text(Some(&self.id), test),
            "key" => Verdict::of(self.keys.iter().any(|key| test(Fact::Text(key)))),
            "lsn" => number(self.lsn.map(|lsn| lsn as f64), test),
            "partition" => text(self.partition_key.as_deref(), test),
            "range" => text(Some(&format!("{}-{}", self.range.min, self.range.max)), test),
            "time" => text(Some(&asked.clock(self.seen_at)), test),
            "etag" => text(Some(&self.etag), test),
            name => in_document(self, name, test),
        }
    }

    fn document(&self) -> Option<&str> {
        self.json.as_deref()
    }
}

/// Whether a field of a change's document passes; where that is not kept, one of those that the row shows.
fn in_document(row: &ChangeRow, name: &str, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict {
    if let Some(json) = &row.json {
        return Verdict::of(any_field(json, name, |scalar| match scalar {
            Scalar::Text(text) => test(Fact::Text(text)),
            Scalar::Number(number) => test(Fact::Number(number)),
            Scalar::Bool(true) => test(Fact::Text("true")),
            Scalar::Bool(false) => test(Fact::Text("false")),
            Scalar::Null => test(Fact::Text("null")),
        }));
    }
    let mut shown = row.fields.iter().filter(|field| is_named(&field.name, name)).peekable();
    if shown.peek().is_none() {
        return Verdict::Unknown;
    }
    Verdict::of(shown.any(|field| match field.value.parse() {
        Ok(number) => test(Fact::Number(number)),
        Err(_) => test(Fact::Text(&field.value)),
    }))
}

impl Filtered for EntryRow {
    fn any_name(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.key) || self.document_id.as_deref().is_some_and(test)
    }

    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(state_word(self.state)) || test(&self.kind)
    }

    fn field(&self, asked: &Asked<'_>, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict {
        match asked.name {
            "key" => text(Some(&self.key), test),
            "id" => text(self.document_id.as_deref(), test),
            "state" => text(Some(state_word(self.state)), test),
            "type" => text(Some(&self.kind), test),
            "size" => number(self.size.map(|size| size as f64), test),
            "ttl" => number(Some(self.expires_at.map_or(f64::INFINITY, |at| -asked.age(at))), test),
            "age" => number(Some(asked.age(self.changed_at)), test),
            _ => Verdict::Fails,
        }
    }
}

impl Filtered for LeaseRow {
    fn any_name(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.token) || test(&self.id) || self.owner.as_deref().is_some_and(test)
    }

    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.mine && test("me")
    }

    fn field(&self, asked: &Asked<'_>, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict {
        match asked.name {
            "owner" => Verdict::of(
                self.owner.as_deref().is_some_and(|owner| test(Fact::Text(owner)))
                    || (self.mine && test(Fact::Text("me"))),
            ),
            "token" | "range" => text(Some(&self.token), test),
            "id" => text(Some(&self.id), test),
            "at" => text(self.continuation.as_deref(), test),
            "lag" => number(self.lag.map(|lag| lag as f64), test),
            "age" => number(self.heartbeat.map(|at| asked.age(at)), test),
            _ => Verdict::Fails,
        }
    }
}

impl Filtered for LogLine {
    fn any_name(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(self.room)
    }

    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.text) || test(level_word(self.level))
    }

    fn field(&self, asked: &Asked<'_>, test: &mut dyn FnMut(Fact<'_>) -> bool) -> Verdict {
        match asked.name {
            "level" => number(Some(f64::from(self.level as u8)), test),
            "room" => text(Some(self.room), test),
            "text" => text(Some(&self.text), test),
            "time" => text(Some(&asked.clock(self.at)), test),
            _ => Verdict::Fails,
        }
    }
}

/// The state of an entry in one word.
pub(crate) fn state_word(state: EntryState) -> &'static str {
    match state {
        EntryState::Unknown => "not compared",
        known => known.name(),
    }
}
