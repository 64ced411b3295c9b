//! A source with a change feed of any length and next to no work of its own: documents are computed from
//! their number, pages are prepared (or, beyond [`PREPARED`] documents, written when they are asked for, so that
//! a million of them need no memory). Everything else (account, metadata, leases) is answered by the embedded
//! emulator behind it, so that any Cosmos SDK can read from it.
//!
//! Per range: `_lsn` counts from 1, the etag of a page is the LSN of its last document. Answers feed pages
//! (flat, or in the envelope of the newer wire format), point reads, and queries for `1` (a count).
#![allow(clippy::unwrap_used, dead_code)] // part of measuring programs, not of a library; each uses some of it

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use syncscope::config::CosmosConnection;
use syncscope::cosmos::{Account, ContainerSpec};
use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};
use tokio::net::TcpListener;

/// Most documents whose pages are kept ready: about 100 MB.
const PREPARED: u64 = 250_000;
/// The one path that is answered here.
const DOCUMENTS: &str = "/dbs/shop/colls/prices/docs";
/// Rows of a page of a query.
const ROWS: u64 = 5_000;

/// What the source holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Documents in all ranges together; a multiple of `ranges`.
    pub(crate) documents: u64,
    /// Physical ranges.
    pub(crate) ranges: u64,
    /// Documents in a page, unless fewer are asked for.
    pub(crate) page: u64,
}

impl Shape {
    /// Documents in each range.
    pub(crate) fn per_range(self) -> u64 {
        self.documents / self.ranges
    }

    /// The id of the document with this number.
    pub(crate) fn id(number: u64) -> String {
        format!("p-{number:07}")
    }

    /// The document with this number, as the feed of its range shows it: about 420 bytes.
    pub(crate) fn document(self, rid: &str, number: u64) -> String {
        let lsn = number % self.per_range() + 1;
        let (pounds, pence, stock) = (number % 900 + 1, number % 100, number % 250);
        format!(
            r#"{{"id":"p-{number:07}","sku":"SKU-{number:08}","name":"Garden chair, folding, oak, weatherproof, no. {number:07}","currency":"GBP","price":{{"current":{pounds}.{pence:02},"list":{pounds}.99,"unit":"piece"}},"stock":{stock},"tags":["garden","oak"],"updatedAt":"2026-08-07T18:56:44.1234567Z","_rid":"{rid}{number:07}","_self":"dbs/a/colls/b/docs/c/","_etag":"\"{number:08}-0000-0100-0000-000000000000\"","_attachments":"attachments/","_ts":1786129004,"_lsn":{lsn}}}"#
        )
    }
}

/// The running source.
pub(crate) struct FeedServer {
    /// `http://127.0.0.1:PORT`
    pub(crate) endpoint: String,
    /// Answers all but documents.
    pub(crate) emulator: Emulator,
    /// Resource id of `shop/prices`.
    pub(crate) rid: String,
}

impl FeedServer {
    /// Serves `shop/prices` with documents and an empty `shop/leases`, on this port of 127.0.0.1 (0 = any).
    pub(crate) async fn start(shape: Shape, port: u16) -> Self {
        assert!(shape.documents.is_multiple_of(shape.ranges), "the ranges are of one size");
        let partitions = u32::try_from(shape.ranges).unwrap();
        let options = EmulatorOptions { port: PortChoice::Free, partitions, ..Default::default() };
        let emulator = Emulator::start(options).await.unwrap();
        let connection = CosmosConnection::parse(&emulator.connection_string()).unwrap();
        let direct = Account::connect(&connection).await.unwrap();
        direct.ensure_database("shop").await.unwrap();
        for name in ["prices", "leases"] {
            let spec = ContainerSpec { default_ttl: Some(-1), ..ContainerSpec::new(name, "/id") };
            direct.ensure_container("shop", &spec).await.unwrap();
        }
        let rid = direct.container("shop", "prices").await.unwrap().rid().to_owned();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut server = Server {
            shape,
            rid: rid.clone(),
            upstream: emulator.endpoint().as_str().trim_end_matches('/').to_owned(),
            own: endpoint.clone(),
            ready: Vec::new(),
            http: reqwest::Client::new(),
        };
        if shape.documents <= PREPARED && shape.per_range().is_multiple_of(shape.page) {
            let starts = (0..shape.documents).step_by(usize::try_from(shape.page).unwrap());
            server.ready = starts.map(|first| server.page(first, shape.page, false)).collect();
        }
        tokio::spawn(serve(listener, Arc::new(server)));
        Self { endpoint, emulator, rid }
    }

