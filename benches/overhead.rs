//! What the processor costs: 200,000 prepared documents of about 420 bytes in 4 ranges, pages of 1,000, no-op
//! handler, against a bare loop of raw pages through the driver and against the SDK's typed loop.
//! `cargo bench --bench overhead`; expects at least 0.8 of the one and 4 times the other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // a measuring program, not a library

mod feed_server;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use azure_core::http::Etag;
use azure_data_cosmos_driver::driver::{CosmosDriver, CosmosDriverRuntime};
use azure_data_cosmos_driver::models::{
    AccountReference, ContainerReference, CosmosOperation, CosmosRequestHeaders, FeedRange, MaxItemCountHint,
    Precondition,
};
use azure_data_cosmos_driver::options::{ConnectionPoolOptions, DriverOptions, OperationOptions};
use feed_server::{FeedServer, Shape};
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use syncscope::config::{CosmosConnection, StartPosition};
use syncscope::cosmos::{Account, Container};
use syncscope::lease::LeasePrefix;
use syncscope::processor::{ChangeBatch, ChangeHandler, Processor, ProcessorOptions};

const SHAPE: Shape = Shape { documents: 200_000, ranges: 4, page: 1_000 };
const DOCUMENTS: u64 = SHAPE.documents;
const ROUNDS: usize = 5;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "Documents")]
    documents: Vec<&'a RawValue>,
}

async fn bare_driver(endpoint: &str, key: &str) -> (Arc<CosmosDriver>, ContainerReference) {
    let pool = ConnectionPoolOptions::builder().with_is_http2_allowed(false).build().unwrap();
    let runtime = CosmosDriverRuntime::builder().with_connection_pool(pool).build().await.unwrap();
    let account = AccountReference::with_account_key(endpoint.parse().unwrap(), key.to_owned());
    let driver = runtime.create_driver(DriverOptions::builder(account).build()).await.unwrap();
    let container = driver.resolve_container("shop", "prices", OperationOptions::default()).await.unwrap();
    (driver, container)
}

