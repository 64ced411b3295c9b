//! The list of physical ranges, read incrementally: clients repeat until 304.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::container::Container;
use super::errors::wrong_container;
use super::request::Ask;

/// Answers `GET …/pkranges`.
pub(super) fn answer(ask: &Ask, container: &Container) -> Answer {
    if let Some(refusal) = wrong_container(ask, container) {
        return refusal;
    }
    let ranges = container.ranges();
    let etag = format!("\"{}\"", ranges.generation);
    let mut answer = if ask.header("if-none-match") == Some(etag.as_str()) {
        Answer::new(StatusCode::NOT_MODIFIED)
    } else {
        let share = 1.0 / ranges.live().len() as f64;
        let list: Vec<Value> = ranges
            .live()
            .iter()
            .map(|range| {
                let parents: Vec<String> = range.parents.iter().map(u32::to_string).collect();
                json!({
                    "_rid": format!("{}-{}", container.rid, range.id),
                    "id": range.id.to_string(),
                    "_etag": etag,
                    "minInclusive": range.min.to_hex(),
                    "maxExclusive": range.max.to_hex(),
                    "ridPrefix": range.id,
                    "_self": format!("{}pkranges/{}/", container.link, range.id),
                    "throughputFraction": share,
                    "status": "online",
                    "parents": parents,
                    "_ts": 0,
                    "_lsn": range.lsn,
                })
            })
            .collect();
        let body = json!({ "_rid": container.rid, "_count": list.len(), "PartitionKeyRanges": list });
        let mut answer = Answer::json(StatusCode::OK, body.to_string());
        answer.set("x-ms-item-count", list.len().to_string());
        answer
    };
    answer.set("etag", etag);
    answer.common(ask, 1.0);
    answer
}
