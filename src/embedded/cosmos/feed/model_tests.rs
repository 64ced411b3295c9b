//! Random writes, splits, merges, reloads and reads against a model: of what each write is answered, and of what
//! each reader must have seen, from whatever continuation it reads.
//! `PROPTEST_CASES=10000` runs as many; a failing sequence is printed whole and shrunk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use azure_data_cosmos_driver::models::PartitionKeyDefinition;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::container::Container;
use super::super::keys::{self, Epk};
use super::super::points;
use super::super::request::Ask;
use super::answer::answer;
use super::log::Operation;
use super::ranges::{Change, Ranges};

#[derive(Debug, Clone)]
enum Step {
    Write(u8, Wish),
    Expire(u8),
    Split(u8),
    Merge(u8),
    /// A new reader: from the beginning or from now, of all versions or of the latest.
    Open(bool, bool),
    Read(u8, u8, u8),
    /// A second reader from the continuations of another, which may be old when it reads.
    Fork(u8),
    /// The state is saved, and loaded again.
    Reload,
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Create,
    Upsert,
    Replace,
    Delete,
    /// Replace, but only an old version.
    ReplaceStale,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..16_u8, wish()).prop_map(|(id, wish)| Step::Write(id, wish)),
        1 => (0..16_u8).prop_map(Step::Expire),
        1 => any::<u8>().prop_map(Step::Fork),
        1 => Just(Step::Reload),
        1 => any::<u8>().prop_map(Step::Split),
        1 => any::<u8>().prop_map(Step::Merge),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(begin, all)| Step::Open(begin, all)),
        5 => (any::<u8>(), any::<u8>(), 1..5_u8).prop_map(|(who, part, page)| Step::Read(who, part, page)),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        1 => Just(Wish::Create),
        4 => Just(Wish::Upsert),
        1 => Just(Wish::Replace),
        2 => Just(Wish::Delete),
        1 => Just(Wish::ReplaceStale),
    ]
}

/// A client that reads range by range and follows splits and merges, as the SDKs do.
#[derive(Clone)]
struct Reader {
    all_versions: bool,
    /// Bounds, id of the range, etag.
    parts: Vec<(Epk, Epk, u32, Option<String>)>,
    /// What it must see: commits after its start.
    since: usize,
    seen: Vec<(u8, Option<u64>)>,
}

struct World {
    container: Arc<Container>,
    live: BTreeMap<u8, u64>,
    /// Every commit: document, and its version or `None` for its end.
    commits: Vec<(u8, Option<u64>)>,
    readers: Vec<Reader>,
}

impl World {
    fn new() -> Self {
        let definition = PartitionKeyDefinition::new(vec!["/id".into()]);
        let bounds = ["10", "20", "30"].map(|bound| Epk::try_from(bound).unwrap());
        let ranges = Ranges::new(&bounds, None);
        let container = Container::new("d", "c", "AAAAAYAAAAI=", "dbs/d/colls/c/", definition, ranges);
        Self {
            container: Arc::new(container),
            live: BTreeMap::new(),
            commits: Vec::new(),
            readers: Vec::new(),
        }
    }

