//! Probes: how long a write takes to the feed and into the cache, by stage.
