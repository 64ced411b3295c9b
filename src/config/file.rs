//! The configuration file: TOML, checked as a whole, its errors with line and column.

use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use figment::value::Dict;
use toml_edit::{ImDocument, TableLike};

use super::layer::Layer;
use super::text_place::line_and_column;
use super::{ConfigError, Key};

/// A file that was read and found good.
pub(super) struct File {
    pub(super) path: PathBuf,
    text: String,
    dict: Dict,
}

impl File {
    /// Reads and checks; `None` = there is no such file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, text).map(Some),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(ConfigError::Unreadable { path: path.to_owned(), cause }),
        }
    }

    pub(super) fn parse(path: &Path, text: String) -> Result<Self, ConfigError> {
        // Twice: as `Layer` for its checks, whose errors know their place, and as plain values to merge.
        let dict = Toml::from_str::<Layer>(&text).and_then(|_| Toml::from_str::<Dict>(&text));
        match dict {
            Ok(dict) => Ok(Self { path: path.to_owned(), text, dict }),
            Err(error) => {
                let at = error.span().map_or(text.len(), |span| span.start);
                let (line, column) = line_and_column(&text, at);
                // `message`, not `Display`: the latter prints the whole line, and with it a key.
                let message = error.message().replace('\n', "; ");
                Err(ConfigError::File { path: path.to_owned(), line, column, message })
            }
        }
    }

    /// The values outside of any profile.
    pub(super) fn common(&self) -> Dict {
        let mut dict = self.dict.clone();
        dict.remove("profile");
        dict
    }

    /// The values of one profile.
    pub(super) fn profile(&self, name: &str) -> Option<Dict> {
        self.profiles().and_then(|profiles| profiles.get(name)?.as_dict().cloned())
    }

    /// The names of all profiles.
    pub(super) fn profile_names(&self) -> Vec<String> {
        self.profiles().map(|profiles| profiles.keys().cloned().collect()).unwrap_or_default()
    }

    fn profiles(&self) -> Option<&Dict> {
        self.dict.get("profile").and_then(|value| value.as_dict())
    }

    /// The line (from 1) that sets a key.
    pub(super) fn line_of(&self, key: Key, profile: Option<&str>) -> Option<usize> {
        let document = ImDocument::parse(self.text.as_str()).ok()?;
        let mut table: &dyn TableLike = document.as_table();
        if let Some(profile) = profile {
            table = table.get("profile")?.as_table_like()?.get(profile)?.as_table_like()?;
        }
        let (section, name) = match key.path().split_once('.') {
            Some((section, name)) => (Some(section), name),
            None => (None, key.path()),
        };
        if let Some(section) = section {
            table = table.get(section)?.as_table_like()?;
        }
        let (key, value) = table.get_key_value(name)?;
        let span = key.span().or_else(|| value.span())?;
        Some(line_and_column(&self.text, span.start).0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(text: &str) -> String {
        File::parse(Path::new("c.toml"), text.to_owned())
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn errors_have_their_place() {
        for (text, told) in [
            ("database = 'shop'\ncontaner = 'x'", "c.toml:2:1: unknown field `contaner`, expected one of"),
            ("[sync]\npoll-interval = \"5\"", "c.toml:2:17: must be a time with its unit"),
            ("[profile.live.sync]\nstart = 'soon'", "c.toml:2:9: must be beginning, now or"),
            ("[profile.live]\nredis = 'redis://h?db=3'", "c.toml:2:9: must give the database as path"),
            ("database = 'ä' x", "c.toml:1:16: "),
            ("instances = 3", "c.toml:1:1: unknown field `instances`"),
            ("[sync]\ninstances = 0", "c.toml:2:13: must be a whole number from 1 to 256"),
            ("[profile.a.profile.b]\nkey = 'x'", "a profile must not hold profiles"),
            ("allow-remote = ['h', '*']", "must name one host"),
            ("key = ''", "c.toml:1:7: must not be empty"),
        ] {
            let found = error(text);
            assert!(found.contains(told), "{text}: {found}");
            assert!(!found.contains('\n'), "{found}");
        }
    }

    #[test]
    fn errors_hold_no_secret() {
        for text in [
            "cosmos = 's3cret' 's3cret'",
            "cosmos = 's3cret",
            "cosmos = 'AccountKey=s3cret'",
            "redis = 's3cret,s3cret'",
            "redis = ['s3cret']",
            "redis = { password = 's3cret' }",
        ] {
            let found = error(text);
            assert!(!found.is_empty() && !found.contains("s3cret"), "{text}: {found}");
        }
        assert!(error("redis = 123456").contains("text in quotes"));
        assert!(!error("redis = 123456").contains("123456"));
    }

    #[test]
    fn lines_of_keys() {
        let text = "database = 'a'\n[sync]\nstart = 'now'\n[profile.live]\n\ndatabase = 'b'\n";
        let file = File::parse(Path::new("c.toml"), text.to_owned()).unwrap();
        assert_eq!(file.line_of(Key::Database, None), Some(1));
        assert_eq!(file.line_of(Key::Start, None), Some(3));
        assert_eq!(file.line_of(Key::Database, Some("live")), Some(6));
        assert_eq!(file.line_of(Key::Redis, None), None);
        let dotted = File::parse(Path::new("c.toml"), "\nsync.start = 'now'".to_owned()).unwrap();
        assert_eq!(dotted.line_of(Key::Start, None), Some(2));
    }

    proptest! {
        #[test]
        fn any_text_is_an_answer(text in "([a-z\\-]{1,8}|[=.\\[\\]'\"#\n ]|sync|profile|redis|é|1){0,24}") {
            let _ = File::parse(Path::new("c.toml"), text);
        }
    }
}
