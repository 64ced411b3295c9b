//! .NET's change feed processor played by hand, request for request as its source sends them: bootstrap with `.info`
//! and `.lock`, acquire, read, checkpoint by If-Match with the 412 that .NET provokes each time, renew, release, a
//! split and a merge. Ours then takes its leases over. (SDK 3.62: addresses by rid, signatures over the lower-cased
//! rid, `_etag: null` in bodies, answers without content.)

use reqwest::Response;
use serde_json::{Value, json};
use syncscope::lease::LeaseKind;

use super::*;
use crate::support::raw::{Raw, sign};

const JSON: (&str, &str) = ("content-type", "application/json");

/// One instance of .NET's processor.
struct DotNet {
    raw: Raw,
    owner: &'static str,
    /// Rids of the monitored database and container.
    source: (String, String),
    prefix: String,
    /// The list of ranges as last read, and its etag.
    ranges: (Vec<Value>, Option<String>),
}

async fn body(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default()
}

fn etag(response: &Response) -> String {
    response.headers()["etag"].to_str().unwrap().to_owned()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

impl DotNet {
    async fn new(pair: &Pair, owner: &'static str) -> Self {
        let raw = Raw::new(&pair.emulator);
        let source = (pair.source.database_rid().to_owned(), pair.source.rid().to_owned());
        let prefix = format!("t-127.0.0.1_{}_{}", source.0, source.1);
        let mut this = Self { raw, owner, source, prefix, ranges: (Vec::new(), None) };
        let account = body(this.send("GET", "", "", "/", &[], "").await).await;
        assert!(account["writableLocations"][0]["databaseAccountEndpoint"].is_string());
        this.refresh().await;
        this
    }

    /// As .NET signs: the type and link as given, in an authorization with small hexadecimal digits.
    async fn send(
        &self,
        method: &str,
        kind: &str,
        link: &str,
        path: &str,
        headers: &[(&str, &str)],
        sent: impl Into<reqwest::Body>,
    ) -> Response {
        let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let signature = sign(method, kind, link, &date);
        let lower = signature.replace("%3D", "%3d").replace("%2B", "%2b").replace("%2F", "%2f");
        let common = [
            ("cache-control", "no-cache"),
            ("x-ms-version", "2020-07-15"),
            ("x-ms-cosmos-sdk-supportedcapabilities", "1"),
            ("accept", "application/json"),
        ];
        let all: Vec<_> = common.into_iter().chain(headers.iter().copied()).collect();
        self.raw.send_signed(method, path, &all, sent, &date, &lower).await
    }

    /// The physical ranges, by rids, until 304.
    async fn refresh(&mut self) {
        let path = format!("/dbs/{}/colls/{}/pkranges", self.source.0, self.source.1);
        let link = self.source.1.to_lowercase();
        loop {
            let mut headers = vec![("a-im", "Incremental Feed"), ("x-ms-max-item-count", "-1")];
            let known = self.ranges.1.clone();
            headers.extend(known.as_deref().map(|etag| ("if-none-match", etag)));
            let answer = self.send("GET", "pkranges", &link, &path, &headers, "").await;
            self.ranges.1 = Some(etag(&answer));
            if answer.status() == 304 {
                return;
            }
            assert_eq!(answer.status(), 200);
            self.ranges.0.clone_from(body(answer).await["PartitionKeyRanges"].as_array().unwrap());
        }
    }

    fn lease_link(id: &str) -> (String, String) {
        (format!("dbs/shop/colls/leases/docs/{id}"), format!("/dbs/shop/colls/leases/docs/{id}"))
    }

    async fn document(&self, method: &str, id: &str, headers: &[(&str, &str)], sent: String) -> Response {
        let key = json!([id]).to_string();
        let mut headers = headers.to_vec();
        headers.extend([("x-ms-documentdb-partitionkey", key.as_str()), JSON]);
        let (link, path) = Self::lease_link(id);
        self.send(method, "docs", &link, &path, &headers, sent).await
    }

    async fn create(&self, document: &Value) -> Response {
        let key = json!([document["id"]]).to_string();
        let headers = [("x-ms-documentdb-partitionkey", key.as_str()), ("prefer", "return=minimal"), JSON];
        let (link, path) = ("dbs/shop/colls/leases", "/dbs/shop/colls/leases/docs");
        self.send("POST", "docs", link, path, &headers, document.to_string()).await
    }

    async fn read_lease(&self, id: &str) -> Value {
        let answer = self.document("GET", id, &[], String::new()).await;
        assert_eq!(answer.status(), 200, "{id}");
        body(answer).await
    }

    fn lease_v0(&self, range: &Value, continuation: Option<&str>) -> Value {
        let id = text(range, "id");
        json!({
            "id": format!("{}..{id}", self.prefix), "version": 0, "_etag": null, "LeaseToken": id,
            "FeedRange": {"Range": {"min": range["minInclusive"], "max": range["maxExclusive"]}},
            "Owner": null, "ContinuationToken": continuation, "properties": {}, "timestamp": null, "_ts": 0,
            "Mode": "Incremental Feed",
        })
    }

    /// Whether this instance made the leases.
    async fn bootstrap(&self) -> bool {
        let (info, lock) = (format!("{}.info", self.prefix), format!("{}.lock", self.prefix));
        if self.document("GET", &info, &[], String::new()).await.status() == 200 {
            return false;
        }
        let held = self.create(&json!({"id": lock, "ttl": 30})).await;
        if held.status() == 409 {
            return false;
        }
        assert_eq!(held.status(), 201);
        let locked = etag(&held);
        assert!(held.bytes().await.unwrap().is_empty(), "return=minimal has no content");
        let present = self.leases().await;
        for range in &self.ranges.0 {
            if !present.iter().any(|lease| lease["LeaseToken"] == range["id"]) {
                let made = self.create(&self.lease_v0(range, None)).await;
                assert_eq!(made.status(), 201);
                assert_eq!(self.create(&self.lease_v0(range, None)).await.status(), 409);
            }
        }
        assert_eq!(self.create(&json!({"id": info})).await.status(), 201);
        self.document("DELETE", &lock, &[("if-match", &locked)], String::new()).await;
        true
    }

    /// The leases of the prefix: first the query's plan, then a page after the other of each range.
    async fn leases(&self) -> Vec<Value> {
        let query =
            json!({ "query": format!("SELECT * FROM c WHERE STARTSWITH(c.id, '{}..')", self.prefix) });
        let (link, path) = ("dbs/shop/colls/leases", "/dbs/shop/colls/leases/docs");
        let common = [
            ("x-ms-documentdb-isquery", "True"),
            ("content-type", "application/query+json"),
            ("x-ms-documentdb-query-enablecrosspartition", "True"),
        ];
        let mut plan = common.to_vec();
        plan.extend([
            ("x-ms-cosmos-is-query-plan-request", "True"),
            ("x-ms-cosmos-query-version", "1.0"),
            (
                "x-ms-cosmos-supported-query-features",
                "Aggregate, Distinct, GroupBy, OffsetAndLimit, OrderBy, Top",
            ),
        ]);
        let planned = body(self.send("POST", "docs", link, path, &plan, query.to_string()).await).await;
        assert_eq!(planned["queryRanges"][0]["max"], "FF");
        let leases = pkranges(self, "leases").await;
        let mut found = Vec::new();
        for range in &leases {
            let mut continuation: Option<String> = None;
            loop {
                let mut headers = common.to_vec();
                headers.extend([
                    ("x-ms-documentdb-partitionkeyrangeid", text(range, "id")),
                    ("x-ms-max-item-count", "1"),
                ]);
                headers.extend(continuation.as_deref().map(|token| ("x-ms-continuation", token)));
                let answer = self.send("POST", "docs", link, path, &headers, query.to_string()).await;
                assert_eq!(answer.status(), 200);
                let next = answer.headers().get("x-ms-continuation").map(|v| v.to_str().unwrap().to_owned());
                found.extend(body(answer).await["Documents"].as_array().unwrap().iter().cloned());
                continuation = next;
                if continuation.is_none() {
                    break;
                }
            }
        }
        found.sort_by_key(|lease| lease["id"].to_string());
        found
    }

    /// Replaces a lease after a change; .NET keeps the etag of what it read, so that a second write meets a 412,
    /// reads again, checks the owner and tries once more. How many 412s there were.
    async fn update(&self, lease: &mut Value, change: impl Fn(&mut Value)) -> usize {
        for refused in 0..6 {
            change(lease);
            lease["timestamp"] = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into();
            let (id, known) = (text(lease, "id").to_owned(), text(lease, "_etag").to_owned());
            let headers = [("if-match", known.as_str()), ("prefer", "return=minimal")];
            let answer = self.document("PUT", &id, &headers, lease.to_string()).await;
            if answer.status() == 200 {
                assert_ne!(etag(&answer), known);
                return refused;
            }
            assert_eq!(answer.status(), 412);
            *lease = self.read_lease(&id).await;
            assert_eq!(lease["Owner"], self.owner);
        }
        panic!("the lease is lost");
    }

    async fn acquire(&self, lease: &mut Value) {
        self.update(lease, |lease| lease["Owner"] = self.owner.into()).await;
    }

    /// One page of what a lease reads: `Err` is the sub-status of a 410.
    async fn page(
        &self,
        lease: &Value,
        at: Option<&str>,
        size: &str,
    ) -> Result<(Vec<String>, String, u64), String> {
        let (link, path) = ("dbs/shop/colls/prices", "/dbs/shop/colls/prices/docs");
        let bounds = &lease["FeedRange"]["Range"];
        let (min, max) = (text(bounds, "min"), text(bounds, "max"));
        let mut headers = vec![("a-im", "Incremental Feed"), ("x-ms-max-item-count", size)];
        headers.extend(at.map(|etag| ("if-none-match", etag)));
        let overlapping: Vec<&Value> = self
            .ranges
            .0
            .iter()
            .filter(|r| text(r, "minInclusive") < max && min < text(r, "maxExclusive"))
            .collect();
        let range =
            if lease["version"] == 0 { text(lease, "LeaseToken") } else { text(overlapping[0], "id") };
        headers.push(("x-ms-documentdb-partitionkeyrangeid", range));
        let whole =
            text(overlapping[0], "minInclusive") == min && text(overlapping[0], "maxExclusive") == max;
        if lease["version"] == 1 && !whole {
            headers.extend([
                ("x-ms-read-key-type", "EffectivePartitionKeyRange"),
                ("x-ms-start-epk", min),
                ("x-ms-end-epk", max),
            ]);
        }
        let answer = self.send("GET", "docs", link, path, &headers, "").await;
        if answer.status() == 410 {
            return Err(answer.headers()["x-ms-substatus"].to_str().unwrap().to_owned());
        }
        let status = answer.status();
        let next = etag(&answer);
        // The estimator's LSN: after the first colon, between the hashes.
        let token = answer.headers()["x-ms-session-token"].to_str().unwrap().to_owned();
        let session: u64 = token.split_once(':').unwrap().1.split('#').nth(1).unwrap().parse().unwrap();
        let documents = body(answer).await["Documents"].as_array().cloned().unwrap_or_default();
        assert_eq!(status, if documents.is_empty() { 304 } else { 200 });
        let lag = documents.first().map_or(0, |first| session + 1 - first["_lsn"].as_u64().unwrap());
        Ok((documents.iter().map(|d| text(d, "id").to_owned()).collect(), next, lag))
    }

    /// Reads on to the end, with a checkpoint after each page that held something. What `Err` returns is the last
    /// etag seen and why it ended.
    async fn drain(
        &self,
        lease: &mut Value,
        seen: &mut Vec<String>,
        pages: usize,
    ) -> Result<String, (String, String)> {
        let mut at = lease["ContinuationToken"].as_str().map(str::to_owned);
        for _ in 0..pages {
            let (ids, next, _) = match self.page(lease, at.as_deref(), "3").await {
                Ok(page) => page,
                Err(sub) => return Err((at.unwrap_or_default(), sub)),
            };
            at = Some(next.clone());
            if ids.is_empty() {
                return Ok(next);
            }
            seen.extend(ids);
            self.update(lease, |lease| lease["ContinuationToken"] = next.as_str().into()).await;
        }
        Ok(at.unwrap_or_default())
    }

    async fn lag(&self, lease: &Value) -> u64 {
        match lease["ContinuationToken"].as_str() {
            None => 1,
            at => self.page(lease, at, "1").await.map_or(1, |(_, _, lag)| lag),
        }
    }
}

async fn pkranges(dotnet: &DotNet, container: &str) -> Vec<Value> {
    let link = format!("dbs/shop/colls/{container}");
    let path = format!("/{link}/pkranges");
    let answer = dotnet.send("GET", "pkranges", &link, &path, &[], "").await;
    body(answer).await["PartitionKeyRanges"].as_array().unwrap().clone()
}

#[tokio::test]
async fn dotnets_processor_runs_and_ours_takes_over_from_it() {
    let pair = Pair::new().await;
    pair.fill(0..60).await;
    let mut host = DotNet::new(&pair, "host-a").await;
    let other = DotNet::new(&pair, "host-b").await;
    assert!(host.bootstrap().await);
    assert!(!other.bootstrap().await, ".info says that all is there");
    assert!(pair.store().marker(&pair.prefix.lock_id()).await.unwrap().is_none(), "the lock is gone");

    let mut leases = host.leases().await;
    assert_eq!(leases.iter().map(|l| text(l, "LeaseToken")).collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    let mut stolen = other.leases().await.remove(0);
    for lease in &mut leases {
        host.acquire(lease).await;
    }
    // Another instance that saw the lease free is refused, and finds it taken.
    stolen["Owner"] = "host-b".into();
    let (id, seen_free) = (text(&stolen, "id").to_owned(), text(&stolen, "_etag").to_owned());
    let late = other.document("PUT", &id, &[("if-match", seen_free.as_str())], stolen.to_string()).await;
    assert_eq!(late.status(), 412);
    assert_eq!(other.read_lease(&id).await["Owner"], "host-a");

    // Some pages of each, checkpointed; .NET's own stale etags cost it a 412 every time.
    let mut seen = Vec::new();
    for lease in &mut leases {
        assert_eq!(host.lag(lease).await, 1, "nothing read yet");
        host.drain(lease, &mut seen, 2).await.unwrap();
        assert!(host.lag(lease).await > 0);
        let renewed = host.update(lease, |_| {}).await;
        assert_eq!(renewed, 1, "renewed with the etag of before the checkpoint");
    }
    assert_eq!(seen.len(), 4 * 6);

    // Range 0 splits under its lease: its children go on from the last etag, then the parent is deleted.
    assert_eq!(pair.emulator.split("shop", "prices", 0), Ok([4, 5]));
    pair.fill(60..100).await;
    let mut parent = leases.remove(0);
    let (last, gone) = host.drain(&mut parent, &mut seen, 10).await.unwrap_err();
    assert_eq!(gone, "1002");
    host.refresh().await;
    let children: Vec<Value> = host
        .ranges
        .0
        .iter()
        .filter(|range| range["parents"].as_array().unwrap().contains(&json!("0")))
        .map(|range| host.lease_v0(range, Some(&last)))
        .collect();
    assert_eq!(children.len(), 2);
    for child in children {
        assert_eq!(host.create(&child).await.status(), 201);
        let mut child = host.read_lease(text(&child, "id")).await;
        host.acquire(&mut child).await;
        leases.push(child);
    }
    assert_eq!(host.document("DELETE", text(&parent, "id"), &[], String::new()).await.status(), 204);

    // Ranges 1 and 2 merge: their leases become leases of an EPK range inside the new one.
    for lease in &mut leases {
        host.drain(lease, &mut seen, 2).await.unwrap();
    }
    assert_eq!(pair.emulator.merge("shop", "prices", [1, 2]), Ok(6));
    pair.fill(100..140).await;
    for lease in leases.iter_mut().take(2) {
        let (last, gone) = host.drain(lease, &mut seen, 10).await.unwrap_err();
        assert_eq!(gone, "1002");
        host.refresh().await;
        let bounds = lease["FeedRange"]["Range"].clone();
        let token = format!("{}-{}", text(&bounds, "min"), text(&bounds, "max"));
        let successor = json!({
            "id": format!("{}..{token}", host.prefix), "version": 1, "_etag": null, "LeaseToken": token,
            "FeedRange": {"Range": bounds}, "Owner": null, "ContinuationToken": last, "properties": {},
            "Mode": "Incremental Feed", "timestamp": null, "_ts": 0,
        });
        assert_eq!(host.create(&successor).await.status(), 201);
        host.document("DELETE", text(lease, "id"), &[], String::new()).await;
        *lease = host.read_lease(text(&successor, "id")).await;
        host.acquire(lease).await;
    }
    for lease in &mut leases {
        host.drain(lease, &mut seen, 100).await.unwrap();
        assert_eq!(host.lag(lease).await, 0);
        host.update(lease, |lease| lease["Owner"] = Value::Null).await;
    }
    assert_eq!(unique(&seen).len(), 140, "nothing lost");
    assert_eq!(seen.len(), 140, "nothing twice");

    // Ours knows these leases for what they are, and goes on where .NET stopped.
    let kinds: Vec<LeaseKind> = pair.list().await.iter().map(Lease::kind).collect();
    assert_eq!(kinds.iter().filter(|k| **k == LeaseKind::EpkRange).count(), 2, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|k| **k == LeaseKind::PartitionKeyRange).count(), 3, "{kinds:?}");
    pair.fill(140..150).await;
    let recorder = Arc::new(Recorder::default());
    let running = pair.start(&recorder, quick("ours")).await;
    running.until_idle().await;
    running.handle.stop().await;
    let mut ours = recorder.ids();
    ours.sort();
    assert_eq!(ours, (140..150).map(|n| format!("p-{n:04}")).collect::<Vec<_>>());
}
