//! Mapping and delivery into Redis.

mod dead_letters;
mod delivery;
mod encodings;
mod guard;
mod outages;
mod preview;
mod redis_json;
mod source_away;

use syncscope::cache::CacheClient;
use syncscope::config::RedisConnection;
use syncscope::embedded::{CacheOptions, EmbeddedCache};

/// A real redis-server where there is one, and the in-process server.
async fn caches() -> Vec<(EmbeddedCache, CacheClient)> {
    let mut found = Vec::new();
    for in_process in [false, true] {
        let cache =
            EmbeddedCache::start(CacheOptions { in_process, ..CacheOptions::default() }).await.unwrap();
        let client = CacheClient::connect(&RedisConnection::parse(&cache.url()).unwrap()).await.unwrap();
        found.push((cache, client));
    }
    found
}
