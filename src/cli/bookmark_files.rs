//! Bookmarks as files: one each, in a directory per source and lease prefix beside the dead letters.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::Settings;
use crate::lease::Bookmark;
use crate::sync::{make_private, state_directory};

use super::CliError;

/// Most bookmarks of one prefix; they are made by hand.
const MOST: usize = 1_000;

/// The bookmarks of one source and prefix.
pub(super) struct BookmarkFiles {
    directory: PathBuf,
}

impl BookmarkFiles {
    pub(super) fn of(settings: &Settings) -> Result<Self, CliError> {
        let directory = state_directory(settings, "bookmarks").ok_or_else(|| {
            CliError::Refused("this platform has no directory for the state of programs".to_owned())
        })?;
        Ok(Self { directory })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.json"))
    }

    /// Refuses a name that is taken unless it may be replaced.
    pub(super) fn check_free(&self, name: &str, replace: bool) -> Result<(), CliError> {
        if self.path(name).exists() && !replace {
            return Err(CliError::Refused(format!(
                "there is a bookmark {name} already; choose another name, or add --replace"
            )));
        }
        Ok(())
    }

    /// Writes it whole before it has its name: a reader never meets half a bookmark.
    pub(super) fn save(&self, bookmark: &Bookmark, replace: bool) -> Result<PathBuf, CliError> {
        let path = self.path(&bookmark.name);
        self.check_free(&bookmark.name, replace)?;
        let failed =
            |error: io::Error| CliError::Refused(format!("cannot write {}: {error}", path.display()));
        make_private(&self.directory).map_err(failed)?;
        if !path.exists() && self.names().map_err(failed)?.len() >= MOST {
            return Err(CliError::Refused(format!(
                "there are {MOST} bookmarks already; delete some in {}",
                self.directory.display()
            )));
        }
        let text = serde_json::to_vec_pretty(bookmark).map_err(|error| failed(error.into()))?;
        let unfinished = self.directory.join(format!("{}.part", bookmark.name));
        std::fs::write(&unfinished, text).map_err(failed)?;
        std::fs::rename(&unfinished, &path).map_err(failed)?;
        Ok(path)
    }

    /// The bookmark of this name.
    pub(super) fn load(&self, name: &str) -> Result<Bookmark, CliError> {
        let path = self.path(name);
        let refused = |why: String| CliError::Refused(format!("{}: {why}", path.display()));
        let bookmark = match std::fs::read(&path) {
            Ok(file) => Bookmark::parse(&file).map_err(|error| refused(error.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CliError::Refused(format!(
                    "there is no bookmark {name} of this source and lease prefix; `syncscope leases list` shows those that are"
                )));
            }
            Err(error) => return Err(refused(error.to_string())),
        };
        // File systems without case, and files that were renamed by hand.
        if bookmark.name != name {
            return Err(refused(format!("it holds the bookmark {}, not {name}", bookmark.name)));
        }
        Ok(bookmark)
    }

    /// All of them, oldest first, and what is wrong with those that cannot be read.
    pub(super) fn list(&self) -> Result<(Vec<Bookmark>, Vec<CliError>), CliError> {
        let names = self.names().map_err(|error| {
            CliError::Refused(format!("cannot read {}: {error}", self.directory.display()))
        })?;
        let (mut bookmarks, mut wrong) = (Vec::new(), Vec::new());
        for name in names {
            match self.load(&name) {
                Ok(bookmark) => bookmarks.push(bookmark),
                Err(error) => wrong.push(error),
            }
        }
        bookmarks.sort_by(|a, b| (a.saved_at, &a.name).cmp(&(b.saved_at, &b.name)));
        Ok((bookmarks, wrong))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry?.file_name();
            names.extend(file.to_str().and_then(|file| file.strip_suffix(".json")).map(ToOwned::to_owned));
        }
        Ok(names)
    }
}
