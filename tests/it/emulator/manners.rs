//! How requests are refused, and what odd clients may send.

use serde_json::{Value, json};

use crate::support::emulator::emulator;
use crate::support::raw::{Raw, sign, token};

async fn value(response: reqwest::Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn date(offset_minutes: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(offset_minutes);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn signature_and_clock_are_checked() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let now = date(0);
    let wrong = sign("GET", "dbs", "dbs/other", &now);
    let refused = raw.send_signed("GET", "/dbs/shop", &[], "", &now, &wrong).await;
    assert_eq!(refused.status(), 401);
    let body = value(refused).await;
    assert_eq!(body["code"], "Unauthorized");
    assert!(
        body["message"].as_str().unwrap().contains("The input authorization token can't serve the request.")
    );
    for (minutes, status) in [(-14, 200), (-16, 403), (16, 403)] {
        let at = date(minutes);
        let signed = token("GET", "/dbs/shop", &at);
        let answer = raw.send_signed("GET", "/dbs/shop", &[], "", &at, &signed).await;
        assert_eq!(answer.status(), status, "{minutes} min");
    }
    let unsigned = reqwest::get(format!("{}dbs/shop", emulator.endpoint())).await.unwrap();
    assert_eq!(unsigned.status(), 401);
}

#[tokio::test]
async fn rids_address_what_names_address() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let container = value(raw.send("GET", "/dbs/shop/colls/prices", &[], "").await).await;
    let database = value(raw.send("GET", "/dbs/shop", &[], "").await).await;
    let (db, coll) = (database["_rid"].as_str().unwrap(), container["_rid"].as_str().unwrap());
    let now = date(0);
    // .NET signs the lower-cased rid of the container alone.
    let signed = sign("GET", "pkranges", &coll.to_lowercase(), &now);
    let path = format!("/dbs/{db}/colls/{coll}/pkranges");
    let ranges = raw.send_signed("GET", &path, &[], "", &now, &signed).await;
    assert_eq!(ranges.status(), 200);
    let etag = ranges.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(value(ranges).await["_count"], 4);
    let again = raw.send_signed("GET", &path, &[("if-none-match", &etag)], "", &now, &signed).await;
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn a_slash_at_the_end_counts_for_nothing() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    assert_eq!(raw.send("GET", "/dbs/shop/", &[], "").await.status(), 200);
    assert_eq!(raw.send("GET", "/dbs/shop/colls/prices/", &[], "").await.status(), 200);
}

#[tokio::test]
async fn nonsense_is_refused_and_the_next_request_works() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let docs = "/dbs/shop/colls/prices/docs";
    for (method, path, body) in [
        ("POST", docs, "not json"),
        ("POST", docs, "[]"),
        ("POST", docs, "{}"),
        ("POST", docs, "{\"id\":7}"),
        ("POST", "/dbs/shop/colls", "{\"id\":\"x\"}"),
        ("POST", "/dbs", "{"),
        ("PUT", "/dbs/shop/colls/prices", "{}"),
        ("GET", "/dbs//colls", ""),
        ("GET", "/dbs/%FF", ""),
    ] {
        let refused = raw.send(method, path, &[], body).await;
        assert!(refused.status().is_client_error(), "{method} {path} {body}: {}", refused.status());
        assert!(value(refused).await["message"].is_string());
    }
    for headers in [
        [("a-im", "Incremental feed"), ("if-none-match", "\"junk\"")],
        [("a-im", "Incremental feed"), ("x-ms-start-epk", "ZZ")],
        [("a-im", "Incremental feed"), ("x-ms-documentdb-partitionkey", "{")],
        [("a-im", "Full-Fidelity Feed"), ("x-ms-max-item-count", "1")],
        [("x-ms-max-item-count", "1"), ("x-ms-continuation", "junk")],
    ] {
        assert_eq!(raw.send("GET", docs, &headers, "").await.status(), 400, "{headers:?}");
    }
    assert_eq!(raw.upsert(docs, "a", &json!({"id": "a"}).to_string()).await.status(), 201);
}

