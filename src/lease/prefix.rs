//! Ids of lease documents: `processorName + host + "_" + databaseRid + "_" + containerRid`, then `..` and the
//! lease token, or `.info`, or `.lock` (.NET: Utils/CosmosContainerExtensions.cs).

/// What all documents of one processor on one container have in front of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeasePrefix(String);

/// A lease container's id taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseId {
    /// Everything before `..`, `.info` or `.lock`.
    pub prefix: LeasePrefix,
    /// What comes after.
    pub part: IdPart,
}

/// Which document of a processor it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdPart {
    /// A lease, with its token.
    Lease(String),
    /// The marker "leases were created".
    Info,
    /// The lock of whoever creates them.
    Lock,
}

impl LeasePrefix {
    /// The prefix for a source: `host` in lower case without port, rids as the service tells them.
    pub fn new(processor_name: &str, host: &str, database_rid: &str, container_rid: &str) -> Self {
        let rid = |text: &str| text.replace('/', "-");
        Self(format!("{processor_name}{}_{}_{}", host.to_lowercase(), rid(database_rid), rid(container_rid)))
    }

    /// A prefix as it stands in the ids.
    pub fn from_raw(prefix: impl Into<String>) -> Self {
        Self(prefix.into())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Id of the lease with this token.
    pub fn lease_id(&self, token: &str) -> String {
        format!("{}..{token}", self.0)
    }

    /// What the ids of all leases begin with.
    pub fn leases(&self) -> String {
        format!("{}..", self.0)
    }

    /// Id of the marker "leases were created".
    pub fn info_id(&self) -> String {
        format!("{}.info", self.0)
    }

    /// Id of the lock of whoever creates them.
    pub fn lock_id(&self) -> String {
        format!("{}.lock", self.0)
    }

    /// Processor name and host together (nothing separates them), database rid, container rid; `None` for
    /// Java's leases by partition key range, which hold names there.
    pub fn parts(&self) -> Option<(&str, &str, &str)> {
        let (rest, container) = self.0.rsplit_once('_')?;
        let (head, database) = rest.rsplit_once('_')?;
        let base64 = |text: &str, length: usize, pad: &str| {
            text.len() == length
                && text
                    .strip_suffix(pad)
                    .is_some_and(|t| t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'-'))
        };
        (base64(database, 8, "==") && base64(container, 12, "=")).then_some((head, database, container))
    }

    /// The processor name, if the host is the one given; else `None`.
    pub fn processor_name(&self, host: &str) -> Option<&str> {
        self.parts()?.0.strip_suffix(host.to_lowercase().as_str())
    }
}

impl std::fmt::Display for LeasePrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl LeaseId {
    /// Takes an id apart; `None` for documents that are no processor's. Splits at the last `..`: tokens hold no
    /// dot, processor names may.
    pub fn parse(id: &str) -> Option<Self> {
        let (prefix, part) = if let Some(prefix) = id.strip_suffix(".info") {
            (prefix, IdPart::Info)
        } else if let Some(prefix) = id.strip_suffix(".lock") {
            (prefix, IdPart::Lock)
        } else {
            let (prefix, token) = id.rsplit_once("..")?;
            (prefix, IdPart::Lease(token.to_owned()))
        };
        Some(Self { prefix: LeasePrefix(prefix.to_owned()), part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_both_ways() {
        let prefix = LeasePrefix::new("cache-", "Localhost", "bQ8uAA==", "bQ8uAKj/r1s=");
        assert_eq!(prefix.as_str(), "cache-localhost_bQ8uAA==_bQ8uAKj-r1s=");
        assert_eq!(prefix.parts(), Some(("cache-localhost", "bQ8uAA==", "bQ8uAKj-r1s=")));
        assert_eq!(prefix.processor_name("localhost"), Some("cache-"));
        assert_eq!(prefix.processor_name("elsewhere"), None);
        for (id, part) in [
            (prefix.lease_id("-FF"), IdPart::Lease("-FF".into())),
            (prefix.info_id(), IdPart::Info),
            (prefix.lock_id(), IdPart::Lock),
        ] {
            assert_eq!(LeaseId::parse(&id), Some(LeaseId { prefix: prefix.clone(), part }));
        }
    }

    #[test]
    fn dots_in_names_and_javas_names() {
        let id = LeaseId::parse("a..b.localhost_bQ8uAA==_bQ8uAKjLr1s=..0").unwrap();
        assert_eq!(id.prefix.processor_name("localhost"), Some("a..b."));
        assert_eq!(id.part, IdPart::Lease("0".into()));
        assert_eq!(LeaseId::parse("localhost_shop_prices..0").unwrap().prefix.parts(), None);
        assert_eq!(LeaseId::parse("p-000812"), None);
    }
}
