//! The change feed processor: bootstrap, acquire, renew, worker; generic over a [`ChangeHandler`]. Knows no cache.
//!
//! Leases are .NET's, so that instances of ours and of .NET's (a Functions trigger too) share the work on one
//! lease container. Changes are delivered at least once and in order within a lease; a position is stored only
//! after the handler's success.

mod bootstrap;
mod context;
mod coordinator;
mod error;
mod event;
mod handler;
mod held;
mod options;
mod pace;
mod source;
mod split;
mod start;
mod status;
mod worker;

pub use error::ProcessorError;
pub use event::{AcquireReason, ProcessorEvent};
pub use handler::{ChangeBatch, ChangeHandler};
pub use options::ProcessorOptions;
pub use source::FeedSource;
pub use start::{Processor, ProcessorHandle};
pub use status::{ProcessorStatus, WorkerStatus};
