//! What can go wrong with a Redis server, by the server's own error texts, each with what to do next.

use std::time::Duration;

/// A request of which nothing can be said, or that was refused as a whole.
///
/// After [`CacheError::Lost`] and [`CacheError::Slow`] the server may or may not have done what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// No connection: refused, no such host, no answer in time.
    #[error("redis {address} is not reachable: {reason}")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("redis {address}: TLS failed: {reason}")]
    Tls {
        /// `host:port`.
        address: String,
        /// The TLS library's words.
        reason: String,
    },
    /// The connection ended while a request was under way.
    #[error("redis {address}: connection lost: {reason}")]
    Lost {
        /// `host:port`.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// No answer within the time limit.
    #[error("redis {address} did not answer within {after:?}")]
    Slow {
        /// `host:port`.
        address: String,
        /// The limit.
        after: Duration,
    },
    /// The server answered with an error.
    #[error("redis {address} refused: {text}")]
    Refused {
        /// `host:port`.
        address: String,
        /// Which kind of error.
        refusal: Refusal,
        /// The server's words.
        text: String,
    },
    /// The server answered something that is not what Redis answers.
    #[error("redis {address} answered unexpectedly: {what}")]
    Unexpected {
        /// `host:port`.
        address: String,
        /// What was wrong.
        what: String,
    },
}

impl CacheError {
    /// What failed, in one line.
    pub fn cause(&self) -> String {
        self.to_string().replace(['\r', '\n'], " ")
    }

    /// Cause and remedy in one line.
    pub fn with_remedy(&self) -> String {
        format!("{}; {}", self.cause(), self.remedy())
    }

    /// What the user can do, in one line.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreachable { .. } => "start Redis there, or give another address with --redis".into(),
            Self::Tls { .. } => {
                "check the scheme (redis:// or rediss://), the port and the server's certificate".into()
            }
            Self::Lost { .. } => "it is tried again by itself".into(),
            Self::Slow { .. } => "look at the server's load (redis-cli --latency, SLOWLOG GET)".into(),
            Self::Refused { refusal, .. } => refusal.remedy().into(),
            Self::Unexpected { .. } => {
                "check that a Redis server listens there, and the scheme (redis:// or rediss://)".into()
            }
        }
    }

    /// The same request may succeed later without anybody changing the configuration.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Slow { .. } => true,
            Self::Refused { refusal, .. } => refusal.is_passing(),
            Self::Tls { .. } | Self::Unexpected { .. } => false,
        }
    }

    /// The kind of the server's refusal, if it is one.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}

/// Why one entry of a batch was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct EntryError {
    /// Which kind of error.
    pub refusal: Refusal,
    /// The server's words.
    pub text: String,
}

impl EntryError {
    /// From the server's error line without the leading `-`.
    pub(super) fn from_line(text: String) -> Self {
        Self { refusal: Refusal::of(&text), text }
    }

    /// What failed, in one line.
    pub fn cause(&self) -> String {
        self.text.clone()
    }

    /// What the user can do, in one line.
    pub fn remedy(&self) -> &'static str {
        self.refusal.remedy()
    }

    /// The same write may succeed later: keep it and try again, do not set it aside.
    pub fn is_passing(&self) -> bool {
        self.refusal.is_passing()
    }
}

