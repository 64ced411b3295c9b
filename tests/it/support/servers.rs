//! The servers that a cache test talks to.

use syncscope::embedded::{CacheOptions, EmbeddedCache};

/// The in-process server, and a real one where there is one (it must be there where CI=true).
pub(crate) async fn servers() -> Vec<EmbeddedCache> {
    let ours = EmbeddedCache::start(CacheOptions { port: None, in_process: true }).await.unwrap();
    let real = EmbeddedCache::start(CacheOptions::default()).await.unwrap();
    if real.product() == "in-process" {
        left_out("redis-server");
        return vec![ours];
    }
    vec![ours, real]
}

/// A part of a test is left out where a program is missing; where CI=true nothing may be missing.
pub(crate) fn left_out(program: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs {program} on the PATH");
}
