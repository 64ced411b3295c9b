//! Redis connections in the form of StackExchange.Redis (`ConfigurationOptions`), as .NET projects have them:
//! `host:6380,password=…,ssl=True,defaultDatabase=2`. Tokens are cut at commas and trimmed; the first `=`
//! splits, so a password may hold `=` but never a comma; names are read in any case.

use super::{RedisConnection, Secret, host, redis_url};

/// Port that StackExchange.Redis takes with `ssl=true`.
const TLS_PORT: u16 = 6380;

/// Options that only tune the .NET client, or say what syncscope decides by itself.
const OF_NO_CONCERN: [&str; 27] = [
    "abortconnect",
    "allowadmin",
    "asynctimeout",
    "channelprefix",
    "checkcertificaterevocation",
    "configchannel",
    "configcheckseconds",
    "connectretry",
    "connecttimeout",
    "heartbeatconsistencychecks",
    "heartbeatinterval",
    "highintegrity",
    "keepalive",
    "name",
    "preserveasyncorder",
    "protocol",
    "resolvedns",
    "responsetimeout",
    "setlib",
    "sslhost",
    "sslprotocols",
    "synctimeout",
    "tiebreaker",
    "tunnel",
    "version",
    "writebuffer",
    "proxy",
];

pub(super) fn parse(text: &str) -> Result<RedisConnection, String> {
    let mut endpoint = None;
    let (mut tls, mut database) = (false, 0);
    let (mut username, mut password) = (None, Secret::default());
    for token in text.split(',').map(str::trim).filter(|token| !token.is_empty()) {
        let Some((name, value)) = token.split_once('=') else {
            if endpoint.replace(token).is_some() {
                return Err("names more than one server; syncscope connects to one \
                            (a comma in a password cannot be written in this form: use a redis:// URL)"
                    .to_owned());
            }
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "password" => password = Secret::new(value),
            "user" => username = Some(value.to_owned()).filter(|name| !name.is_empty()),
            "ssl" => tls = switch(value)?,
            "defaultdatabase" => database = redis_url::database(value)?,
            "servicename" | "sentineluser" | "sentinelpassword" => {
                return Err(
                    "asks for Redis Sentinel, which syncscope cannot use; name the primary itself".to_owned()
                );
            }
            _ if OF_NO_CONCERN.contains(&name.as_str()) => {}
            // `$CMD=` disables or renames a command for the .NET client.
            _ if name.starts_with('$') => {}
            // The name is not quoted: after a comma in a password it is a part of that password.
            _ => {
                return Err("has an option that StackExchange.Redis does not know \
                            (a comma in a password cannot be written in this form: use a redis:// URL)"
                    .to_owned());
            }
        }
    }
    let endpoint = endpoint.ok_or("names no server; begin with host:port")?;
    if endpoint.starts_with('!') {
        return Err(redis_url::SOCKET.to_owned());
    }
    let (name, port) = host::split_port(endpoint)?;
    let host = host::normal(name);
    // The endpoint may be a password cut by a comma: it is not quoted.
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "/@?#%\\[]".contains(c)) {
        return Err("has no valid host; the form is host:port,password=…,ssl=True".to_owned());
    }
    let port = port.unwrap_or(if tls { TLS_PORT } else { redis_url::PORT });
    Ok(RedisConnection { host, port, tls, username, password, database })
}

fn switch(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err("must have True or False as ssl".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn azure_cache() {
        let text = "shop.redis.cache.windows.net:6380,password=a=b==,ssl=True,abortConnect=False";
        let found = parse(text).unwrap();
        assert_eq!(found.address(), "shop.redis.cache.windows.net:6380");
        assert_eq!((found.tls, found.password.expose(), found.database), (true, "a=b==", 0));
    }

    #[test]
    fn ports_follow_ssl_and_case_does_not_matter() {
        assert_eq!(parse("h, SSL = true").unwrap().port, 6380);
        let found = parse("[::1]:7000,$FLUSHALL=,User=me,DefaultDatabase=4").unwrap();
        assert_eq!((found.address().as_str(), found.database), ("[::1]:7000", 4));
        assert_eq!(found.username.as_deref(), Some("me"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_values() {
        for (text, part) in [
            ("password=s3cret", "no server"),
            ("h,password=x,s3cret", "comma"),
            ("h,password=x,s3cret=y", "comma"),
            ("h1,h2", "more than one"),
            ("h,ssl=s3cret", "True or False"),
            ("h,serviceName=s3cret", "Sentinel"),
            ("!/tmp/s3cret", "socket"),
            ("h:s3cret", "port"),
            ("user@s3cret", "no valid host"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn options_come_in_any_order(
            mut options in Just(vec!["h:7000", "password=p=w", "user=me", "ssl=true", "defaultDatabase=3"]).prop_shuffle(),
            extra in proptest::sample::select(&OF_NO_CONCERN[..]),
        ) {
            let extra = format!("{extra}=x");
            options.push(&extra);
            let found = parse(&options.join(",")).unwrap();
            prop_assert_eq!(found.url(), "rediss://me:p%3Dw@h:7000/3");
        }
    }
}
