//! Requests as they are on the wire, signed like any Cosmos client's: for headers and bodies that an
//! SDK hides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::{Client, Method, Response};
use sha2::Sha256;
use syncscope::embedded::cosmos::{Emulator, WELL_KNOWN_KEY};

/// A connection to one emulator.
#[derive(Clone)]
pub(crate) struct Raw {
    base: String,
    http: Client,
}

impl Raw {
    pub(crate) fn new(emulator: &Emulator) -> Self {
        Self::at(emulator.endpoint().as_str())
    }

    pub(crate) fn at(endpoint: &str) -> Self {
        Self { base: endpoint.trim_end_matches('/').to_owned(), http: Client::new() }
    }

    /// Sends; `path` is encoded already and begins with a slash.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        self.send_signed(method, path, headers, body, &date, &token(method, path, &date)).await
    }

    /// Sends with this date and authorization.
    pub(crate) async fn send_signed(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
        date: &str,
        token: &str,
    ) -> Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("x-ms-date", date)
            .header("x-ms-version", "2018-12-31")
            .header("authorization", token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await.unwrap()
    }

    /// Creates or replaces a document of a container partitioned by `/id`.
    pub(crate) async fn upsert(&self, docs: &str, id: &str, body: &str) -> Response {
        let key = serde_json::json!([id]).to_string();
        let headers = [("x-ms-documentdb-is-upsert", "True"), ("x-ms-documentdb-partitionkey", key.as_str())];
        self.send("POST", docs, &headers, body.to_owned()).await
    }
}

/// The authorization header of a request.
pub(crate) fn token(method: &str, path: &str, date: &str) -> String {
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let kind = match parts.len() {
        0 => String::new(),
        n if n % 2 == 1 => parts[n - 1].clone(),
        n => parts[n - 2].clone(),
    };
    let link = parts[..parts.len() & !1].join("/");
    sign(method, &kind, &link, date)
}

/// The authorization header over this type and link.
pub(crate) fn sign(method: &str, kind: &str, link: &str, date: &str) -> String {
    let plain = format!("{}\n{kind}\n{link}\n{}\n\n", method.to_lowercase(), date.to_lowercase());
    let key = STANDARD.decode(WELL_KNOWN_KEY).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(plain.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    utf8_percent_encode(&format!("type=master&ver=1.0&sig={signature}"), NON_ALPHANUMERIC).to_string()
}
