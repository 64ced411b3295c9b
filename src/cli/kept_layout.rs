//! How the user left the panes: one line in a file of the state directory. It is a convenience: what cannot
//! be read or written is as if it were not there, and a word in the log.

use std::fs;
use std::path::PathBuf;

use directories::ProjectDirs;

use crate::tui::Arrangement;

fn path() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "syncscope")?;
    let base = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
    Some(base.join("layout"))
}

/// The layout that was kept, if there is one that can be read.
pub(super) fn read() -> Option<Arrangement> {
    let text = fs::read_to_string(path()?).ok()?;
    Arrangement::parse(text.trim_end())
}

/// Keeps a layout, if it is another than at the start.
pub(super) fn keep(before: &Arrangement, now: &Arrangement) {
    if before == now {
        return;
    }
    let Some(path) = path() else { return };
    let directory = path.parent().map_or(Ok(()), fs::create_dir_all);
    if let Err(error) = directory.and_then(|()| fs::write(&path, format!("{now}\n"))) {
        tracing::warn!(%error, path = %path.display(), "the layout is not kept");
    }
}
