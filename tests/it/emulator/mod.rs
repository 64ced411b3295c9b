//! The embedded Cosmos emulator as any client sees it over HTTP.

mod aggregates;
mod documents;
mod faults;
mod feed;
mod fuzz;
mod load;
mod manners;
mod state;
mod throughput;
mod topology;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syncscope::embedded::cosmos::{Emulator, EmulatorError, EmulatorOptions, PortChoice};

use crate::support::emulator::{CONTAINER, DATABASE, client_of, empty_emulator, emulator};

#[tokio::test]
async fn sdk_client_reads_what_it_wrote_over_both_protocols() {
    let (emulator, _) = emulator().await;
    for http2 in [false, true] {
        let client = client_of(emulator.endpoint().as_str(), emulator.key(), http2).await.unwrap();
        let prices = client.database_client(DATABASE).container_client(CONTAINER, None).await.unwrap();
        let document = json!({"id": "p-1", "price": 12.5, "http2": http2});
        prices.upsert_item("p-1", "p-1", &document, None).await.unwrap();
        let read: Value = prices.read_item("p-1", "p-1", None).await.unwrap().into_model().unwrap();
        assert_eq!(read["http2"], http2);
        assert!(read["_etag"].is_string() && read["_ts"].is_u64());
    }
    emulator.stop().await;
}

#[tokio::test]
async fn a_wrong_key_is_unauthorized() {
    let emulator = empty_emulator().await;
    let refused = client_of(emulator.endpoint().as_str(), "d3Jvbmc=", false).await.unwrap_err();
    assert_eq!(u16::from(refused.status().status_code()), 401);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = empty_emulator().await;
    let port = first.endpoint().port().unwrap();
    let options = |port| EmulatorOptions { port, ..EmulatorOptions::default() };
    let refused = Emulator::start(options(PortChoice::Fixed(port))).await.unwrap_err();
    assert!(matches!(refused, EmulatorError::PortTaken { port: p } if p == port));
    assert!(refused.to_string().contains(&port.to_string()));
    let second = Emulator::start(options(PortChoice::Prefer(port))).await.unwrap();
    assert_ne!(second.endpoint(), first.endpoint());
}

#[tokio::test]
async fn stops_within_a_second_with_open_connections() {
    let (emulator, prices) = emulator().await;
    prices.upsert_item("p-1", "p-1", &json!({"id": "p-1"}), None).await.unwrap();
    let idle =
        tokio::net::TcpStream::connect(("127.0.0.1", emulator.endpoint().port().unwrap())).await.unwrap();
    let before = Instant::now();
    emulator.stop().await;
    assert!(before.elapsed() < Duration::from_secs(1));
    drop(idle);
}
