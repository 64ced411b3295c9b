//! Bookmarks of lease positions, looked at and deleted on demand: no lease is touched here. Going back to one
//! is the built-in sync's to do, which may own the leases.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::lease::{Comparison, LeaseStorage, LeaseStore};

use super::command::{BookmarkAsk, BookmarkQuestion};
use super::event::{BookmarkAnswer, BookmarkList, BookmarkRow, BookmarkTold, Event, KeptPositions, Level};
use super::observe::leases::prefix;
use super::source::SourceReceiver;
use super::{BookmarkFiles, NO_LEASE_CONTAINER, NOT_CONNECTED, Shared};

/// Answers until cancelled. A comparison is given up for the next question: whoever asks does not wait for
/// the answer any more.
pub(super) async fn run(
    shared: Arc<Shared>,
    source: SourceReceiver,
    mut questions: mpsc::Receiver<BookmarkQuestion>,
    cancel: CancellationToken,
) {
    let mut next = None;
    loop {
        if next.is_none() {
            next = tokio::select! {
                () = cancel.cancelled() => return,
                question = questions.recv() => question,
            };
        }
        let Some(question) = next.take() else { return };
        let request = question.request;
        let told = match question.ask {
            BookmarkAsk::Compare(name) => tokio::select! {
                () = cancel.cancelled() => return,
                newer = questions.recv() => match newer {
                    Some(newer) => {
                        next = Some(newer);
                        continue;
                    }
                    None => return,
                },
                found = compare(&shared, &source, &name) => BookmarkTold::Compared(found),
            },
            BookmarkAsk::List => BookmarkTold::List(list(&shared, None).await),
            BookmarkAsk::Delete(name) => BookmarkTold::List(delete(&shared, name).await),
            // Not asked here.
            BookmarkAsk::PlanRestore(_) | BookmarkAsk::Restore(_) => continue,
        };
        shared.report.state(Event::Bookmarks(Box::new(BookmarkAnswer { request, told }))).await;
    }
}

/// Does something with the files on a thread that may wait for the disk.
pub(super) async fn with_files<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce(&BookmarkFiles) -> Result<T, super::BookmarkFileError> + Send + 'static,
) -> Result<T, String> {
    let files = BookmarkFiles::of(&shared.settings).map_err(|error| error.to_string())?;
    let done = tokio::task::spawn_blocking(move || work(&files)).await;
    done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

async fn list(shared: &Shared, deleted: Option<(String, Result<(), String>)>) -> BookmarkList {
    let directory = BookmarkFiles::of(&shared.settings).map(|files| files.directory().display().to_string());
    let mut list =
        BookmarkList { directory: directory.unwrap_or_default(), deleted, ..BookmarkList::default() };
    match with_files(shared, BookmarkFiles::list).await {
        Ok((bookmarks, wrong)) => {
            list.rows.extend(bookmarks.into_iter().rev().map(|bookmark| BookmarkRow {
                kept: Ok(KeptPositions {
                    saved_at: bookmark.saved_at,
                    leases: bookmark.leases.len(),
                    source: bookmark.source,
                }),
                name: bookmark.name,
            }));
            let wrong = wrong.into_iter().map(|(name, error)| (name, error.reason()));
            list.rows.extend(wrong.map(|(name, why)| BookmarkRow { name, kept: Err(why) }));
        }
        Err(problem) => list.problem = Some(problem),
    }
    list
}

async fn delete(shared: &Shared, name: String) -> BookmarkList {
    let doomed = name.clone();
    let done = with_files(shared, move |files| files.delete(&doomed)).await;
    let (level, words) = match &done {
        Ok(()) => (Level::Info, format!("deleted the bookmark {name}; no lease was touched")),
        Err(reason) => (Level::Warning, format!("the bookmark {name} was not deleted: {reason}")),
    };
    shared.report.log(level, "lease", words).await;
    list(shared, Some((name, done))).await
}

async fn compare(shared: &Shared, source: &SourceReceiver, name: &str) -> Result<Comparison, String> {
    let wanted = name.to_owned();
    let bookmark = with_files(shared, move |files| files.load(&wanted)).await?;
    let source =
        source.borrow().clone().ok_or_else(|| format!("{NOT_CONNECTED}; it is compared when it is"))?;
    let leases = source.leases.clone().ok_or(NO_LEASE_CONTAINER)?;
    let store = LeaseStore::new(leases).map_err(|error| error.with_remedy())?;
    let prefix = prefix(shared, &source);
    let leases = store.list(&prefix).await.map_err(|error| error.with_remedy())?;
    let expiration = shared.settings.sync.expiration_interval;
    let mut found =
        Comparison::of(&bookmark, &prefix, &leases, expiration).map_err(|error| error.to_string())?;
    for lease in &mut found.leases {
        lease.since = lease.owner.as_deref().map(|owner| shared.owner_seen(owner));
    }
    Ok(found)
}
