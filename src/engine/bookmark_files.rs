//! Bookmarks as files: one each, in a directory per source and lease prefix beside the dead letters.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::Settings;
use crate::lease::{Bookmark, BookmarkError};
use crate::sync::{make_private, state_directory};

/// Those that can be read, and by name why others cannot.
type BookmarksRead = (Vec<Bookmark>, Vec<(String, BookmarkFileError)>);

/// Most bookmarks of one prefix; they are made by hand.
const MOST: usize = 1_000;

/// Why a bookmark is not written or read.
#[derive(Debug, Error)]
pub enum BookmarkFileError {
    /// Nowhere to keep it.
    #[error("this platform has no directory for the state of programs")]
    NoDirectory,
    /// The name is taken.
    #[error("there is a bookmark {0} already; choose another name, or add --replace")]
    Taken(String),
    /// As many as are kept.
    #[error("there are {MOST} bookmarks already; delete some in {}", .0.display())]
    Full(PathBuf),
    /// Not there.
    #[error(
        "there is no bookmark {0} of this source and lease prefix; `syncscope leases list` shows those that are"
    )]
    Missing(String),
    /// The disk, while writing.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The disk, while deleting.
    #[error("cannot delete {}: {error}", path.display())]
    Delete {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The disk, while reading.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What is in the file.
    #[error("{}: {error}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        error: BookmarkError,
    },
    /// File systems without case, and files that were renamed by hand.
    #[error("{}: it holds the bookmark {holds}, not {name}", path.display())]
    Renamed {
        /// Which file.
        path: PathBuf,
        /// The name in it.
        holds: String,
        /// The name that was asked for.
        name: String,
    },
}

impl BookmarkFileError {
    /// Why, where it is known which bookmark is meant.
    pub fn reason(&self) -> String {
        match self {
            Self::Read { error, .. } => format!("its file cannot be read: {error}"),
            Self::Content { error, .. } => error.to_string(),
            Self::Renamed { holds, .. } => format!("its file holds the bookmark {holds}"),
            other => other.to_string(),
        }
    }
}

/// The bookmarks of one source and prefix.
#[derive(Debug)]
pub struct BookmarkFiles {
    directory: PathBuf,
}

impl BookmarkFiles {
    /// Those of the source and prefix of these settings.
    ///
    /// # Errors
    /// The platform has no place for them.
    pub fn of(settings: &Settings) -> Result<Self, BookmarkFileError> {
        let directory = state_directory(settings, "bookmarks").ok_or(BookmarkFileError::NoDirectory)?;
        Ok(Self { directory })
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.json"))
    }

    /// Refuses a name that is taken unless it may be replaced.
    ///
    /// # Errors
    /// It is taken.
    pub fn check_free(&self, name: &str, replace: bool) -> Result<(), BookmarkFileError> {
        if self.path(name).exists() && !replace {
            return Err(BookmarkFileError::Taken(name.to_owned()));
        }
        Ok(())
    }

    /// Writes it whole before it has its name: a reader never meets half a bookmark.
    ///
    /// # Errors
    /// The name is taken, there are too many, or the disk.
    pub fn save(&self, bookmark: &Bookmark, replace: bool) -> Result<PathBuf, BookmarkFileError> {
        let path = self.path(&bookmark.name);
        self.check_free(&bookmark.name, replace)?;
        let failed = |error: io::Error| BookmarkFileError::Write { path: path.clone(), error };
        make_private(&self.directory).map_err(failed)?;
        if !path.exists() && self.names().map_err(failed)?.len() >= MOST {
            return Err(BookmarkFileError::Full(self.directory.clone()));
        }
        let text = serde_json::to_vec_pretty(bookmark).map_err(|error| failed(error.into()))?;
        let unfinished = self.directory.join(format!("{}.part", bookmark.name));
        std::fs::write(&unfinished, text).map_err(failed)?;
        std::fs::rename(&unfinished, &path).map_err(failed)?;
        Ok(path)
    }

    /// The bookmark of this name.
    ///
    /// # Errors
    /// It is not there, is none, or is another one's; or the disk.
    pub fn load(&self, name: &str) -> Result<Bookmark, BookmarkFileError> {
        let path = self.path(name);
        let bookmark = match std::fs::read(&path) {
            Ok(file) => match Bookmark::parse(&file) {
                Ok(bookmark) => bookmark,
                Err(error) => return Err(BookmarkFileError::Content { path, error }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BookmarkFileError::Missing(name.to_owned()));
            }
            Err(error) => return Err(BookmarkFileError::Read { path, error }),
        };
        if bookmark.name != name {
            let (holds, name) = (bookmark.name, name.to_owned());
            return Err(BookmarkFileError::Renamed { path, holds, name });
        }
        Ok(bookmark)
    }

    /// Deletes the file of a bookmark, be it one that cannot be read.
    ///
    /// # Errors
    /// It is not there, or the disk.
    pub fn delete(&self, name: &str) -> Result<(), BookmarkFileError> {
        let path = self.path(name);
        // A name leads to no other directory.
        if path.parent() != Some(self.directory.as_path()) {
            return Err(BookmarkFileError::Missing(name.to_owned()));
        }
        std::fs::remove_file(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BookmarkFileError::Missing(name.to_owned()),
            _ => BookmarkFileError::Delete { path, error },
        })
    }

    /// All of them, oldest first, and by name what is wrong with those that cannot be read.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(&self) -> Result<BookmarksRead, BookmarkFileError> {
        let names =
            self.names().map_err(|error| BookmarkFileError::Read { path: self.directory.clone(), error })?;
        let (mut bookmarks, mut wrong) = (Vec::new(), Vec::new());
        for name in names {
            match self.load(&name) {
                Ok(bookmark) => bookmarks.push(bookmark),
                Err(error) => wrong.push((name, error)),
            }
        }
        wrong.sort_by(|(a, _), (b, _)| a.cmp(b));
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
