//! INFO, read once for Redis and its relatives.

use redis::Value;

/// Figures of a server. Fields that a server does not tell are `None` or 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerStatus {
    /// `redis 7.0.15`, `valkey 9.1.2`, …
    pub product: String,
    /// `master` or `slave`, in the server's word.
    pub role: String,
    /// Keys in our database.
    pub keys: Option<u64>,
    /// Bytes.
    pub used_memory: Option<u64>,
    /// Bytes; `None` = no limit.
    pub maxmemory: Option<u64>,
    /// What happens at the limit, e.g. `noeviction`.
    pub maxmemory_policy: Option<String>,
    /// Keys evicted since the server started.
    pub evicted_keys: u64,
    /// Keys expired since the server started.
    pub expired_keys: u64,
    /// Lookups that found a key.
    pub keyspace_hits: u64,
    /// Lookups that found nothing.
    pub keyspace_misses: u64,
    /// Commands per second, as the server measures it.
    pub ops_per_sec: u64,
    /// The data set is being loaded.
    pub loading: bool,
    /// The newest snapshot succeeded (or none was needed).
    pub snapshot_ok: bool,
}

impl ServerStatus {
    pub(super) fn read(info: &str, keys: Option<u64>) -> Self {
        let number = |name| field(info, name).and_then(|text| text.parse::<u64>().ok());
        Self {
            product: product(info),
            role: field(info, "role").unwrap_or_default().to_owned(),
            keys,
            used_memory: number("used_memory"),
            maxmemory: number("maxmemory").filter(|&limit| limit > 0),
            maxmemory_policy: field(info, "maxmemory_policy").map(ToOwned::to_owned),
            evicted_keys: number("evicted_keys").unwrap_or(0),
            expired_keys: number("expired_keys").unwrap_or(0),
            keyspace_hits: number("keyspace_hits").unwrap_or(0),
            keyspace_misses: number("keyspace_misses").unwrap_or(0),
            ops_per_sec: number("instantaneous_ops_per_sec").unwrap_or(0),
            loading: field(info, "loading") == Some("1"),
            snapshot_ok: field(info, "rdb_last_bgsave_status") != Some("err"),
        }
    }
}

/// The value of `name:value` in an INFO text.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_end)
}

/// Relatives keep `redis_version` for old clients and tell their own beside it.
pub(super) fn product(info: &str) -> String {
    for (name, version) in [
        ("valkey", "valkey_version"),
        ("dragonfly", "dragonfly_version"),
        ("garnet", "garnet_version"),
        ("keydb", "keydb_version"),
        ("syncscope in-process", "syncscope_version"),
        ("redis", "redis_version"),
    ] {
        if let Some(version) = field(info, version) {
            let version = version.strip_prefix("df-").unwrap_or(version);
            return format!("{name} {version}");
        }
    }
    "redis".to_owned()
}

/// A text reply in any of its forms.
pub(super) fn text(reply: &Value) -> Option<String> {
    match reply {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_of_redis_and_relatives() {
        let info = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n# Memory\r\nused_memory:1048576\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\nloading:0\r\nevicted_keys:3\r\nrole:master\r\n";
        let status = ServerStatus::read(info, Some(7));
        assert_eq!(status.product, "redis 7.0.15");
        assert_eq!(status.used_memory, Some(1_048_576));
        assert_eq!(status.maxmemory, None);
        assert_eq!(status.evicted_keys, 3);
        assert_eq!(status.role, "master");
        assert!(status.snapshot_ok && !status.loading);
        assert_eq!(
            product("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n"),
            "valkey 9.1.2"
        );
        assert_eq!(product("redis_version:7.4.0\r\ndragonfly_version:df-v1.2\r\n"), "dragonfly v1.2");
        assert_eq!(product(""), "redis");
    }
}
