//! Dead letters: documents that were set aside, one file each in a directory per source and lease
//! prefix, so that they survive a restart and several processes may add, read and remove them
//! without waiting for each other. Bounded; the oldest go first.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use directories::ProjectDirs;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::config::Settings;
use crate::cosmos::{Container, PartitionKey};

use super::fields;
use super::set_aside::SetAside;
use super::writer::CacheWriter;

/// Most letters of one source and prefix …
const MOST: usize = 1_000;
/// … and most bytes of them: an account's largest documents have 2 MB.
const MOST_BYTES: u64 = 64 << 20;

/// One document that was set aside.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// When.
    pub set_aside_at: Timestamp,
    /// Its `id`, where it could be read.
    pub id: Option<String>,
    /// Why, in one line.
    pub reason: String,
    /// The document as Cosmos sent it; a JSON text of its bytes if it was no JSON.
    pub document: Box<RawValue>,
    #[serde(skip)]
    file: PathBuf,
}

impl DeadLetter {
    /// What it goes by in its list: the same for all versions of a document.
    pub fn name(&self) -> String {
        self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The letters of one source and lease prefix.
#[derive(Debug)]
pub struct DeadLetters {
    directory: PathBuf,
    /// Serializes additions within this process, so that the bound holds.
    adding: Mutex<()>,
}

impl DeadLetters {
    /// In the platform's directory for state; `None` where the platform has none.
    pub fn of(settings: &Settings) -> Option<Self> {
        state_directory(settings, "dead-letters").map(Self::in_directory)
    }

    /// In this directory; it is made when the first letter comes.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self { directory, adding: Mutex::new(()) }
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Keeps documents; one that is there already takes its newer form. Blocks on the disk.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn add(&self, items: &[SetAside]) -> io::Result<()> {
        let _one = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        make_private(&self.directory)?;
        for item in items {
            let document = String::from_utf8_lossy(&item.document);
            let document = RawValue::from_string(document.clone().into_owned())
                .or_else(|_| serde_json::value::to_raw_value(&document))?;
            let file = self.directory.join(format!("{}.json", identity(item)));
            let letter = DeadLetter {
                set_aside_at: Timestamp::now(),
                id: item.id.clone(),
                reason: item.reason.clone(),
                document,
                file: PathBuf::new(),
            };
            // Written whole before it has its name: a reader never meets half a letter.
            let unfinished = file.with_extension("part");
            std::fs::write(&unfinished, serde_json::to_vec(&letter)?)?;
            std::fs::rename(&unfinished, &file)?;
        }
        self.keep_bounded()
    }

    fn keep_bounded(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let about = entry.metadata()?;
            files.push((about.modified()?, about.len(), entry.path()));
        }
        files.sort_unstable();
        let mut bytes: u64 = files.iter().map(|(_, size, _)| size).sum();
        let mut count = files.len();
        for (_, size, path) in files {
            if count <= MOST && bytes <= MOST_BYTES {
                break;
            }
            remove(&path)?;
            bytes -= size;
            count -= 1;
        }
        Ok(())
    }

    /// All letters, oldest first. Blocks on the disk.
    ///
    /// # Errors
    /// The directory cannot be read; one that is not there is empty.
    pub fn list(&self) -> io::Result<Vec<DeadLetter>> {
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut letters = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match std::fs::read(&path) {
                Ok(text) => {
                    if let Ok(letter) = serde_json::from_slice::<DeadLetter>(&text) {
                        letters.push(DeadLetter { file: path, ..letter });
                    }
                }
                // Somebody has removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        letters.sort_by_key(|letter| letter.set_aside_at);
        Ok(letters)
    }

    /// Removes a letter of [`DeadLetters::list`]. Blocks on the disk.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn remove(&self, letter: &DeadLetter) -> io::Result<()> {
        remove(&letter.file)
    }
}

/// What became of a letter that was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// In the cache.
    Written,
    /// Its document is no longer in the source.
    Gone,
    /// Still to be set aside, for this reason.
    Left(String),
}