/// Raw pages through the driver, documents borrowed, a task for each range.
async fn bare(driver: &Arc<CosmosDriver>, container: &ContainerReference) -> f64 {
    let ranges = driver.resolve_all_partition_key_ranges(container, false).await.unwrap().unwrap();
    let began = Instant::now();
    let tasks = ranges.iter().map(|range| {
        let range = FeedRange::try_from(range).unwrap();
        let (driver, container) = (Arc::clone(driver), container.clone());
        tokio::spawn(async move {
            let (mut etag, mut count) = (None::<Etag>, 0);
            loop {
                let mut headers = CosmosRequestHeaders::new();
                headers.incremental_feed = true;
                headers.max_item_count = Some(MaxItemCountHint::Limit(1_000.try_into().unwrap()));
                headers.precondition = etag.take().map(Precondition::if_none_match);
                let operation = CosmosOperation::change_feed(container.clone(), Some(range.clone()))
                    .with_request_headers(headers);
                let response =
                    driver.execute_operation(operation, OperationOptions::default()).await.unwrap().unwrap();
                if u16::from(response.status().status_code()) == 304 {
                    return count;
                }
                etag.clone_from(&response.headers().etag);
                let body = response.into_body().single().unwrap();
                count += serde_json::from_slice::<Envelope<'_>>(&body).unwrap().documents.len() as u64;
            }
        })
    });
    let counts = futures::future::join_all(tasks).await;
    assert_eq!(counts.into_iter().map(Result::unwrap).sum::<u64>(), DOCUMENTS);
    DOCUMENTS as f64 / began.elapsed().as_secs_f64()
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what a user's type would hold")]
struct Price {
    id: String,
    sku: String,
    name: String,
    currency: String,
    stock: u64,
    tags: Vec<String>,
}

/// The SDK's own loop, a task for each range.
async fn typed(client: &azure_data_cosmos::clients::ContainerClient) -> f64 {
    use azure_data_cosmos::feed::FeedScope;
    use azure_data_cosmos::models::ChangeFeedItem;
    use azure_data_cosmos::options::{ChangeFeedOptions, ChangeFeedStartFrom};
    let ranges = client.read_feed_ranges(None).await.unwrap();
    let began = Instant::now();
    let tasks = ranges.into_iter().map(|range| {
        let client = client.clone();
        tokio::spawn(async move {
            let limit = MaxItemCountHint::Limit(1_000.try_into().unwrap());
            let options = ChangeFeedOptions::default().with_max_item_count(limit);
            let start = ChangeFeedStartFrom::Beginning;
            let mut pages = client
                .query_change_feed::<Price>(FeedScope::range(range), start, Some(options))
                .await
                .unwrap();
            let mut count = 0;
            loop {
                let page = pages.next().await.unwrap().unwrap();
                let items: &[ChangeFeedItem<Price>] = page.items();
                if items.is_empty() {
                    return count;
                }
                count += items.len() as u64;
            }
        })
    });
    let counts = futures::future::join_all(tasks).await;
    assert_eq!(counts.into_iter().map(Result::unwrap).sum::<u64>(), DOCUMENTS);
    DOCUMENTS as f64 / began.elapsed().as_secs_f64()
}

#[derive(Default)]
struct Count {
    documents: AtomicU64,
    first: Mutex<Option<(Instant, u64)>>,
    last: Mutex<Option<Instant>>,
}

impl ChangeHandler for Count {
    type Error = Infallible;

    async fn handle(&self, batch: ChangeBatch) -> Result<(), Infallible> {
        let documents = batch.documents.len() as u64;
        self.first.lock().unwrap().get_or_insert_with(|| (Instant::now(), documents));
        if self.documents.fetch_add(documents, Ordering::SeqCst) + documents == DOCUMENTS {
            *self.last.lock().unwrap() = Some(Instant::now());
        }
        Ok(())
    }
}

/// The processor with its leases; from the first batch on, since bootstrap is a matter of once.
async fn processor(source: &Container, leases: &Container, round: usize) -> f64 {
    let name = format!("bench-{round}-");
    let prefix = LeasePrefix::new(&name, source.account().host(), source.database_rid(), source.rid());
    let handler = Arc::new(Count::default());
    let options = ProcessorOptions {
        instance_name: "bench".into(),
        start: StartPosition::Beginning,
        max_items: Some(1_000),
        ..ProcessorOptions::default()
    };
    let (events, _) = tokio::sync::mpsc::channel(1);
    let (source, leases) = (source.clone(), leases.clone());
    let running =
        Processor::start(source, leases, prefix, Arc::clone(&handler), options, events).await.unwrap();
    let mut status = running.status();
    status.wait_for(|s| s.delivered == DOCUMENTS && s.is_idle()).await.unwrap();
    running.stop().await;
    let (began, before) = handler.first.lock().unwrap().unwrap();
    let ended = handler.last.lock().unwrap().unwrap();
    (DOCUMENTS - before) as f64 / (ended - began).as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:"));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[tokio::main]
async fn main() {
    let server = FeedServer::start(SHAPE, 0).await;
    let connect = |text: &str| CosmosConnection::parse(text).unwrap();
    let direct = Account::connect(&connect(&server.emulator.connection_string())).await.unwrap();
    let leases = direct.container("shop", "leases").await.unwrap();
    let size = SHAPE.document(&server.rid, 0).len();
    println!("{DOCUMENTS} documents of {size} bytes in {} ranges", SHAPE.ranges);

    let source = Account::connect(&connect(&server.connection_string()))
        .await
        .unwrap()
        .container("shop", "prices")
        .await
        .unwrap();
    let (driver, reference) = bare_driver(&server.endpoint, server.emulator.key()).await;
    let client = {
        use azure_data_cosmos::options::ConnectionPoolOptions as Pool;
        use azure_data_cosmos::{AccountReference, CosmosClient, CosmosRuntime, RoutingStrategy};
        let pool = Pool::builder().with_is_http2_allowed(false).build().unwrap();
        let runtime = CosmosRuntime::builder().with_connection_pool(pool).build().await.unwrap();
        let account = AccountReference::with_authentication_key(
            server.endpoint.parse().unwrap(),
            server.emulator.key().to_owned(),
        );
        let client = CosmosClient::builder().with_runtime(runtime);
        let client = client.build(account, RoutingStrategy::ProximityTo("East US".into())).await.unwrap();
        client.database_client("shop").container_client("prices", None).await.unwrap()
    };

    let mut rates: HashMap<&str, Vec<f64>> = HashMap::new();
    for round in 0..=ROUNDS {
        let measured = [
            ("bare driver", bare(&driver, &reference).await),
            ("processor", processor(&source, &leases, round).await),
            ("typed SDK", typed(&client).await),
        ];
        if round > 0 {
            for (name, rate) in measured {
                rates.entry(name).or_default().push(rate);
            }
        }
        println!("round {round}: {} MB resident", resident_mb());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let of = |name: &str| median(rates[name].clone());
    for name in ["bare driver", "processor", "typed SDK"] {
        println!("{name:12} {:9.0} documents/s", of(name));
    }
    println!("processor = {:.2} of the bare driver", of("processor") / of("bare driver"));
    println!("processor = {:.1} times the typed SDK", of("processor") / of("typed SDK"));
}
