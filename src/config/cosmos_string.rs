//! Where a Cosmos DB is, as people write it: `host:port`, a URL, or a connection string
//! `AccountEndpoint=…;AccountKey=…;` (grammar of the .NET SDK's `CosmosClientOptions`: any order and
//! case, last `;` optional, values may hold `=`, unknown keys are ignored).

use serde::{Deserialize, Deserializer};
use url::Url;

use super::{CosmosConnection, Secret, host};

/// The key of every Cosmos emulator: public, printed in Microsoft's documentation.
pub const EMULATOR_KEY: &str =
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==";

/// Port of the emulators.
const EMULATOR_PORT: u16 = 8081;

impl CosmosConnection {
    /// Reads any of the three forms. Errors are one line and quote no value, because it may be a key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty; give a URL or a connection string".to_owned());
        }
        let (address, key) = if is_connection_string(text) { split(text)? } else { (text, None) };
        let (endpoint, scheme_given) = endpoint(address)?;
        let loopback = endpoint.host_str().is_some_and(host::is_loopback);
        let key = match key {
            Some(key) => Secret::new(key),
            None if loopback => Secret::new(EMULATOR_KEY),
            None => {
                return Err("has no account key; outside this machine give \
                            AccountEndpoint=https://…;AccountKey=…; (the portal's page \"Keys\" has it)"
                    .to_owned());
            }
        };
        Ok(Self { endpoint, key, probe_scheme: !scheme_given && loopback })
    }

    /// The connection string that any Cosmos client understands. Holds the key: for data output only.
    pub fn connection_string(&self) -> String {
        format!("AccountEndpoint={};AccountKey={};", self.endpoint, self.key.expose())
    }

    /// For people: the same without the key.
    pub fn masked(&self) -> String {
        if self.key.expose() == EMULATOR_KEY {
            let scheme = if self.probe_scheme { "https or http, " } else { "" };
            let address = if self.probe_scheme { self.address() } else { self.endpoint.to_string() };
            format!("{address} ({scheme}the well-known emulator key)")
        } else {
            format!("AccountEndpoint={};AccountKey=***;", self.endpoint)
        }
    }

    /// `host:port`, for the header and for messages.
    pub fn address(&self) -> String {
        let host = self.endpoint.host_str().unwrap_or_default();
        format!("{host}:{}", self.endpoint.port_or_known_default().unwrap_or(EMULATOR_PORT))
    }
}

impl<'de> Deserialize<'de> for CosmosConnection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(super::checked::Parsed(Self::parse))
    }
}

/// `NAME=value` before any `://`.
fn is_connection_string(text: &str) -> bool {
    match (text.find('='), text.find("://")) {
        (Some(equals), Some(scheme)) => equals < scheme,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    let (mut endpoint, mut key) = (None, None);
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err("has a part without \"=\"; the form is AccountEndpoint=…;AccountKey=…;".to_owned());
        };
        let value = value.trim();
        let slot = match name.trim().to_ascii_lowercase().as_str() {
            "accountendpoint" => &mut endpoint,
            "accountkey" => &mut key,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(format!("gives {} twice", canonical(name)));
        }
        if value.is_empty() {
            return Err(format!("gives {} no value", canonical(name)));
        }
    }
    let endpoint = endpoint.ok_or("has no AccountEndpoint")?;
    Ok((endpoint, key))
}

fn canonical(name: &str) -> &'static str {
    if name.trim().eq_ignore_ascii_case("accountkey") { "AccountKey" } else { "AccountEndpoint" }
}