#[tokio::test]
async fn https_and_http_share_a_port_and_each_advertises_itself() {
    use azure_data_cosmos::options::{
        BinaryEncodingOptions, ConnectionPoolOptions, ServerCertificateValidation,
    };
    use azure_data_cosmos::{AccountReference, CosmosClient, CosmosRuntime, RoutingStrategy};
    use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};

    let options =
        EmulatorOptions { port: PortChoice::Free, https: true, partitions: 2, ..EmulatorOptions::default() };
    let emulator = Emulator::start(options).await.unwrap();
    assert_eq!(emulator.endpoint().scheme(), "https");
    for http2 in [false, true] {
        let pool = ConnectionPoolOptions::builder()
            .with_is_http2_allowed(http2)
            .with_server_certificate_validation(ServerCertificateValidation::RequiredUnlessEmulator)
            .build()
            .unwrap();
        let runtime = CosmosRuntime::builder().with_connection_pool(pool).build().await.unwrap();
        let key = emulator.key().to_owned();
        let account =
            AccountReference::with_authentication_key(emulator.endpoint().as_str().parse().unwrap(), key);
        let client = CosmosClient::builder()
            .with_runtime(runtime)
            .with_binary_encoding_options(BinaryEncodingOptions::new().with_enabled(false))
            .build(account, RoutingStrategy::ProximityTo("East US".into()))
            .await
            .unwrap();
        client.create_database(&format!("db-{http2}"), None).await.unwrap();
    }
    let plain = Raw::at(&emulator.endpoint().as_str().replace("https", "http"));
    let account = value(plain.send("GET", "/", &[], "").await).await;
    let advertised = account["writableLocations"][0]["databaseAccountEndpoint"].as_str().unwrap();
    assert!(advertised.starts_with("http://127.0.0.1:"));
    let pem = plain.send("GET", "/_explorer/emulator.pem", &[], "").await.bytes().await.unwrap();
    assert_eq!(emulator.certificate_pem().unwrap().as_bytes(), pem);
    let silent =
        tokio::net::TcpStream::connect(("127.0.0.1", emulator.endpoint().port().unwrap())).await.unwrap();
    let before = std::time::Instant::now();
    emulator.stop().await;
    assert!(before.elapsed() < std::time::Duration::from_secs(1));
    drop(silent);
}

#[tokio::test]
async fn throughput_is_found_by_link_and_by_rid_and_replaced() {
    let (emulator, _) = emulator().await;
    let raw = Raw::new(&emulator);
    let spec = json!({"id": "paid", "partitionKey": {"paths": ["/id"], "kind": "Hash", "version": 2}});
    let paid = [("x-ms-offer-throughput", "400")];
    let made = value(raw.send("POST", "/dbs/shop/colls", &paid, spec.to_string()).await).await;
    let (link, rid) = (made["_self"].as_str().unwrap(), made["_rid"].as_str().unwrap());
    let query = [("x-ms-documentdb-isquery", "True"), ("content-type", "application/query+json")];
    let find = async |text: String, parameter: &str| {
        let body = json!({"query": text, "parameters": [{"name": "@x", "value": parameter}]});
        value(raw.send("POST", "/offers", &query, body.to_string()).await).await["Offers"].clone()
    };
    // Node's, Python's and .NET's ways of asking.
    let offer = find(format!(r#"SELECT * from root where root.resource = "{link}""#), "").await[0].clone();
    assert_eq!(offer["resource"], link);
    assert_eq!(find("SELECT * FROM root WHERE root.resource=@x".into(), link).await[0], offer);
    assert_eq!(find("select * from c where c.offerResourceId = @x".into(), rid).await[0], offer);
    assert_eq!(find("select * from c where c.offerResourceId = @x".into(), "other").await, json!([]));
    let mut changed = offer.clone();
    changed["content"]["offerThroughput"] = json!(1_000);
    let path = format!("/offers/{}", offer["id"].as_str().unwrap());
    let replaced = value(raw.send("PUT", &path, &[], changed.to_string()).await).await;
    assert_eq!(
        (&replaced["resource"], &replaced["content"]["offerThroughput"]),
        (&json!(link), &json!(1_000))
    );
}
