//! The emulator's part of a state file: databases, containers, documents with their places in the log, and
//! the history of all versions. Rids, etags and LSNs survive, so leases and continuations stay valid.
//!
//! One JSON object a line; a container's lines follow it until the next container:
//!
//! | line | |
//! | --- | --- |
//! | `{"database":{"id":…,"rid":…}}` | |
//! | `{"container":{"database":…,"id":…,"rid":…,"definition":{…},"throughput":…,"ranges":[…],"nextRange":…,"generation":…,"created":…}}` | the definition as a client would create it |
//! | `{"lsn":…,"part":…,"document":{…}}` | a latest version that is not in the history |
//! | `{"lsn":…,"part":…,"version":"replace","ts":…,"current":{…},"previous":{…}}` | the history, oldest first in each range; `previous` is left out if it is the `current` of that document's line before |
//! | `{"lsn":…,"version":"delete","ts":…,"epk":…,"id":…}` | `expire` likewise |

mod load;
mod save;

pub(super) use load::Loading;
pub use load::StateFault;
pub use save::Snapshot;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::feed::snapshot::Layout;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    id: String,
    rid: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct ContainerLine {
    database: String,
    id: String,
    rid: String,
    definition: Value,
    /// Request units a second; absent = no offer of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    throughput: Option<u32>,
    #[serde(flatten)]
    layout: Layout,
}

/// Any line of ours.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    database: Option<Database>,
    container: Option<ContainerLine>,
    lsn: Option<u64>,
    #[serde(default)]
    part: u32,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    version: Option<String>,
    ts: Option<u64>,
    #[serde(borrow)]
    current: Option<&'a RawValue>,
    #[serde(borrow)]
    previous: Option<&'a RawValue>,
    /// Place of the previous version in the log.
    #[serde(rename = "previousLsn")]
    previous_lsn: Option<u64>,
    epk: Option<String>,
    id: Option<String>,
}
