//! Host names as the rules of trust see them: what is loopback, what two spellings have in common.

use std::net::IpAddr;

use url::Url;

/// Whether a host can only be this machine: `localhost` (and names below it), `127.0.0.0/8`, `::1`.
///
/// No name is resolved: `/etc/hosts` must not be able to widen what may be written to.
pub fn is_loopback(host: &str) -> bool {
    let host = normal(host);
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Lower case, without brackets and final dot: the form in which hosts are compared.
pub(super) fn normal(host: &str) -> String {
    let host = host.trim();
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// The host that a user names with `--allow-remote`: bare, with a port, or as a URL.
pub(super) fn named(text: &str) -> Result<String, String> {
    let text = text.trim();
    let host = if text.contains("://") {
        Url::parse(text).ok().and_then(|url| url.host_str().map(normal)).unwrap_or_default()
    } else {
        split_port(text).map(|(host, _)| normal(host)).unwrap_or_default()
    };
    if host.is_empty() || host.contains(['*', '/', '@', ' ']) {
        return Err("must name one host, e.g. myaccount.documents.azure.com".to_owned());
    }
    Ok(host)
}

/// Splits `host[:port]`, `[v6][:port]` or a bare `v6`.
pub(super) fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    let port = |digits: &str| match digits.parse::<u16>() {
        Ok(0) | Err(_) => Err("the port must be a number from 1 to 65535".to_owned()),
        Ok(port) => Ok(Some(port)),
    };
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, after)) = rest.split_once(']') else {
            return Err("the address has a [ without ]".to_owned());
        };
        return match after.strip_prefix(':') {
            Some(digits) => Ok((host, port(digits)?)),
            None if after.is_empty() => Ok((host, None)),
            None => Err("only :port may follow an address in brackets".to_owned()),
        };
    }
    match text.split_once(':') {
        Some((host, digits)) if !digits.contains(':') => Ok((host, port(digits)?)),
        _ => Ok((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_not_a_matter_of_spelling() {
        for host in ["localhost", "LOCALHOST.", "api.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        assert!(is_loopback("::ffff:127.0.0.1"));
        for host in ["", "localhost.example.com", "0.0.0.0", "127.0.0.1.nip.io", "10.0.0.1", "notlocalhost"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_host_may_be_named_in_three_ways() {
        for text in [
            "Shop.Documents.Azure.com",
            "shop.documents.azure.com:443",
            "https://shop.documents.azure.com:443/",
        ] {
            assert_eq!(named(text).as_deref(), Ok("shop.documents.azure.com"), "{text}");
        }
        for text in ["", "*", "*.azure.com", "a b", "https://"] {
            assert!(named(text).is_err(), "{text}");
        }
    }
}