/// The errors of Redis that lead to different actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// `NOAUTH`.
    PasswordNeeded,
    /// `WRONGPASS`.
    PasswordWrong,
    /// `ERR AUTH … called without any password configured`.
    PasswordNotExpected,
    /// `NOPERM`: the ACL forbids this command or key.
    NoPermission,
    /// `LOADING`.
    Loading,
    /// `MASTERDOWN`.
    MasterDown,
    /// `READONLY`: a replica.
    ReadOnly,
    /// `OOM`.
    OutOfMemory,
    /// `NOREPLICAS`: fewer than `min-replicas-to-write`.
    NoReplicas,
    /// `MISCONF`: snapshots fail, writes are stopped.
    MisConf,
    /// `BUSY`: a script is running.
    Busy,
    /// `MOVED`, `ASK`: a cluster, the key lives elsewhere.
    Moved,
    /// `TRYAGAIN`.
    TryAgain,
    /// `CROSSSLOT`.
    CrossSlot,
    /// `CLUSTERDOWN`.
    ClusterDown,
    /// `DENIED`: protected mode.
    ProtectedMode,
    /// `ERR max number of clients reached`.
    TooManyClients,
    /// `WRONGTYPE`: the key holds another type.
    WrongType,
    /// `ERR DB index is out of range`.
    DbIndex,
    /// `NOSCRIPT`: the server has forgotten the guard's script.
    ScriptMissing,
    /// `ERR unknown command`.
    UnknownCommand,
    /// Another word in capitals than `ERR`: a condition of the server, not a fault of what was asked.
    Condition,
    /// Anything else.
    Other,
}

impl Refusal {
    /// Sorts a server's error line (texts of Redis 6.2 to 7.0 and Valkey).
    pub fn of(line: &str) -> Self {
        let (code, rest) = line.split_once(' ').unwrap_or((line, ""));
        // Redis before 7 wraps what a command in a script was refused with: `… @user_script: 7: -OOM …`.
        if let Some((_, inner)) =
            rest.split_once("@user_script").and_then(|(_, rest)| rest.rsplit_once(": -"))
            && rest.starts_with("Error running script")
        {
            return Self::of(inner);
        }
        match code {
            "NOAUTH" => Self::PasswordNeeded,
            "WRONGPASS" => Self::PasswordWrong,
            "NOPERM" => Self::NoPermission,
            "LOADING" => Self::Loading,
            "MASTERDOWN" => Self::MasterDown,
            "READONLY" => Self::ReadOnly,
            "OOM" => Self::OutOfMemory,
            "NOREPLICAS" => Self::NoReplicas,
            "MISCONF" => Self::MisConf,
            "BUSY" => Self::Busy,
            "MOVED" | "ASK" => Self::Moved,
            "TRYAGAIN" => Self::TryAgain,
            "CROSSSLOT" => Self::CrossSlot,
            "CLUSTERDOWN" => Self::ClusterDown,
            "DENIED" | "-DENIED" => Self::ProtectedMode,
            "WRONGTYPE" => Self::WrongType,
            "NOSCRIPT" => Self::ScriptMissing,
            _ if rest.contains("without any password configured") => Self::PasswordNotExpected,
            _ if rest.starts_with("max number of clients") => Self::TooManyClients,
            _ if rest.starts_with("DB index is out of range") || rest.starts_with("invalid DB index") => {
                Self::DbIndex
            }
            _ if rest.starts_with("unknown command") || rest.starts_with("Unknown Redis command") => {
                Self::UnknownCommand
            }
            // Dragonfly says so where Redis says OOM.
            _ if rest.starts_with("Out of memory") => Self::OutOfMemory,
            "ERR" | "" => Self::Other,
            _ if code.bytes().all(|byte| byte.is_ascii_uppercase()) => Self::Condition,
            _ => Self::Other,
        }
    }

