//! Settings as the flags that would bring them about: for "same as" lines that can be copied.

use super::{CosmosConnection, EMULATOR_KEY, RedisConnection, Settings};

impl Settings {
    /// Flags for the servers and names that are not the defaults, each with a leading space. Secrets are
    /// never among them: where one is needed, its variable stands in its place.
    pub fn as_flags(&self) -> String {
        let default = Self::default();
        let mut flags = String::new();
        if self.cosmos != default.cosmos {
            flags.push_str(&cosmos(&self.cosmos));
        }
        if self.redis != default.redis {
            flags.push_str(&redis(&self.redis));
        }
        for (flag, value, usual) in [
            ("database", &self.database, &default.database),
            ("container", &self.container, &default.container),
            ("lease-container", &self.lease_container, &default.lease_container),
            ("lease-prefix", &self.lease_prefix, &default.lease_prefix),
            ("key", &self.key, &default.key),
        ] {
            if value != usual {
                flags.extend([" --", flag, " ", &shell_word(value)]);
            }
        }
        flags
    }
}

fn cosmos(connection: &CosmosConnection) -> String {
    if connection.key.expose() == EMULATOR_KEY {
        format!(" --cosmos {}", connection.endpoint)
    } else {
        " --cosmos \"$SYNCSCOPE_COSMOS\"".to_owned()
    }
}

fn redis(connection: &RedisConnection) -> String {
    if connection.password.is_empty() {
        format!(" --redis {}", connection.url())
    } else {
        " --redis \"$SYNCSCOPE_REDIS\"".to_owned()
    }
}

/// A text as one word of a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_the_default() {
        assert_eq!(Settings::default().as_flags(), "");
        let settings = Settings {
            redis: RedisConnection::parse("redis://127.0.0.1:6380/2").unwrap(),
            key: "it's {id}".to_owned(),
            ..Settings::default()
        };
        assert_eq!(settings.as_flags(), r" --redis redis://127.0.0.1:6380/2 --key 'it'\''s {id}'");
    }

    #[test]
    fn secrets_are_named_not_shown() {
        let settings = Settings {
            cosmos: CosmosConnection::parse("AccountEndpoint=https://a.example/;AccountKey=c2VjcmV0;")
                .unwrap(),
            redis: RedisConnection::parse("redis://:hidden@127.0.0.1:6379").unwrap(),
            ..Settings::default()
        };
        let flags = settings.as_flags();
        assert!(!flags.contains("c2VjcmV0") && !flags.contains("hidden"), "{flags}");
        assert!(flags.contains("$SYNCSCOPE_COSMOS") && flags.contains("$SYNCSCOPE_REDIS"), "{flags}");
    }
}
