//! Entries in every encoding, written and read back; `map --doc`.

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use syncscope::cache::{CacheClient, Encoding, Refusal};
use syncscope::config::{Guard, MappingSettings, RedisConnection, Settings, ValueEncoding};
use syncscope::embedded::{CacheKind, CacheOptions, EmbeddedCache};
use syncscope::sync::Mapping;
use tokio::io::AsyncWriteExt;

use crate::support::pair::{Ran, gather, program};

async fn caches() -> Vec<(EmbeddedCache, CacheClient)> {
    let mut found = Vec::new();
    for kind in [CacheKind::Auto, CacheKind::InProcess] {
        let cache = EmbeddedCache::start(CacheOptions { kind, ..CacheOptions::default() }).await.unwrap();
        let client = CacheClient::connect(&RedisConnection::parse(&cache.url()).unwrap()).await.unwrap();
        found.push((cache, client));
    }
    found
}