/// Scheme, host and port, and whether the scheme was given.
fn endpoint(text: &str) -> Result<(Url, bool), String> {
    let scheme_given = text.contains("://");
    let url = if scheme_given { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
    let mut url = url.map_err(|error| format!("is no address ({error}); e.g. https://localhost:8081"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must be http or https".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must have no user in the URL; Cosmos DB is opened by AccountKey".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("must end after host and port; database and container have their own flags".to_owned());
    }
    if url.port() == Some(0) {
        return Err("must have a port from 1 to 65535".to_owned());
    }
    if !scheme_given
        && url.port().is_none()
        && !explicit_port(text)
        && url.host_str().is_some_and(host::is_loopback)
    {
        // A bare `localhost` means the emulator.
        url.set_port(Some(EMULATOR_PORT)).map_err(|()| "must have a host".to_owned())?;
    }
    Ok((url, scheme_given))
}

/// `localhost:443` parses to no port, because 443 is https's own.
fn explicit_port(text: &str) -> bool {
    host::split_port(text.trim_end_matches('/')).is_ok_and(|(_, port)| port.is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> CosmosConnection {
        CosmosConnection::parse(text).unwrap()
    }

    #[test]
    fn a_bare_loopback_address_is_the_emulator_with_its_known_key() {
        for text in ["localhost:8081", " localhost ", "LocalHost:8081/"] {
            let found = parse(text);
            assert_eq!(found.endpoint.as_str(), "https://localhost:8081/", "{text}");
            assert_eq!(found.key.expose(), EMULATOR_KEY);
            assert!(found.probe_scheme);
        }
        assert!(!parse("http://127.0.0.1:8081").probe_scheme);
        assert_eq!(parse("[::1]:9000").address(), "[::1]:9000");
        assert_eq!(parse("localhost:443").address(), "localhost:443");
    }

    #[test]
    fn connection_strings_in_any_order_and_case() {
        let expected = parse("AccountEndpoint=https://shop.documents.azure.com:443/;AccountKey=a2V5==;");
        assert_eq!(expected.key.expose(), "a2V5==");
        assert_eq!(expected.address(), "shop.documents.azure.com:443");
        for text in [
            "accountkey=a2V5==;ACCOUNTENDPOINT=https://shop.documents.azure.com:443/",
            " AccountKey = a2V5== ; AccountEndpoint = https://shop.documents.azure.com ; Database=x;Container=y",
            "DisableServerCertificateValidation=True;AccountEndpoint=https://SHOP.documents.azure.com;AccountKey=a2V5==",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        let emulator = parse("AccountEndpoint=http://127.0.0.1:8081/;");
        assert_eq!(emulator.key.expose(), EMULATOR_KEY);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_values() {
        for (text, part) in [
            ("", "is empty"),
            ("https://shop.documents.azure.com", "no account key"),
            ("shop.documents.azure.com:443", "no account key"),
            ("AccountKey=c2VjcmV0", "no AccountEndpoint"),
            ("AccountEndpoint=https://localhost;AccountKey=", "AccountKey no value"),
            ("AccountEndpoint=https://localhost;AccountKey=c2VjcmV0;AccountKey=c2VjcmV0", "AccountKey twice"),
            ("AccountEndpoint=https://localhost;c2VjcmV0", "without \"=\""),
            ("https://me:c2VjcmV0@localhost", "no user"),
            ("https://localhost/shop", "host and port"),
            ("ftp://localhost", "http or https"),
            ("localhost:99999", "no address"),
        ] {
            let error = CosmosConnection::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("c2VjcmV0"), "{error}");
        }
    }

    #[test]
    fn a_key_never_shows() {
        let found = parse("AccountEndpoint=https://shop.documents.azure.com;AccountKey=c2VjcmV0;");
        assert!(!format!("{found:?} {}", found.masked()).contains("c2VjcmV0"));
    }

    proptest! {
        #[test]
        fn any_text_is_an_answer(text in "\\PC*") {
            let _ = CosmosConnection::parse(&text);
        }

        #[test]
        fn texts_near_the_grammar_are_an_answer(
            text in "(AccountEndpoint|accountkey|x|https?|[:/=;\\[\\] ]|localhost|[0-9]{1,6}|é){0,12}"
        ) {
            let _ = CosmosConnection::parse(&text);
        }

        #[test]
        fn a_connection_survives_its_own_text(
            host in "[a-z][a-z0-9]{0,12}(\\.[a-z]{2,5}){0,2}", port in 1_u16.., key in "[A-Za-z0-9+/]{1,86}={0,2}",
            https: bool,
        ) {
            let scheme = if https { "https" } else { "http" };
            let text = format!("AccountKey={key};AccountEndpoint={scheme}://{host}:{port}");
            let first = CosmosConnection::parse(&text).unwrap();
            prop_assert_eq!(first.key.expose(), &key);
            prop_assert_eq!(CosmosConnection::parse(&first.connection_string()).unwrap(), first);
        }
    }
}
