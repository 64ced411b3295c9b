//! Flags of the mapping: what a document becomes in the cache.

use clap::Args;

use crate::config::{Key, Overrides};

/// What a document becomes, beside its key.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Mapping")]
pub struct MappingArgs {
    /// What of a document becomes the value: document (byte for byte) or stripped (without Cosmos's own
    /// fields) [default: document]
    #[arg(long, global = true, value_name = "SHAPE")]
    pub value: Option<String>,
    /// A jq expression that makes the value; each output is an entry [default: none]
    ///
    /// In templates {a.b} is a field of the document and {.a.b} one of the output.
    #[arg(long, global = true, value_name = "EXPRESSION")]
    pub jq: Option<String>,
    /// How the value is kept: string, distributed-cache (.NET), fields or json (RedisJSON)
    /// [default: string]
    #[arg(long, global = true, value_name = "ENCODING")]
    pub encoding: Option<String>,
    /// InstanceName of .NET's IDistributedCache: stands before every key [default: ""]
    #[arg(long, global = true, value_name = "TEXT")]
    pub cache_instance: Option<String>,
    /// A further key template: the same value under that key too; may be repeated
    #[arg(long, global = true, value_name = "TEMPLATE")]
    pub more_keys: Vec<String>,
    /// How long an entry lives: none or a time such as 15m or 7d [default: none]
    #[arg(long, global = true, value_name = "TIME")]
    pub ttl: Option<String>,
    /// Field with the TTL: seconds from _ts on, or a time such as 2026-03-01T12:00:00Z
    #[arg(long, global = true, value_name = "PATH")]
    pub ttl_field: Option<String>,
    /// Field that marks a deleted document: its entries are deleted
    #[arg(long, global = true, value_name = "PATH")]
    pub delete_field: Option<String>,
    /// jq predicate for deleted documents: their entries are deleted
    #[arg(long, global = true, value_name = "EXPRESSION")]
    pub delete_jq: Option<String>,
    /// Keep older versions from replacing newer ones: on, off, or auto (on for hashes) [default: auto]
    #[arg(long, global = true, value_name = "WHEN", num_args = 0..=1, require_equals = true,
          default_missing_value = "on")]
    pub guard: Option<String>,
}

impl MappingArgs {
    pub(super) fn lay_over(&self, overrides: &mut Overrides) {
        let texts = [
            (Key::Value, self.value.as_deref()),
            (Key::Jq, self.jq.as_deref()),
            (Key::Encoding, self.encoding.as_deref()),
            (Key::CacheInstance, self.cache_instance.as_deref()),
            (Key::Ttl, self.ttl.as_deref()),
            (Key::TtlField, self.ttl_field.as_deref()),
            (Key::DeleteField, self.delete_field.as_deref()),
            (Key::DeleteJq, self.delete_jq.as_deref()),
            (Key::Guard, self.guard.as_deref()),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                overrides.set(key, text);
            }
        }
        if !self.more_keys.is_empty() {
            overrides.set(Key::MoreKeys, self.more_keys.join(","));
        }
    }
}
