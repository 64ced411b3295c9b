//! Whole documents in a query's answer, put back as they were written: the inner store answers with
//! sorted keys and rewritten numbers.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::container::Container;
use super::document::{Fields, equal};
use super::feed::ranges::Ranges;
use super::keys;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(rename = "_rid")]
    rid: String,
    #[serde(rename = "Documents", borrow)]
    documents: Vec<&'a RawValue>,
}

/// The page with each whole document in its own text; `None` = there was none.
pub(super) fn restored(body: &[u8], container: &Container) -> Option<Bytes> {
    // Only a whole document has this property, or somebody who asked for it by name.
    if !contains(body, b"\"_attachments\"") {
        return None;
    }
    let page: Page<'_> = serde_json::from_slice(body).ok()?;
    let ranges = container.ranges();
    let mut out = Vec::with_capacity(body.len() + 256);
    out.extend_from_slice(b"{\"_rid\":");
    out.extend_from_slice(Value::from(page.rid).to_string().as_bytes());
    out.extend_from_slice(b",\"Documents\":[");
    for (i, item) in page.documents.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_item(item.get(), container, &ranges, &mut out);
    }
    out.extend_from_slice(format!("],\"_count\":{}}}", page.documents.len()).as_bytes());
    Some(out.into())
}

/// An item is a document, or (in queries with ORDER BY, rewritten by clients) holds one as `payload`.
fn write_item(item: &str, container: &Container, ranges: &Ranges, out: &mut Vec<u8>) {
    if let Some(text) = original(item, container, ranges) {
        out.extend_from_slice(&text);
        return;
    }
    let payload = Fields::parse(item.as_bytes())
        .filter(|fields| fields.raw("orderByItems").is_some())
        .and_then(|fields| fields.raw("payload"));
    if let Some(payload) = payload
        && let Some(text) = original(payload, container, ranges)
        && let Some(at) = item.find(payload)
    {
        out.extend_from_slice(&item.as_bytes()[..at]);
        out.extend_from_slice(&text);
        out.extend_from_slice(&item.as_bytes()[at + payload.len()..]);
        return;
    }
    out.extend_from_slice(item.as_bytes());
}

/// The stored text, if the item is that document and nothing less.
fn original(item: &str, container: &Container, ranges: &Ranges) -> Option<Bytes> {
    let value: Value = serde_json::from_str(item).ok()?;
    let id = value.get("id")?.as_str()?;
    value.get("_attachments")?;
    let epk = keys::of_document(&value, &container.key).ok()?;
    let document = ranges.get(&(epk, id.into()))?;
    equal(&document.value(), &value).then(|| document.text.clone())
}

fn contains(body: &[u8], needle: &[u8]) -> bool {
    body.windows(needle.len()).any(|window| window == needle)
}
