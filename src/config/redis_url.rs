//! Where a Redis is, as people write it: `host[:port]`, a URL, or a StackExchange.Redis string.
//!
//! URLs are those of the redis crate and redis-cli: `redis://[user:password@]host[:6379][/db]`,
//! `rediss://` for TLS, parts percent-encoded. What they would silently ignore is refused here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer};
use url::Url;

use super::{RedisConnection, Secret, host, redis_stackexchange};

/// Redis' own port, with and without TLS.
pub(super) const PORT: u16 = 6379;

/// What may stand in a URL's user part as it is.
const USER_PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl RedisConnection {
    /// Reads any of the three forms. Errors are one line and quote no value, because it may be a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty; give a URL such as redis://127.0.0.1:6379".to_owned());
        }
        // A password of a StackExchange string may hold `://`, but then `=` or `,` comes before it.
        match text.find("://") {
            Some(at) if !text[..at].contains(['=', ',']) => from_url(text),
            _ if text.starts_with('/') => Err(SOCKET.to_owned()),
            _ => redis_stackexchange::parse(text),
        }
    }

    /// The URL that any client understands. Holds the password: for data output only.
    pub fn url(&self) -> String {
        self.url_with(&utf8_percent_encode(self.password.expose(), USER_PART).to_string())
    }

    /// For the screen: the URL without the password.
    pub fn masked(&self) -> String {
        self.url_with("***")
    }

    /// `host:port`, for the header and for messages.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    fn url_with(&self, password: &str) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let user = self.username.as_deref().unwrap_or_default();
        let user = match (user.is_empty(), self.password.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!("{}@", utf8_percent_encode(user, USER_PART)),
            (_, false) => format!("{}:{password}@", utf8_percent_encode(user, USER_PART)),
        };
        let database = if self.database == 0 { String::new() } else { format!("/{}", self.database) };
        format!("{scheme}://{user}{}{database}", self.address())
    }
}

impl<'de> Deserialize<'de> for RedisConnection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(super::checked::Parsed(Self::parse))
    }
}

/// Said where a Unix socket is named.
pub(super) const SOCKET: &str = "names a Unix socket, which syncscope cannot use yet; give host and port";

fn from_url(text: &str) -> Result<RedisConnection, String> {
    let url = Url::parse(text).map_err(|error| format!("is no URL ({error})"))?;
    let tls = match url.scheme() {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        "unix" | "redis+unix" | "valkey+unix" => return Err(SOCKET.to_owned()),
        _ => return Err("must begin with redis:// or rediss://".to_owned()),
    };
    let host = url.host_str().map(host::normal).filter(|host| !host.is_empty()).ok_or("has no host")?;
    if url.port() == Some(0) {
        return Err("must have a port from 1 to 65535".to_owned());
    }
    let decoded = |part: &str| {
        percent_decode_str(part)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| "has a user or password that is not UTF-8".to_owned())
    };
    let username = decoded(url.username())?;
    let password = decoded(url.password().unwrap_or_default())?;
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            // Both protocol versions serve us; which one is used is not for the URL to say.
            "protocol" if matches!(value.as_ref(), "resp2" | "resp3" | "2" | "3") => {}
            "protocol" => return Err("has a protocol other than resp2 and resp3".to_owned()),
            // Clients ignore this one silently and use database 0.
            "db" => return Err("must give the database as path: redis://host:6379/3, not ?db=3".to_owned()),
            _ => return Err("has an option after ? that is not known; only protocol is".to_owned()),
        }
    }
    match url.fragment() {
        None | Some("") => {}
        Some("insecure") => {
            return Err("asks for #insecure; certificates are always checked".to_owned());
        }
        Some(_) => return Err("must not hold #; write it as %23".to_owned()),
    }
    Ok(RedisConnection {
        host,
        port: url.port().unwrap_or(PORT),
        tls,
        username: Some(username).filter(|name| !name.is_empty()),
        password: Secret::new(password),
        database: database(url.path().trim_start_matches('/').trim_end_matches('/'))?,
    })
}

/// The number of a database; nothing = 0.
pub(super) fn database(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse::<u16>().map(i64::from).map_err(|_| "must have a number as database".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls() {
        let all =
            RedisConnection::parse("rediss://me:p%40ss%2C@Cache.example.com:6380/3?protocol=resp3").unwrap();
        let expected = RedisConnection {
            host: "cache.example.com".to_owned(),
            port: 6380,
            tls: true,
            username: Some("me".to_owned()),
            password: Secret::new("p@ss,"),
            database: 3,
        };
        assert_eq!(all, expected);
        assert_eq!(all.masked(), "rediss://me:***@cache.example.com:6380/3");
        let bare = RedisConnection::parse("redis://[::1]").unwrap();
        assert_eq!((bare.address().as_str(), bare.tls, bare.database), ("[::1]:6379", false, 0));
        assert_eq!(RedisConnection::parse("localhost:7000").unwrap().address(), "localhost:7000");
        assert_eq!(RedisConnection::parse("valkey://:pw@h").unwrap().url(), "redis://:pw@h:6379");
    }

    #[test]
    fn traps_are_told_and_nothing_is_quoted() {
        for (text, part) in [
            ("redis://h?db=3", "redis://host:6379/3"),
            ("redis://h/three", "number"),
            ("redis://h/-1", "number"),
            ("unix:///tmp/s3cret.sock", "socket"),
            ("/tmp/s3cret.sock", "socket"),
            ("http://h", "redis://"),
            ("redis://:s3cret@", "no URL"),
            ("redis://:s3cret#x@h:1", "no URL"),
            ("rediss://:s3cret@h#insecure", "always checked"),
            ("redis://:s3cret@h:99999", "no URL"),
            ("redis://:s3cret@h?s3cret=1", "not known"),
            ("", "empty"),
        ] {
            let error = RedisConnection::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_password_never_shows() {
        let found = RedisConnection::parse("redis://me:s3cret@h").unwrap();
        assert!(!format!("{found:?} {}", found.masked()).contains("s3cret"));
    }

    proptest! {
        #[test]
        fn any_text_is_an_answer(text in "\\PC*") {
            let _ = RedisConnection::parse(&text);
        }

        #[test]
        fn texts_near_the_grammar_are_an_answer(
            text in "(rediss?://|unix:|[:/=,@%#?!$\\[\\] ]|localhost|password|ssl|db|[0-9]{1,6}|é){0,12}"
        ) {
            let _ = RedisConnection::parse(&text);
        }

        #[test]
        fn a_connection_survives_its_own_url(
            host in "[a-z][a-z0-9]{0,12}(\\.[a-z]{2,5}){0,2}", port in 1_u16.., tls: bool,
            username in proptest::option::of("\\PC{1,12}"), password in "\\PC{0,24}", database in 0_i64..=65535,
        ) {
            let first = RedisConnection { host, port, tls, username, password: Secret::new(password), database };
            prop_assert_eq!(RedisConnection::parse(&first.url()).unwrap(), first);
        }
    }
}
