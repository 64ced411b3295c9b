//! A gateway between a client and the emulator that answers 408, 410, 412, 429, 449 and 503, drops connections
//! before and after the request took effect, and is slow: chance from a seed, on while told to.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use syncscope::embedded::cosmos::Emulator;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// A running gateway.
pub(crate) struct FaultyGateway {
    pub(crate) endpoint: Url,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    upstream: String,
    own: String,
    on: AtomicBool,
    cut: AtomicBool,
    injected: AtomicU64,
    rng: Mutex<StdRng>,
    http: reqwest::Client,
}

enum Fault {
    Answer(u16, u32),
    DropBefore,
    DropAfter,
    Slow(Duration),
}

impl FaultyGateway {
    pub(crate) async fn start(emulator: &Emulator, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let bare = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let shared = Arc::new(Shared {
            upstream: bare(emulator.endpoint()),
            own: bare(&endpoint),
            on: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            injected: AtomicU64::new(0),
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
            http: reqwest::Client::new(),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { endpoint, shared, task }
    }

    pub(crate) fn set(&self, on: bool) {
        self.shared.on.store(on, Ordering::SeqCst);
    }

    /// Drops every request, as if the server were gone.
    pub(crate) fn cut(&self, cut: bool) {
        self.shared.cut.store(cut, Ordering::SeqCst);
    }

    pub(crate) fn injected(&self) -> u64 {
        self.shared.injected.load(Ordering::SeqCst)
    }
}

impl Drop for FaultyGateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let shared = Arc::clone(&shared);
                async move { answer(&shared, request).await }
            });
            // An error from the service closes the connection: that is the dropped one.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

#[derive(Debug, thiserror::Error)]
#[error("dropped")]
struct Dropped;

impl From<Infallible> for Dropped {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    if shared.cut.load(Ordering::SeqCst) {
        return Err(Dropped);
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let is_document = head.uri.path().contains("/docs");
    let fault = if is_document { shared.choose(&head.headers) } else { None };
    if fault.is_some() {
        shared.injected.fetch_add(1, Ordering::SeqCst);
    }
    match fault {
        Some(Fault::Answer(status, sub)) => {
            let text = r#"{"code":"Injected","message":"injected"}"#;
            let answer = Response::builder()
                .status(status)
                .header("x-ms-substatus", sub.to_string())
                .header("x-ms-retry-after-ms", "7")
                .header("content-type", "application/json");
            return answer.body(Full::from(text)).map_err(|_| Dropped);
        }
        Some(Fault::DropBefore) => return Err(Dropped),
        Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let path = head.uri.path_and_query().map_or("/", |p| p.as_str());
    let mut ask = shared.http.request(head.method, format!("{}{path}", shared.upstream));
    for (name, value) in &head.headers {
        if name != "host" && name != "content-length" && name != "connection" {
            ask = ask.header(name, value);
        }
    }
    let got = ask.body(body).send().await.map_err(|_| Dropped)?;
    let mut answer = Response::builder().status(got.status());
    for (name, value) in got.headers() {
        if name != "content-length" && name != "transfer-encoding" && name != "connection" {
            answer = answer.header(name, value);
        }
    }
    let mut bytes = got.bytes().await.map_err(|_| Dropped)?;
    if path == "/" {
        // The account names its own address; clients must stay with us.
        let text = String::from_utf8_lossy(&bytes).replace(&shared.upstream, &shared.own);
        bytes = Bytes::from(text);
    }
    if matches!(fault, Some(Fault::DropAfter)) {
        return Err(Dropped);
    }
    answer.body(Full::from(bytes)).map_err(|_| Dropped)
}

impl Shared {
    /// One request in seven, while faults are on.
    fn choose(&self, headers: &hyper::HeaderMap) -> Option<Fault> {
        if !self.on.load(Ordering::SeqCst) {
            return None;
        }
        let mut rng = self.rng.lock().unwrap();
        if !rng.random_bool(0.15) {
            return None;
        }
        let is_feed = headers.contains_key("a-im");
        let is_conditional = headers.contains_key("if-match");
        Some(match rng.random_range(0..9) {
            0 => Fault::Answer(429, 3200),
            1 => Fault::Answer(503, 0),
            2 => Fault::Answer(408, 0),
            3 => Fault::Answer(449, 0),
            4 if is_feed => Fault::Answer(410, 1002),
            5 if is_conditional => Fault::Answer(412, 0),
            6 => Fault::DropBefore,
            7 => Fault::DropAfter,
            _ => Fault::Slow(Duration::from_millis(rng.random_range(1..80))),
        })
    }
}
