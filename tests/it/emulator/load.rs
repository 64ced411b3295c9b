//! Many clients at once, and a stop in the middle of it. `SYNCSCOPE_LOAD_SECONDS=60` runs the full minute.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::emulator::{client_of, emulator};
use crate::support::raw::Raw;

const CLIENTS: u64 = 200;
/// What starting and stopping may take; an unoptimized build on a busy machine is given more.
const AT_MOST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });
const DOCS: &str = "/dbs/shop/colls/prices/docs";

fn seconds() -> u64 {
    std::env::var("SYNCSCOPE_LOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// What one client does until `end`; each answer must be one that the service could give.
async fn work(raw: Raw, number: u64, end: Instant) -> u64 {
    let mut random = StdRng::seed_from_u64(number);
    let (mut requests, mut etag) = (0, None::<String>);
    while Instant::now() < end {
        let id = format!("p-{}", random.random_range(0..2_000_u32));
        let key = json!([id]).to_string();
        let by_key = ("x-ms-documentdb-partitionkey", key.as_str());
        let path = format!("{DOCS}/{id}");
        let (status, allowed): (u16, &[u16]) = match random.random_range(0..10_u32) {
            0..4 => {
                let body = json!({"id": id, "by": number, "n": requests}).to_string();
                (raw.upsert(DOCS, &id, &body).await.status().as_u16(), &[200, 201])
            }
            4..6 => (raw.send("GET", &path, &[by_key], "").await.status().as_u16(), &[200, 404]),
            6 => (raw.send("DELETE", &path, &[by_key], "").await.status().as_u16(), &[204, 404]),
            7 => {
                let guarded = [by_key, ("if-match", "\"stale\"")];
                let body = json!({ "id": id }).to_string();
                (raw.send("PUT", &path, &guarded, body).await.status().as_u16(), &[412, 404])
            }
            8 => {
                let mut headers = vec![("a-im", "Incremental feed"), ("x-ms-max-item-count", "100")];
                if let Some(etag) = &etag {
                    headers.push(("if-none-match", etag));
                }
                let page = raw.send("GET", DOCS, &headers, "").await;
                let status = page.status().as_u16();
                etag = page.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
                page.bytes().await.unwrap();
                (status, &[200, 304])
            }
            _ => {
                let query = [("x-ms-documentdb-isquery", "True"), ("content-type", "application/query+json")];
                let sql = json!({"query": "SELECT VALUE COUNT(1) FROM c WHERE c.id = @id",
                                 "parameters": [{"name": "@id", "value": id}]});
                let found = raw.send("POST", DOCS, &query, sql.to_string()).await;
                let status = found.status().as_u16();
                let count: Value = serde_json::from_slice(&found.bytes().await.unwrap()).unwrap();
                assert!(count["Documents"][0].as_u64().is_some_and(|n| n <= 1), "{count}");
                (status, &[200])
            }
        };
        assert!(allowed.contains(&status), "client {number}, request {requests}: {status}, not {allowed:?}");
        requests += 1;
    }
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_meet_no_error_that_the_service_would_not_give() {
    let (emulator, _) = emulator().await;
    let end = Instant::now() + Duration::from_secs(seconds());
    // One connection pool each, as two hundred programs have.
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(work(Raw::new(&emulator), number, end))).collect();
    let mut requests = 0;
    for client in clients {
        requests += client.await.unwrap();
    }
    assert!(requests >= CLIENTS, "{requests}");
    // What the feed tells is what is there.
    let raw = Raw::new(&emulator);
    let count = |body: Value| body["_count"].as_u64().unwrap();
    let page = [("a-im", "Incremental feed"), ("x-ms-max-item-count", "100000")];
    let feed = raw.send("GET", DOCS, &page, "").await.bytes().await.unwrap();
    let all = raw.send("GET", DOCS, &[page[1]], "").await.bytes().await.unwrap();
    assert_eq!(count(serde_json::from_slice(&feed).unwrap()), count(serde_json::from_slice(&all).unwrap()));
    println!("{requests} requests in {} s", seconds());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_within_a_second_whatever_clients_hold_open() {
    let options = EmulatorOptions { port: PortChoice::Free, https: true, ..EmulatorOptions::default() };
    let started = Instant::now();
    let emulator = Emulator::start(options).await.unwrap();
    assert!(started.elapsed() < AT_MOST, "ready after {:?}", started.elapsed());
    emulator.ensure_container("shop", "prices", "/id", None).await.unwrap();
    let port = emulator.endpoint().port().unwrap();
    let plain = format!("http://127.0.0.1:{port}/");
    // Idle keep-alive, idle HTTP/2, idle https.
    let idle = Raw::at(&plain);
    assert_eq!(idle.send("GET", "/", &[], "").await.status(), 200);
    let h2 = client_of(&plain, emulator.key(), true).await.unwrap();
    let https = client_of(emulator.endpoint().as_str(), emulator.key(), true).await;
    // Connections that have said nothing, half a request line, half of the headers, half of a body, half of a handshake.
    let mut halves = Vec::new();
    for half in [
        "".as_bytes(),
        b"GET /dbs HT",
        b"POST /dbs HTTP/1.1\r\nhost: x\r\n",
        b"POST /_emulator/faults HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{",
        b"\x16\x03\x01\x02",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(half).await.unwrap();
        halves.push(stream);
    }
    // A request that is being answered, slowly, and one that waits for a delay.
    emulator.take("delay:time=1m".parse().unwrap());
    let waiting = tokio::spawn({
        let raw = Raw::at(&plain);
        async move {
            let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let url = format!("{plain}dbs");
            let token = crate::support::raw::token("GET", "/dbs", &date);
            let _kept = raw;
            reqwest::Client::new()
                .get(url)
                .header("x-ms-date", &date)
                .header("authorization", token)
                .send()
                .await
        }
    });
    // Nothing shows that a request has arrived which is not answered; it is given time to.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = Instant::now();
    emulator.stop().await;
    assert!(before.elapsed() < AT_MOST, "{:?}", before.elapsed());
    assert!(waiting.await.unwrap().is_err(), "the connection was closed");
    drop((halves, idle, h2, https));
}
