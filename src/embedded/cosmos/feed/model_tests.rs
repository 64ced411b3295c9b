//! Random writes, splits, merges and reads against a model of what each reader must have seen.
//! `PROPTEST_CASES=10000` runs as many; a failing sequence is printed whole and shrunk.

use std::collections::{BTreeMap, HashMap, HashSet};

use azure_data_cosmos_driver::models::PartitionKeyDefinition;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::container::Container;
use super::super::keys::{self, Epk};
use super::super::request::Ask;
use super::answer::answer;
use super::log::Operation;
use super::ranges::{Change, Ranges};

#[derive(Debug, Clone)]
enum Step {
    Put(u8),
    Remove(u8, bool),
    Split(u8),
    Merge(u8),
    /// A new reader: from the beginning or from now, of all versions or of the latest.
    Open(bool, bool),
    Read(u8, u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..16_u8).prop_map(Step::Put),
        2 => (0..16_u8, any::<bool>()).prop_map(|(id, expired)| Step::Remove(id, expired)),
        1 => any::<u8>().prop_map(Step::Split),
        1 => any::<u8>().prop_map(Step::Merge),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(begin, all)| Step::Open(begin, all)),
        5 => (any::<u8>(), any::<u8>(), 1..5_u8).prop_map(|(who, part, page)| Step::Read(who, part, page)),
    ]
}

/// A client that reads range by range and follows splits and merges, as the SDKs do.
struct Reader {
    all_versions: bool,
    /// Bounds, id of the range, etag.
    parts: Vec<(Epk, Epk, u32, Option<String>)>,
    /// What it must see: commits after its start.
    since: usize,
    seen: Vec<(u8, Option<u64>)>,
}

struct World {
    container: Container,
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
        let container = Container::new("d", "c", "r", "s", definition, ranges);
        Self { container, live: BTreeMap::new(), commits: Vec::new(), readers: Vec::new() }
    }

    fn key(&self, id: u8) -> (Epk, Box<str>) {
        let id = format!("p-{id}");
        (keys::of_document(&json!({ "id": id }), &self.container.key).unwrap(), id.into())
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Put(id) => {
                let version = self.commits.len() as u64;
                let text = json!({ "id": format!("p-{id}"), "v": version }).to_string();
                let key = self.key(id);
                let epk = key.0.clone();
                let put = Change::Put {
                    key,
                    text: Bytes::from(text),
                    etag: format!("\"{version}\"").into(),
                    ts: 1,
                    ttl: None,
                    ordinal: version,
                };
                self.container.ranges_mut().commit(&epk, [put]);
                self.live.insert(id, version);
                self.commits.push((id, Some(version)));
            }
            Step::Remove(id, expired) if self.live.remove(&id).is_some() => {
                let key = self.key(id);
                let epk = key.0.clone();
                let operation = if expired { Operation::Expire } else { Operation::Delete };
                self.container.ranges_mut().commit(&epk, [Change::Remove { key, ts: 1, operation }]);
                self.commits.push((id, None));
            }
            Step::Remove(..) => {}
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