    fn key(&self, id: u8) -> (Epk, Box<str>) {
        let id = format!("p-{id}");
        (keys::of_document(&json!({ "id": id }), &self.container.key).unwrap(), id.into())
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Write(id, wish) => self.write(id, wish),
            Step::Expire(id) => {
                if self.live.remove(&id).is_some() {
                    let key = self.key(id);
                    let epk = key.0.clone();
                    let change = Change::Remove { key, ts: 1, operation: Operation::Expire };
                    self.container.ranges_mut().commit(&epk, [change]);
                    self.commits.push((id, None));
                }
            }
            Step::Fork(who) => {
                if !self.readers.is_empty() && self.readers.len() < 8 {
                    let copy = self.readers[usize::from(who) % self.readers.len()].clone();
                    self.readers.push(copy);
                }
            }
            Step::Reload => {
                let content = self.container.ranges().content();
                let mut again = Ranges::restored(&content.layout, None).unwrap();
                for document in &content.latest {
                    again.put_back(document).unwrap();
                }
                for version in content.history {
                    let image = version.current.as_ref().or(version.previous.as_ref()).unwrap();
                    let key = image.key.clone();
                    again.replay(&key, version).unwrap();
                }
                *self.container.ranges_mut() = again;
            }
            Step::Split(which) => {
                let mut ranges = self.container.ranges_mut();
                let id = ranges.live()[usize::from(which) % ranges.live().len()].id;
                let _too_narrow = ranges.split(id);
            }
            Step::Merge(which) => {
                let mut ranges = self.container.ranges_mut();
                if ranges.live().len() > 1 {
                    let at = usize::from(which) % (ranges.live().len() - 1);
                    let pair = [ranges.live()[at].id, ranges.live()[at + 1].id];
                    ranges.merge(pair).unwrap();
                }
            }
            Step::Open(beginning, all_versions) => self.open(beginning && !all_versions, all_versions),
            Step::Read(who, part, page) => {
                if !self.readers.is_empty() {
                    let who = usize::from(who) % self.readers.len();
                    let part = usize::from(part) % self.readers[who].parts.len();
                    self.read(who, part, page);
                }
            }
        }
    }

    /// A write as clients send it, with the answer that it must have.
    fn write(&mut self, id: u8, wish: Wish) {
        let version = self.commits.len() as u64;
        let name = format!("p-{id}");
        let mut segments: Vec<String> = ["dbs", "d", "colls", "c", "docs"].map(str::to_owned).into();
        let mut headers = HeaderMap::new();
        let key = HeaderValue::from_str(&json!([name]).to_string()).unwrap();
        headers.insert("x-ms-documentdb-partitionkey", key);
        let there = self.live.contains_key(&id);
        let (method, status) = match (wish, there) {
            (Wish::Create, false) => (Method::POST, 201),
            (Wish::Create, true) => (Method::POST, 409),
            (Wish::Upsert, there) => {
                headers.insert("x-ms-documentdb-is-upsert", HeaderValue::from_static("True"));
                (Method::POST, if there { 200 } else { 201 })
            }
            (Wish::Replace, true) => (Method::PUT, 200),
            (Wish::Delete, true) => (Method::DELETE, 204),
            (Wish::Delete, false) => (Method::DELETE, 404),
            (Wish::Replace | Wish::ReplaceStale, false) => (Method::PUT, 404),
            (Wish::ReplaceStale, true) => (Method::PUT, 412),
        };
        if matches!(wish, Wish::ReplaceStale) {
            headers.insert("if-match", HeaderValue::from_static("\"old\""));
        }
        if method != Method::POST {
            segments.push(name.clone());
        }
        let deletes = method == Method::DELETE;
        let body = Bytes::from(json!({ "id": name, "v": version }).to_string());
        let answer = points::write(&Ask { method, segments, headers, body }, &self.container);
        assert_eq!(answer.status.as_u16(), status, "{wish:?} of {name}, there: {there}");
        if answer.status.is_success() {
            let now = (!deletes).then_some(version);
            match now {
                Some(version) => self.live.insert(id, version),
                None => self.live.remove(&id),
            };
            self.commits.push((id, now));
        }
    }

    fn open(&mut self, beginning: bool, all_versions: bool) {
        let since = if beginning { 0 } else { self.commits.len() };
        let start = (!beginning).then(|| "*".to_owned());
        let parts = self
            .container
            .ranges()
            .live()
            .iter()
            .map(|range| (range.min.clone(), range.max.clone(), range.id, start.clone()))
            .collect();
        self.readers.push(Reader { all_versions, parts, since, seen: Vec::new() });
        let who = self.readers.len() - 1;
        // "Now" is when a range is first asked.
        for part in 0..self.readers[who].parts.len() {
            if !beginning {
                self.read(who, part, 1);
            }
        }
    }

    /// Reads a page; true if there was something.
    fn read(&mut self, who: usize, part: usize, page: u8) -> bool {
        let reader = &mut self.readers[who];
        let (min, max, range, etag) = reader.parts[part].clone();
        let mut headers = HeaderMap::new();
        let mut set = |name, value: &str| headers.insert(name, HeaderValue::from_str(value).unwrap());
        set("a-im", if reader.all_versions { "Full-Fidelity Feed" } else { "Incremental feed" });
        set("x-ms-documentdb-partitionkeyrangeid", &range.to_string());
        set("x-ms-start-epk", &min.to_hex());
        set("x-ms-end-epk", &max.to_hex());
        set("x-ms-max-item-count", &page.to_string());
        if let Some(etag) = &etag {
            set("if-none-match", etag);
        }
        let ask = Ask { method: Method::GET, segments: Vec::new(), headers, body: Bytes::new() };
        let answer = answer(&ask, &self.container);
        if answer.status == StatusCode::GONE {
            let heirs = self
                .container
                .ranges()
                .live()
                .iter()
                .filter(|r| r.min < max && min < r.max)
                .map(|r| (r.min.clone().max(min.clone()), r.max.clone().min(max.clone()), r.id, etag.clone()))
                .collect::<Vec<_>>();
            reader.parts.splice(part..=part, heirs);
            return true;
        }
        reader.parts[part].3 = answer.header("etag").map(str::to_owned);
        if answer.status == StatusCode::NOT_MODIFIED {
            return false;
        }
        assert_eq!(answer.status, StatusCode::OK);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        for item in body["Documents"].as_array().unwrap() {
            let (id, version) = if reader.all_versions {
                let gone = item["metadata"]["operationType"] == "delete";
                let image = if gone { &item["previous"] } else { &item["current"] };
                (image["id"].clone(), (!gone).then(|| item["current"]["v"].as_u64().unwrap()))
            } else {
                (item["id"].clone(), Some(item["v"].as_u64().unwrap()))
            };
            let id = id.as_str().unwrap().trim_start_matches("p-").parse().unwrap();
            reader.seen.push((id, version));
        }
        true
    }

    /// Every reader reads to the end, and then has seen what it must.
    fn settle(&mut self) {
        for who in 0..self.readers.len() {
            let (mut part, mut reads) = (0, 0);
            while part < self.readers[who].parts.len() {
                reads += 1;
                assert!(reads < 10_000, "the feed does not end");
                if !self.read(who, part, 3) {
                    part += 1;
                }
            }
            let reader = &self.readers[who];
            let due = &self.commits[reader.since..];
            if reader.all_versions {
                let by_id = |commits: &[(u8, Option<u64>)]| {
                    let mut map: HashMap<u8, Vec<Option<u64>>> = HashMap::new();
                    for (id, version) in commits {
                        map.entry(*id).or_default().push(*version);
                    }
                    map
                };
                assert_eq!(by_id(&reader.seen), by_id(due), "all versions, in order");
            } else {
                let once: HashSet<_> = reader.seen.iter().collect();
                assert_eq!(once.len(), reader.seen.len(), "a version was delivered twice");
                for (id, version) in &self.live {
                    let changed = due.iter().any(|(changed, _)| changed == id);
                    let last = reader.seen.iter().rev().find(|(seen, _)| seen == id);
                    assert_eq!(last, changed.then_some(&(*id, Some(*version))), "p-{id}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn every_reader_sees_every_change_across_splits_and_merges(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new();
        world.open(true, false);
        for step in &steps {
            world.take(step);
        }
        world.settle();
    }
}
