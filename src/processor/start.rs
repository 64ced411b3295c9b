//! Starting an instance, and the handle that pauses, stops or kills it.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cosmos::Container;
use crate::lease::{LeasePrefix, LeaseStorage, LeaseStore, LeaseUpdater};

use super::bootstrap::check;
use super::context::Context;
use super::coordinator::Coordinator;
use super::status::Board;
use super::{ChangeHandler, FeedSource, ProcessorError, ProcessorEvent, ProcessorOptions, ProcessorStatus};

/// Longest that a stop takes; what is not through then is cut off, its lease expires.
const STOP: Duration = Duration::from_millis(980);

/// A change feed processor over a handler of type `H`.
#[derive(Debug)]
pub struct Processor<H>(PhantomData<H>);

impl<H: ChangeHandler> Processor<H> {
    /// Starts an instance that shares the leases of `prefix` with all others of that prefix.
    ///
    /// Fails only for what waiting cannot help. When a server is away, the instance starts all the same, tries
    /// again with growing pauses and tells so by events; it never gives up by itself.
    pub async fn start(
        source: Container,
        leases: Container,
        prefix: LeasePrefix,
        handler: Arc<H>,
        options: ProcessorOptions,
        events: mpsc::Sender<ProcessorEvent>,
    ) -> Result<ProcessorHandle, ProcessorError> {
        let store = LeaseStore::new(leases).map_err(ProcessorError::LeaseContainer)?;
        Self::start_with(source, Arc::new(store), prefix, handler, options, events).await
    }

    /// As [`Processor::start`], with any source and lease store.
    pub async fn start_with<S: FeedSource, L: LeaseStorage>(
        source: S,
        leases: Arc<L>,
        prefix: LeasePrefix,
        handler: Arc<H>,
        options: ProcessorOptions,
        events: mpsc::Sender<ProcessorEvent>,
    ) -> Result<ProcessorHandle, ProcessorError> {
        if options.instance_name.trim().is_empty() {
            return Err(ProcessorError::NoInstanceName);
        }
        if let Ok(there) = leases.list(&prefix).await {
            check(prefix.as_str(), &there)?;
        }
        let (pause, paused) = watch::channel(false);
        let stop = CancellationToken::new();
        let board = Board::new();
        let status = board.watch();
        let updater = LeaseUpdater::new(leases, options.instance_name.clone(), options.clock);
        let context =
            Context { source, updater, prefix, handler, options, events, board, paused, stop: stop.clone() };
        let task = tokio::spawn(Coordinator::new(Arc::new(context)).run());
        Ok(ProcessorHandle { pause, stop, status, task: Some(task) })
    }
}

/// A running instance. Dropping it kills the instance: its leases expire.
#[derive(Debug)]
pub struct ProcessorHandle {
    pause: watch::Sender<bool>,
    stop: CancellationToken,
    status: watch::Receiver<ProcessorStatus>,
    task: Option<JoinHandle<()>>,
}

impl ProcessorHandle {
    /// Keeps the leases, delivers nothing after the batches under way.
    pub fn pause(&self) {
        self.pause.send_replace(true);
    }

    /// Delivers again, at once.
    pub fn resume(&self) {
        self.pause.send_replace(false);
    }

    /// The newest state, and a signal when it changes.
    pub fn status(&self) -> watch::Receiver<ProcessorStatus> {
        self.status.clone()
    }

    /// Finishes the batches under way (700 ms at most), releases the leases, ends; under a second.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(STOP, &mut task).await.is_err()
        {
            task.abort();
            // Its workers are gone when it is.
            let _ = task.await;
        }
    }

    /// Ends at once, releases nothing: as if the process had died.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for ProcessorHandle {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
