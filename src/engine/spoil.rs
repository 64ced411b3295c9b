//! A wrong value in the cache of a demo, written past the sync as a careless hand would, so that drift
//! can be shown. Only where cache and source are our own and die with us.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::cache::{CacheClient, CacheWrite};

use super::Shared;
use super::event::Level;

/// Longest value that is spoiled.
const MAX_VALUE: usize = 1 << 20;

/// Spoils the entry of a key, and tells how that went.
pub(super) async fn spoil(shared: &Shared, embedded: bool, key: &str) {
    let (level, text) = if embedded {
        match overwrite(shared, key).await {
            Ok(text) => (Level::Warning, text),
            Err(text) => (Level::Error, text),
        }
    } else {
        (Level::Error, "only the cache of `syncscope demo` is spoiled on purpose".to_owned())
    };
    shared.report.log(level, "tour", text).await;
}

async fn overwrite(shared: &Shared, key: &str) -> Result<String, String> {
    let tell = |error: crate::cache::CacheError| error.with_remedy();
    let cache = CacheClient::connect(&shared.settings.redis).await.map_err(tell)?;
    let entry = cache.entry(key, MAX_VALUE).await.map_err(tell)?;
    let Some(entry) = entry else { return Err(format!("there is no entry {key} to spoil")) };
    let wrong = CacheWrite::Set {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: wrong_price(&entry.value).into(),
        ttl: None,
    };
    cache.write(&[wrong]).await.map_err(tell)?;
    Ok(format!("somebody wrote a wrong price to {key}, past the sync"))
}

/// The same document with every amount of its price wrong; any other value becomes a text.
fn wrong_price(value: &[u8]) -> Vec<u8> {
    fn spoil(value: &mut Value, in_price: bool) {
        match value {
            Value::Number(_) if in_price => *value = json!(0.01),
            Value::Object(members) => {
                for (name, member) in members {
                    let priced = in_price || name.to_lowercase().contains("price");
                    spoil(member, priced);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, in_price)),
            _ => {}
        }
    }
    match serde_json::from_slice::<Value>(value) {
        Ok(mut document @ Value::Object(_)) => {
            spoil(&mut document, false);
            document.to_string().into_bytes()
        }
        _ => b"a value that no document makes".to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_go_wrong_and_nothing_else() {
        let spoiled = wrong_price(br#"{"id":"p-1","stock":7,"price":{"current":12.5,"currency":"GBP"}}"#);
        let spoiled: Value = serde_json::from_slice(&spoiled).unwrap();
        assert_eq!(spoiled, json!({"id": "p-1", "stock": 7, "price": {"current": 0.01, "currency": "GBP"}}));
        assert_ne!(wrong_price(b"12"), b"12");
    }
}