    /// `AccountEndpoint=…;AccountKey=…;`
    pub(crate) fn connection_string(&self) -> String {
        format!("AccountEndpoint={}/;AccountKey={};", self.endpoint, self.emulator.key())
    }
}

struct Server {
    shape: Shape,
    rid: String,
    upstream: String,
    own: String,
    /// Pages by number, range after range.
    ready: Vec<Bytes>,
    http: reqwest::Client,
}

impl Server {
    fn page(&self, first: u64, count: u64, enveloped: bool) -> Bytes {
        let mut page = String::with_capacity(usize::try_from(count).unwrap() * 560 + 80);
        let _ = write!(page, r#"{{"_rid":"{}","Documents":["#, self.rid);
        for number in first..first + count {
            let comma = if number == first { "" } else { "," };
            let document = self.shape.document(&self.rid, number);
            let lsn = number % self.shape.per_range() + 1;
            let _ = if enveloped {
                write!(
                    page,
                    r#"{comma}{{"current":{document},"metadata":{{"lsn":{lsn},"crts":1786129004}}}}"#
                )
            } else {
                write!(page, "{comma}{document}")
            };
        }
        let _ = write!(page, r#"],"_count":{count}}}"#);
        Bytes::from(page)
    }

    /// A page of the feed of one range.
    fn feed(&self, ask: &Ask<'_>, range: u64) -> Response<Full<Bytes>> {
        let end = self.shape.per_range();
        let at = match ask.header("if-none-match") {
            Some("*") => end,
            Some(etag) => etag.trim_matches('"').parse().unwrap_or(end).min(end),
            // All documents are older than whoever asks for a time.
            None if ask.header("if-modified-since").is_some() => end,
            None => 0,
        };
        let limit = ask.header("x-ms-max-item-count").and_then(|n| n.parse().ok()).filter(|n| *n > 0);
        let count = limit.unwrap_or(self.shape.page).min(self.shape.page).min(end - at);
        let enveloped = ask.header("x-ms-cosmos-changefeed-wire-format-version").is_some();
        let first = range * end + at;
        let answer = answer(ask, range, end)
            .header("etag", format!("\"{}\"", at + count))
            .header("x-ms-item-count", count);
        if count == 0 {
            return answer.status(304).body(Full::default()).unwrap();
        }
        let kept = (count == self.shape.page && first.is_multiple_of(count) && !enveloped)
            .then(|| self.ready.get(usize::try_from(first / count).unwrap()))
            .flatten();
        let body = kept.cloned().unwrap_or_else(|| self.page(first, count, enveloped));
        answer.status(200).body(Full::from(body)).unwrap()
    }

    /// One document by its id.
    fn point(&self, ask: &Ask<'_>, id: &str) -> Response<Full<Bytes>> {
        let number = id.strip_prefix("p-").and_then(|digits| digits.parse::<u64>().ok());
        let Some(number) = number.filter(|number| *number < self.shape.documents) else {
            let body = r#"{"code":"NotFound","message":"Entity with the specified id does not exist"}"#;
            return answer(ask, 0, 1).status(404).body(Full::from(body)).unwrap();
        };
        let range = number / self.shape.per_range();
        answer(ask, range, self.shape.per_range())
            .header("etag", format!("\"{number:08}-0000-0100-0000-000000000000\""))
            .header("x-ms-item-lsn", number % self.shape.per_range() + 1)
            .body(Full::from(self.shape.document(&self.rid, number)))
            .unwrap()
    }

    /// A page of `SELECT VALUE 1 FROM c` over one range: what a count needs.
    fn ones(&self, ask: &Ask<'_>, range: u64) -> Response<Full<Bytes>> {
        let end = self.shape.per_range();
        let at: u64 = ask.header("x-ms-continuation").and_then(|at| at.parse().ok()).unwrap_or(0);
        let count = ROWS.min(end.saturating_sub(at));
        let ones = vec!["1"; usize::try_from(count).unwrap()].join(",");
        let body = format!(r#"{{"_rid":"{}","Documents":[{ones}],"_count":{count}}}"#, self.rid);
        let mut answer = answer(ask, range, end).header("x-ms-item-count", count);
        if at + count < end {
            answer = answer.header("x-ms-continuation", (at + count).to_string());
        }
        answer.body(Full::from(body)).unwrap()
    }

    async fn forward(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |p| p.as_str());
        let mut ask = self.http.request(head.method, format!("{}{path}", self.upstream));
        for (name, value) in head.headers.iter().filter(|(n, _)| *n != "host" && *n != "content-length") {
            ask = ask.header(name, value);
        }
        let got = ask.body(body.collect().await.unwrap().to_bytes()).send().await.unwrap();
        let mut answer = Response::builder().status(got.status());
        for (name, value) in
            got.headers().iter().filter(|(n, _)| *n != "content-length" && *n != "transfer-encoding")
        {
            answer = answer.header(name, value);
        }
        // The account names its own address.
        let bytes = got.bytes().await.unwrap();
        let own = String::from_utf8_lossy(&bytes).replace(&self.upstream, &self.own);
        answer.body(Full::from(own)).unwrap()
    }
}

/// What the answers here depend on.
struct Ask<'r>(&'r Request<Incoming>);

impl Ask<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// The range by its id, if it is asked for by that.
    fn range(&self) -> Option<u64> {
        let id = self.header("x-ms-documentdb-partitionkeyrangeid")?;
        // Some SDKs put the container's rid before it.
        id.rsplit(',').next()?.parse().ok()
    }
}

