//! The user's own editor on a text: a private file that is removed whatever happens, and `$VISUAL`,
//! `$EDITOR` or `vi` on it. The caller has given the terminal away before.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use thiserror::Error;

/// Longest text taken back: Cosmos takes 2 MB.
const LONGEST: u64 = 4 << 20;

/// Why there is no edited text.
#[derive(Debug, Error)]
pub enum EditorError {
    /// The file.
    #[error("cannot keep the text in {path}: {cause}")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The program could not be started.
    #[error("cannot start the editor `{editor}`: {cause}; set EDITOR to the one you have")]
    Start {
        /// As in the variable.
        editor: String,
        /// Why.
        cause: io::Error,
    },
    /// It said that it failed: what was typed is not taken.
    #[error("the editor `{editor}` ended with {status}: nothing was taken over")]
    Failed {
        /// As in the variable.
        editor: String,
        /// Exit code or signal.
        status: std::process::ExitStatus,
    },
    /// What it left is too long or no text.
    #[error("what the editor left is no text of at most 4 MB")]
    NoText,
}

/// Which editor: `$VISUAL`, else `$EDITOR`, else `vi`.
pub fn editor() -> String {
    let given = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    given("VISUAL").or_else(|| given("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}

/// Lets the user edit a text with `editor`, which is read as a shell would (`code --wait`).
///
/// # Errors
/// See [`EditorError`]; the file is gone in any case.
pub async fn edit_text(editor: &str, text: &str) -> Result<String, EditorError> {
    let file = PrivateFile::create(&std::env::temp_dir(), text)?;
    let mut command = tokio::process::Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&file.path);
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit()).kill_on_drop(true);
    let started = command.spawn().map_err(|cause| EditorError::Start { editor: editor.to_owned(), cause });
    let status = started?.wait().await.map_err(|cause| file.error(cause))?;
    if !status.success() {
        return Err(EditorError::Failed { editor: editor.to_owned(), status });
    }
    let length = tokio::fs::metadata(&file.path).await.map_err(|cause| file.error(cause))?.len();
    if length > LONGEST {
        return Err(EditorError::NoText);
    }
    let bytes = tokio::fs::read(&file.path).await.map_err(|cause| file.error(cause))?;
    String::from_utf8(bytes).map_err(|_| EditorError::NoText)
}

/// A file that nobody else may read, and that goes with its owner.
struct PrivateFile {
    path: PathBuf,
}

impl PrivateFile {
    fn create(directory: &Path, text: &str) -> Result<Self, EditorError> {
        let path = directory.join(format!("syncscope-{}.json", uuid::Uuid::new_v4()));
        let file = Self { path };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&file.path).and_then(|mut open| open.write_all(text.as_bytes()));
        match written {
            Ok(()) => Ok(file),
            Err(cause) => Err(file.error(cause)),
        }
    }

    fn error(&self, cause: io::Error) -> EditorError {
        EditorError::File { path: self.path.clone(), cause }
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn left_over(marker: &str) -> Vec<PathBuf> {
        let files = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|file| file.path());
        let ours = files.filter(|path| path.to_string_lossy().contains("syncscope-"));
        ours.filter(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(marker))).collect()
    }

    #[tokio::test]
    async fn the_text_comes_back_and_the_file_is_private_and_gone() {
        let marker = uuid::Uuid::new_v4().to_string();
        // The "editor" writes down the mode of the file it was given.
        let edited = edit_text("f() { stat -c %a \"$1\" >> \"$1\"; }; f", &marker).await.unwrap();
        assert_eq!(edited, format!("{marker}600\n"));
        assert!(left_over(&marker).is_empty());
        let refused = edit_text("false", &marker).await.unwrap_err().to_string();
        assert!(refused.contains("`false` ended with exit status: 1"), "{refused}");
        assert!(left_over(&marker).is_empty());
        let path = PrivateFile::create(&std::env::temp_dir(), &marker).unwrap();
        assert_eq!(std::fs::metadata(&path.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
