//! State files: the source, the leases and the cache of an embedded pair in one file of JSON lines.
//!
//! Version 1: the header `{"syncscope":"emulator state","version":1,"saved":TIME}`, then one line an entry of
//! the cache (see `cache::state`), then those of the emulator (see `cosmos::state`), then
//! `{"end":{"documents":N,"entries":N}}`: a file without it was cut off. Times to live are kept as the moment at
//! which they end. Reading and writing go line by line, so memory does not follow the size of the file.
//!
//! A file is written beside its place under another name and moved there when it is whole.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};

use super::EmbeddedCache;
use super::cosmos::{Emulator, Prepared};
use crate::cache::{CacheStateError, EntryReader, EntryWriter};

/// What the header calls the file.
const KIND: &str = "emulator state";
/// The only version so far.
const VERSION: u32 = 1;
/// Longest line read, bytes: a document and the one before it are 4 MB at most, entries of a cache may be larger.
const LONGEST_LINE: u64 = 256 << 20;
/// Read and written at once, bytes.
const BUFFER: usize = 1 << 20;

/// Why a state could not be saved or loaded. One line, with the place.
#[derive(Debug, Error)]
pub enum StateError {
    /// The file system.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// `cannot read`, `cannot write`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A line that cannot have been written by this program.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The cache.
    #[error("the cache could not be saved or loaded: {0}")]
    Cache(#[from] CacheStateError),
}

/// How much a file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// Documents of all containers, leases too.
    pub documents: u64,
    /// Entries of the cache.
    pub entries: u64,
}

#[derive(Deserialize)]
struct Header {
    syncscope: String,
    version: u32,
}

#[derive(Deserialize)]
struct End {
    end: Saved,
}

/// Writes everything to a file. Writes of clients to the emulator wait while the cache is read, so that no entry is
/// newer than the documents and no lease is further than the entries.
///
/// # Errors
/// The file cannot be written, or the cache not be read. What was there before is then still there.
pub async fn save(path: &Path, cosmos: &Emulator, cache: &EmbeddedCache) -> Result<Saved, StateError> {
    let failed = |source| StateError::File { what: "cannot write", path: path.to_owned(), source };
    let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let mut draft = std::ffi::OsString::from(".");
    draft.push(name);
    draft.push(format!(".{}.part", uuid::Uuid::new_v4().simple()));
    let draft = path.with_file_name(draft);
    let saved = match draw(&draft, cosmos, cache).await {
        Ok(saved) => tokio::fs::rename(&draft, path).await.map(|()| saved).map_err(failed),
        Err(Failure::File(source)) => Err(failed(source)),
        Err(Failure::Cache(error)) => Err(error.into()),
    };
    if saved.is_err() {
        let _ = tokio::fs::remove_file(&draft).await;
    }
    saved
}

#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Cache(#[from] CacheStateError),
}

async fn draw(path: &Path, cosmos: &Emulator, cache: &EmbeddedCache) -> Result<Saved, Failure> {
    let file = tokio::fs::OpenOptions::new().write(true).create_new(true).open(path).await?;
    let mut out = BufWriter::with_capacity(BUFFER, file);
    let saved = Timestamp::now();
    let header =
        json!({ "syncscope": KIND, "version": VERSION, "saved": saved, "by": env!("CARGO_PKG_VERSION") });
    out.write_all(format!("{header}\n").as_bytes()).await?;
    let (snapshot, entries) = {
        let pause = cosmos.pause().await;
        let snapshot = cosmos.snapshot(&pause).await;
        let mut reader = EntryReader::open(&cache.url()).await?;
        let mut entries = 0;
        while let Some(lines) = reader.next().await? {
            entries += lines.len() as u64;
            for line in lines {
                out.write_all(line.as_bytes()).await?;
                out.write_all(b"\n").await?;
            }
        }
        (snapshot, entries)
    };
    out.flush().await?;
    let file = out.into_inner().into_std().await;
    let written = tokio::task::spawn_blocking(move || -> io::Result<Saved> {
        let mut out = io::BufWriter::with_capacity(BUFFER, file);
        let saved = Saved { documents: snapshot.documents(), entries };
        snapshot.write(&mut out)?;
        writeln!(out, "{}", json!({ "end": saved }))?;
        out.flush()?;
        out.get_ref().sync_all()?;
        Ok(saved)
    });
    written.await.map_err(|_| io::Error::other("the writing was cut off"))?.map_err(Failure::File)
}

/// Reads a file into servers that are empty and that nobody uses yet.
///
/// # Errors
/// The file cannot be read, or a line is not one of ours. What was read until then is in the servers.
pub async fn load(path: &Path, cosmos: &mut Prepared, cache: &EmbeddedCache) -> Result<Saved, StateError> {
    let failed = |source| StateError::File { what: "cannot read", path: path.to_owned(), source };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut lines = BufReader::with_capacity(BUFFER, file);
    let wrong = |line, reason: String| StateError::Line { path: path.to_owned(), line, reason };
    let (mut text, mut at, mut end) = (Vec::new(), 0_u64, None);
    let mut entries = EntryWriter::open(&cache.url(), cache.is_in_process()).await?;
    loop {
        text.clear();
        let read = (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut text).await.map_err(failed)?;
        if read == 0 {
            break;
        }
        at += 1;
        if read as u64 == LONGEST_LINE {
            return Err(wrong(at, "it is longer than any line of a state file".to_owned()));
        }
        let line = std::str::from_utf8(text.trim_ascii_end())
            .map_err(|_| wrong(at, "it is not text: is this a state file?".to_owned()))?;
        if end.is_some() {
            return Err(wrong(at, "the file goes on after its end".to_owned()));
        }
        if at == 1 {
            check_header(line).map_err(|reason| wrong(at, reason))?;
        } else if line.starts_with("{\"entry\":") {
            entries.put(line).await.map_err(|error| wrong(at, error.to_string()))?;
        } else if let Ok(last) = serde_json::from_str::<End>(line) {
            end = Some(last.end);
        } else {
            cosmos.load(line).await.map_err(|fault| wrong(at, fault.to_string()))?;
        }
    }
    entries.finish().await.map_err(|error| wrong(at, error.to_string()))?;
    if at == 0 {
        return Err(wrong(1, "the file is empty".to_owned()));
    }
    end.ok_or_else(|| {
        wrong(at, "the file ends too early: it was cut off while it was written or copied".to_owned())
    })
}

fn check_header(line: &str) -> Result<(), String> {
    let header: Header = serde_json::from_str(line)
        .map_err(|_| "this is not a state file of `syncscope emulator --save`".to_owned())?;
    if header.syncscope != KIND {
        return Err(format!("this is a file of another kind: {}", header.syncscope));
    }
    if header.version != VERSION {
        let known = env!("CARGO_PKG_VERSION");
        return Err(format!(
            "format version {} is not known to syncscope {known}, which reads {VERSION}",
            header.version
        ));
    }
    Ok(())
}
