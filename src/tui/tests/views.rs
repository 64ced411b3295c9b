//! What the engine tells the views beside the panes.

use std::time::Duration;

use super::fixture::{before, keys, start, tell};
use crate::{
    cosmos::EpkRange,
    engine::{
        Bookmark, BookmarkAnswer, BookmarkAsk, BookmarkList, BookmarkQuestion, BookmarkRow, BookmarkTold,
        Bookmarked, CacheStatus, Command, Comparison, DeadLetterList, DeadLetterRow, DriftStatus,
        DriftWindow, Event, FollowMode, KeptPositions, MappingPreview, PreviewEntry, PreviewFault,
        RestoreOutcome, RestorePlan,
    },
    lease::{Lease, LeasePrefix},
    tui::{Model, model::Overlay, update::Effect},
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

const RAW: &str = "acct_shop_prices";

/// A lease of the fixture's prefix at a position.
fn lease(min: &str, max: &str, at: Option<&str>, owner: Option<(&str, i64)>) -> Lease {
    let mut lease = Lease::new_epk(&LeasePrefix::from_raw(RAW), &EpkRange::new(min, max), at);
    if let Some((owner, age)) = owner {
        lease.set_owner(Some(owner));
        lease.set_heartbeat(before(age));
    }
    lease
}

/// A bookmark of five minutes ago, and the leases of now: one of them was split, one is gone, one new.
fn marked() -> (Bookmark, Vec<Lease>) {
    let then = [
        lease("", "0F", Some("\"20000\""), None),
        lease("0F", "1F", Some("\"20118\""), None),
        lease("1F", "2F", Some("\"19000\""), None),
        lease("2F", "37", Some("\"21000\""), None),
        lease("37", "3B", None, None),
        lease("3B", "3D", Some("\"100\""), None),
    ];
    let prefix = LeasePrefix::from_raw(RAW);
    let bookmark =
        Bookmark::new("before-sale", before(300_000), "shop/prices at 127.0.0.1:8081".into(), &prefix, &then);
    let now = vec![
        lease("", "0F", Some("\"21284\""), Some(("host-b", 9_000))),
        lease("0F", "1F", Some("\"20118\""), Some(("syncscope-1", 2_000))),
        lease("1F", "27", Some("\"19014\""), Some(("host-a", 70_000))),
        lease("27", "2F", Some("\"19002\""), None),
        lease("2F", "37", Some("\"20990\""), None),
        lease("37", "3B", Some("\"7\""), None),
        lease("3D", "FF", Some("\"9\""), None),
    ];
    (bookmark.unwrap(), now)
}

/// The number of the newest question about bookmarks, and what it asks.
pub(super) fn asked(effects: &[Effect]) -> BookmarkQuestion {
    let mut questions = effects.iter().rev().filter_map(|effect| match effect {
        Effect::Send(Command::Bookmarks(question)) => Some(question.clone()),
        _ => None,
    });
    questions.next().unwrap_or_else(|| panic!("nothing asked in {effects:?}"))
}

/// The answer that an engine with three bookmarks gives.
pub(super) fn bookmark_answer(question: &BookmarkQuestion) -> Event {
    let (bookmark, now) = marked();
    let prefix = LeasePrefix::from_raw(RAW);
    let expiration = Duration::from_secs(60);
    let told = match &question.ask {
        BookmarkAsk::List | BookmarkAsk::Delete(_) => {
            let kept = |name: &str, age| BookmarkRow {
                name: name.to_owned(),
                kept: Ok(KeptPositions { saved_at: before(age), source: "shop/prices".into(), leases: 6 }),
            };
            let why = "it is no bookmark: EOF while parsing a value at line 1 column 0".to_owned();
            let mut rows = vec![
                kept("before-sale", 300_000),
                kept("screen-20261120-091244", 277_000_000),
                BookmarkRow { name: "cut-short".to_owned(), kept: Err(why) },
            ];
            let deleted = match &question.ask {
                BookmarkAsk::Delete(name) => {
                    rows.retain(|row| row.name != *name);
                    Some((name.clone(), Ok(())))
                }
                _ => None,
            };
            let directory = "/home/me/.local/state/syncscope/bookmarks/prices-1b2c3d4e".to_owned();
            BookmarkTold::List(BookmarkList { directory, rows, deleted, problem: None })
        }
        BookmarkAsk::Compare(name) if name == "before-sale" => {
            let found = Comparison::at(&bookmark, &prefix, &now, start(), expiration);
            BookmarkTold::Compared(found.map_err(|error| error.to_string()))
        }
        BookmarkAsk::Compare(_) => BookmarkTold::Compared(Err("Cosmos is not connected".to_owned())),
        BookmarkAsk::PlanRestore(order) => {
            let mut found = RestorePlan {
                order: order.clone(),
                saved_at: bookmark.saved_at,
                container: "shop/leases".to_owned(),
                others_elsewhere: (3, 1),
                ..RestorePlan::default()
            };
            // The leases of the panes have other ids than those of the bookmark: any of them is its first.
            found.order.only.iter_mut().for_each(|lease| *lease = "-0F".to_owned());
            let mut plan = found.with(&bookmark, &prefix, &now, start(), expiration);
            plan.order.only.clone_from(&order.only);
            for lease in &mut plan.leases {
                lease.since = lease.owner.as_ref().map(|_| before(130_000));
            }
            BookmarkTold::Plan(plan)
        }
        BookmarkAsk::Restore(order) => BookmarkTold::Restored(RestoreOutcome {
            name: order.name.clone(),
            restored: vec![format!("{RAW}..-0F"), format!("{RAW}..1F-27")],
            refused: vec![(format!("{RAW}..27-2F"), "quicker owns it now; look again".to_owned())],
        }),
    };
    Event::Bookmarks(Box::new(BookmarkAnswer { request: question.request, told }))
}

/// Answers what was asked about bookmarks, and what is asked then.
pub(super) fn answer_bookmarks(model: &mut Model, effects: &[Effect]) {
    let next = tell(model, [bookmark_answer(&asked(effects))]);
    if !next.is_empty() {
        answer_bookmarks(model, &next);
    }
}

/// The list of bookmarks, opened as a person does, with the newest one compared.
pub(super) fn bookmarks(model: &mut Model) {
    tell(model, super::fixture::running());
    let effects = keys(model, "Lb");
    answer_bookmarks(model, &effects);
}

/// The plan of going back to the newest one.
pub(super) fn going_back(model: &mut Model) {
    tell(model, super::fixture::running());
    let effects = keys(model, "2jLb");
    answer_bookmarks(model, &effects);
    let effects = keys(model, "\n");
    answer_bookmarks(model, &effects);
}

/// What became of the bookmark that was asked to be saved.
pub(super) fn saved(effects: &[Effect], outcome: Result<usize, String>) -> Event {
    let name = effects.iter().find_map(|effect| match effect {
        Effect::Send(Command::SaveBookmark { name }) => Some(name.clone()),
        _ => None,
    });
    Event::Bookmarked(Bookmarked { name: name.unwrap(), outcome })
}