fn answer(ask: &Ask<'_>, range: u64, lsn: u64) -> http::response::Builder {
    Response::builder()
        .header("content-type", "application/json")
        .header("x-ms-session-token", format!("{range}:0#{lsn}#0={lsn}"))
        .header("x-ms-documentdb-partitionkeyrangeid", range)
        .header("x-ms-request-charge", "1")
        .header("x-ms-activity-id", ask.header("x-ms-activity-id").unwrap_or_default())
        .header("lsn", lsn)
}

async fn respond(
    server: Arc<Server>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let ask = Ask(&request);
    let path = request.uri().path().trim_matches('/');
    let below = path.strip_prefix(DOCUMENTS.trim_matches('/'));
    let range = ask.range().filter(|range| *range < server.shape.ranges);
    let is_plan = ask.header("x-ms-cosmos-is-query-plan-request").is_some();
    let answer = match (below, request.method()) {
        (Some(""), &Method::GET) if ask.header("a-im").is_some() => {
            range.map(|range| server.feed(&ask, range))
        }
        (Some(""), &Method::POST) if !is_plan && ask.header("x-ms-documentdb-isquery").is_some() => {
            range.map(|range| server.ones(&ask, range))
        }
        (Some(id), &Method::GET) if !id.is_empty() => Some(server.point(&ask, id.trim_matches('/'))),
        _ => None,
    };
    Ok(match answer {
        Some(answer) => answer,
        None => server.forward(request).await,
    })
}

async fn serve(listener: TcpListener, server: Arc<Server>) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&server), request));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
