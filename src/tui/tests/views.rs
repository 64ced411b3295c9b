//! What the engine tells the views beside the panes.

use std::time::Duration;

use super::fixture::before;
use crate::{
    engine::{
        CacheStatus, DeadLetterList, DeadLetterRow, DriftStatus, DriftWindow, Event, FollowMode,
        MappingPreview, PreviewEntry, PreviewFault,
    },
    tui::{Model, model::Overlay},
};

/// A document with wide characters, an emoji and a right-to-left id.
pub(super) const WIDE_DOCUMENT: &str =
    r#"{"id":"価格-שלום-🧥","name":"雨衣 Regenmantel","price":{"current":12.00}}"#;

/// Two wrong ones in a minute, none in the ten before.
pub(super) fn drift() -> Event {
    let window = |seconds, compared, wrong| DriftWindow {
        length: Duration::from_secs(seconds),
        compared,
        wrong,
        full: true,
    };
    Event::Drift(Box::new(DriftStatus {
        watching: true,
        per_second: 100,
        windows: [window(60, 6_000, 2), window(300, 30_000, 2), window(600, 60_000, 2)],
        passes: 4,
        ..DriftStatus::default()
    }))
}

/// A server with a limit that evicts.
pub(super) fn cache_figures() -> Event {
    Event::Cache(CacheStatus {
        keys: Some(1_284),
        used_memory: Some(2_140_000),
        maxmemory: Some(104_857_600),
        maxmemory_policy: Some("allkeys-lru".into()),
        evicted_keys: 12,
        expired_keys: 40,
        hits: 98_200,
        misses: 1_800,
        ops_per_sec: 412,
        read_at: Some(before(900)),
        follow: FollowMode::Tracking,
        scanned: true,
        in_step: 1_281,
        compared: 1_284,
        ..CacheStatus::default()
    })
}

/// Two documents that were set aside, one of them no JSON.
pub(super) fn dead_letters() -> Event {
    let row = |name: &str, id: Option<&str>, reason: &str, document: &str, age| DeadLetterRow {
        name: name.to_owned(),
        set_aside_at: before(age),
        id: id.map(str::to_owned),
        reason: reason.to_owned(),
        document: document.to_owned(),
        bytes: document.len(),
    };
    Event::DeadLetters(Box::new(DeadLetterList {
        letters: vec![
            row(
                "a",
                None,
                "the document is no JSON object: expected value at line 1 column 1",
                "oops",
                90_000,
            ),
            row(
                "b",
                Some("価格-🧥"),
                "the key template needs {market}, which the document lacks",
                WIDE_DOCUMENT,
                2_000,
            ),
        ],
        directory: "/home/me/.local/state/syncscope/dead-letters".into(),
        ..DeadLetterList::default()
    }))
}

fn answer(model: &Model, outcome: Result<Vec<PreviewEntry>, PreviewFault>) -> Event {
    let Some(Overlay::Preview(preview)) = model.overlays.last() else { panic!("the preview is open") };
    Event::MappingPreview(Box::new(MappingPreview { request: preview.request(), outcome }))
}

/// Two entries, one of them deleted.
pub(super) fn previewed(model: &Model) -> Event {
    let entry = |key: &str, deletes| PreviewEntry {
        key: key.to_owned(),
        deletes,
        encoding: "string",
        expiry: "15 min after the write".to_owned(),
        ttl: Some(Duration::from_secs(900)),
        value: WIDE_DOCUMENT.to_owned(),
        guarded: true,
    };
    answer(model, Ok(vec![entry("price:価格-שלום-🧥", false), entry("old:1", true)]))
}

/// A document that is no JSON, with the place.
pub(super) fn preview_fault(model: &Model) -> Event {
    answer(
        model,
        Err(PreviewFault {
            what: "the document is no JSON object: expected `:`".to_owned(),
            line: Some(2),
            column: Some(10),
            setting: None,
        }),
    )
}
