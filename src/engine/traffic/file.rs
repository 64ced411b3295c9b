//! A file of documents, read by a thread of its own, some rows ahead of the writer.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::seed::{FileForm, ImportError, SeedDocument, import};

/// Documents read ahead: two chunks of the writer, 2 MB each at worst.
const AHEAD: usize = 64;

type Row = Result<SeedDocument, ImportError>;

/// What comes next.
pub(super) enum Next {
    Row(Row),
    NotYet,
    End,
}

/// The rows of a file.
pub(super) struct Rows {
    name: String,
    ahead: mpsc::Receiver<Row>,
    read: Arc<AtomicU64>,
    length: Option<u64>,
}

/// Counts what passes.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Rows {
    /// Begins to read; `-` is standard input. The thread ends with the file, or with the receiver.
    pub(super) async fn open(path: &str) -> io::Result<Self> {
        let (sender, ahead) = mpsc::channel(AHEAD);
        let read = Arc::new(AtomicU64::new(0));
        let form = FileForm::of(path);
        if path == "-" {
            let input = Counted { inner: io::stdin(), read: Arc::clone(&read) };
            spawn(form, input, sender);
            return Ok(Self { name: "standard input".to_owned(), ahead, read, length: None });
        }
        let owned = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || -> io::Result<(File, u64)> {
            let file = File::open(owned)?;
            let about = file.metadata()?;
            if about.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
            }
            Ok((file, about.len()))
        });
        let (file, length) = opened.await.map_err(io::Error::other)??;
        spawn(form, Counted { inner: file, read: Arc::clone(&read) }, sender);
        Ok(Self { name: path.to_owned(), ahead, read, length: Some(length) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The next row, if it is there.
    pub(super) fn next(&mut self) -> Next {
        match self.ahead.try_recv() {
            Ok(row) => Next::Row(row),
            Err(TryRecvError::Empty) => Next::NotYet,
            Err(TryRecvError::Disconnected) => Next::End,
        }
    }

    /// Part of the file that was read.
    pub(super) fn share(&self) -> Option<f64> {
        let length = self.length.filter(|length| *length > 0)?;
        Some((self.read.load(Ordering::Relaxed) as f64 / length as f64).min(1.0))
    }
}

/// Not one of the runtime's own threads: standard input may never end, and must not hold the end of us.
fn spawn(form: FileForm, input: impl Read + Send + 'static, sender: mpsc::Sender<Row>) {
    std::thread::spawn(move || {
        import(form, BufReader::with_capacity(64 << 10, input), &mut |row| sender.blocking_send(row).is_ok());
    });
}