/// Writes the document of a letter as it is now: the one in the letter may have been replaced since.
///
/// # Errors
/// Source or cache is away: it says nothing about the letter.
pub async fn retry(source: &Container, writer: &CacheWriter, letter: &DeadLetter) -> Result<Retried, String> {
    let Some(id) = &letter.id else { return Ok(Retried::Left("its id cannot be read".to_owned())) };
    let body = letter.document.get().as_bytes();
    let key = match PartitionKey::of_document(body, source.partition_key_paths()) {
        Ok(key) => key,
        Err(error) => return Ok(Retried::Left(error.cause())),
    };
    let found = source.read(id, &key).await;
    let found = found.map_err(|error| error.with_remedy())?;
    let Some(document) = found else { return Ok(Retried::Gone) };
    let before = writer.set_aside().count();
    writer.write(&[document.body]).await.map_err(|error| error.to_string())?;
    if writer.set_aside().count() > before {
        let reason = writer.set_aside().newest().pop().map(|item| item.reason).unwrap_or_default();
        return Ok(Retried::Left(reason));
    }
    Ok(Retried::Written)
}

/// Where this platform keeps the state of programs, for one source and lease prefix.
pub(crate) fn state_directory(settings: &Settings, kind: &str) -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "syncscope")?;
    let base = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
    let source = [
        settings.cosmos.address(),
        settings.database.clone(),
        settings.container.clone(),
        settings.lease_container.clone(),
        settings.lease_prefix.clone(),
    ];
    // Hashed: names may hold what no file system takes.
    let name = format!("{}-{}", readable(&settings.container), short_hash(&source.join("\n")));
    Some(base.join(kind).join(name))
}

/// What is gone already is fine.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Documents are nobody else's business.
pub(crate) fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// The same for all versions of a document: `_rid` is unique in an account.
fn identity(item: &SetAside) -> String {
    let rid = fields::scalar(&item.document, &["_rid"]).ok().flatten();
    match rid.or_else(|| item.id.as_deref().map(std::borrow::Cow::Borrowed)) {
        Some(rid) => short_hash(&rid),
        None => short_hash(&String::from_utf8_lossy(&item.document)),
    }
}

fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// For people who look into the directory.
fn readable(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, reason: &str) -> SetAside {
        let document = format!(r#"{{"id":"{id}","_rid":"r{id}"}}"#).into();
        SetAside { id: Some(id.to_owned()), reason: reason.to_owned(), document }
    }

    #[test]
    fn letters_survive_and_a_document_has_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        let letters = DeadLetters::in_directory(path.clone());
        assert!(letters.list().unwrap().is_empty());
        letters.add(&[item("1", "first"), item("2", "other")]).unwrap();
        letters.add(&[item("1", "again")]).unwrap();
        let broken = SetAside { id: None, reason: "no JSON".to_owned(), document: "\u{1}{".into() };
        letters.add(&[broken]).unwrap();

        let again = DeadLetters::in_directory(path);
        let found = again.list().unwrap();
        let reasons: Vec<_> = found.iter().map(|letter| letter.reason.as_str()).collect();
        assert_eq!(reasons, ["other", "again", "no JSON"]);
        assert_eq!(found[0].document.get(), r#"{"id":"2","_rid":"r2"}"#);
        again.remove(&found[0]).unwrap();
        again.remove(&found[0]).unwrap();
        assert_eq!(letters.list().unwrap().len(), 2);
    }

    #[test]
    fn the_list_is_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let letters = DeadLetters::in_directory(directory.path().to_owned());
        let items: Vec<SetAside> = (0..MOST + 5).map(|n| item(&n.to_string(), "r")).collect();
        letters.add(&items).unwrap();
        assert_eq!(letters.list().unwrap().len(), MOST);
    }
}