    /// What the user can do, in one line.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::PasswordNeeded => "give the password: redis://:PASSWORD@host:port",
            Self::PasswordWrong => "correct user and password",
            Self::PasswordNotExpected => "leave the password out: this server has none",
            Self::NoPermission => "ask for an ACL user that may do this",
            Self::Loading => "wait until the server has loaded its data",
            Self::MasterDown => "wait for the failover, or bring the primary back",
            Self::ReadOnly => "connect to the primary: this server is a read-only replica",
            Self::OutOfMemory => "raise maxmemory or choose an eviction policy; writing goes on by itself",
            Self::NoReplicas => {
                "bring its replicas back, or lower min-replicas-to-write; writing goes on by itself"
            }
            Self::MisConf => "the server cannot save to its disk: free space or look into its log",
            Self::Busy => "a script keeps the server busy: wait, or SCRIPT KILL",
            Self::Moved => "connect to the node that owns the key: cluster redirects are not followed",
            Self::TryAgain => "wait: the cluster is moving these keys",
            Self::CrossSlot => "the keys live on different nodes of the cluster",
            Self::ClusterDown => "bring the cluster's missing nodes back",
            Self::ProtectedMode => "set a password on the server or connect from its own machine",
            Self::TooManyClients => "close other clients or raise maxclients",
            Self::WrongType => "the key holds another type: choose one encoding, or delete the key",
            Self::DbIndex => "choose a database number that the server has (usually 0 to 15)",
            Self::UnknownCommand => {
                "this server does not have the command: for JSON.SET it needs RedisJSON, or choose another --encoding"
            }
            Self::ScriptMissing => "it is loaded again by itself",
            Self::Condition | Self::Other => "look at the server's words",
        }
    }

    /// It may pass without anybody changing our configuration.
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            Self::Loading
                | Self::MasterDown
                | Self::ReadOnly
                | Self::OutOfMemory
                | Self::NoReplicas
                | Self::MisConf
                | Self::Condition
                | Self::Busy
                | Self::TryAgain
                | Self::ClusterDown
                | Self::TooManyClients
                | Self::ScriptMissing
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn the_servers_own_words_are_told_apart() {
        for (line, refusal, passing) in [
            ("NOAUTH Authentication required.", Refusal::PasswordNeeded, false),
            ("WRONGPASS invalid username-password pair or user is disabled.", Refusal::PasswordWrong, false),
            (
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
                Refusal::PasswordNotExpected,
                false,
            ),
            (
                "NOPERM this user has no permissions to run the 'config|get' command",
                Refusal::NoPermission,
                false,
            ),
            ("LOADING Redis is loading the dataset in memory", Refusal::Loading, true),
            (
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                Refusal::MasterDown,
                true,
            ),
            ("READONLY You can't write against a read only replica.", Refusal::ReadOnly, true),
            ("OOM command not allowed when used memory > 'maxmemory'.", Refusal::OutOfMemory, true),
            ("ERR Out of memory", Refusal::OutOfMemory, true),
            (
                "ERR Error running script (call to f_9f): @user_script:29: @user_script: 29: -OOM command not allowed when used memory > 'maxmemory'.",
                Refusal::OutOfMemory,
                true,
            ),
            ("ERR Unknown Redis command called from script script: 9f", Refusal::UnknownCommand, false),
            ("MISCONF Redis is configured to save RDB snapshots, but…", Refusal::MisConf, true),
            ("NOREPLICAS Not enough good replicas to write.", Refusal::NoReplicas, true),
            ("SOMETHING of a server to come", Refusal::Condition, true),
            ("BUSY Redis is busy running a script.", Refusal::Busy, true),
            ("MOVED 12182 127.0.0.1:7001", Refusal::Moved, false),
            ("CLUSTERDOWN Hash slot not served", Refusal::ClusterDown, true),
            ("DENIED Redis is running in protected mode…", Refusal::ProtectedMode, false),
            ("ERR max number of clients reached", Refusal::TooManyClients, true),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", Refusal::WrongType, false),
            ("ERR DB index is out of range", Refusal::DbIndex, false),
            ("ERR unknown command `FOO`, with args beginning with: ", Refusal::UnknownCommand, false),
            ("NOSCRIPT No matching script. Please use EVAL.", Refusal::ScriptMissing, true),
            ("ERR syntax error", Refusal::Other, false),
            ("", Refusal::Other, false),
        ] {
            assert_eq!(Refusal::of(line), refusal, "{line}");
            assert_eq!(refusal.is_passing(), passing, "{line}");
        }
    }
}
