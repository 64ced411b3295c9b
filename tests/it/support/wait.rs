//! Waiting for conditions instead of for time.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

/// Longer than anything takes that is waited for, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Returns once it holds; fails after [`PATIENCE`].
pub(crate) async fn eventually(what: &str, holds: impl AsyncFnMut() -> bool) {
    within(PATIENCE, what, holds).await;
}

/// Returns once it holds; fails after the limit.
pub(crate) async fn within(limit: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = timeout(limit, async {
        while !holds().await {
            tokio::time::sleep(LOOK).await;
        }
    });
    assert!(waited.await.is_ok(), "not within {limit:?}: {what}");
}

/// Lines of a running program up to the one that is wanted; what comes after it is left to be read.
pub(crate) async fn lines_until(
    stream: &mut (impl AsyncRead + Unpin),
    what: &str,
    mut wanted: impl FnMut(&str) -> bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    let read = timeout(PATIENCE, async {
        let mut line = Vec::new();
        loop {
            // Byte by byte: a buffer would take what is left for others.
            match stream.read_u8().await.expect("the program goes on") {
                b'\n' => {
                    lines.push(String::from_utf8(std::mem::take(&mut line)).unwrap());
                    if lines.last().is_some_and(|line| wanted(line)) {
                        return;
                    }
                }
                byte => line.push(byte),
            }
        }
    })
    .await;
    assert!(read.is_ok(), "not within {PATIENCE:?}: {what}, only {lines:#?}");
    lines
}
