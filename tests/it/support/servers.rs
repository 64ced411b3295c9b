//! The servers that a cache test talks to.

use syncscope::embedded::{CacheOptions, EmbeddedCache};

/// The in-process server, and a real one where there is one (it must be there where CI=true).
pub(crate) async fn servers() -> Vec<EmbeddedCache> {
    let ours = EmbeddedCache::start(CacheOptions { port: None, in_process: true }).await.unwrap();
    let real = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    if real.product() == "in-process" {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs redis-server on the PATH");
        return vec![ours];
    }
    vec![ours, real]
}
