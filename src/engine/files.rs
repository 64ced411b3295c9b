//! Files of the user: writing exports, and finding a path as it is typed.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use super::Shared;
use super::command::Command;
use super::event::{Event, ExportForm, LatencyExport, Level};

/// Entries of a directory looked at.
const MOST_ENTRIES: usize = 10_000;
/// Paths told.
const MOST_FOUND: usize = 200;

/// Does what one of these commands asks.
pub(super) async fn serve(shared: &Shared, command: Command) {
    match command {
        Command::ExportLatency { form, name, masked } => export(shared, form, &name, masked).await,
        Command::FindFiles { typed } => find(shared, typed).await,
        Command::ReportLatency => {
            shared.report.state(Event::LatencyReport(Box::new(latency(shared)))).await;
        }
        _ => {}
    }
}

/// Everything measured so far, with what it was measured on.
fn latency(shared: &Shared) -> LatencyExport {
    let mut export = shared.latency.export(Instant::now(), Timestamp::now());
    let settings = &shared.settings;
    let redis = &settings.redis;
    export.about = vec![
        (
            "way".to_owned(),
            format!(
                "{}/{} → {}:{} db {}",
                settings.database, settings.container, redis.host, redis.port, redis.database
            ),
        ),
        ("source".to_owned(), super::source::address(settings)),
    ];
    export
}

/// Writes everything measured so far to a file.
async fn export(shared: &Shared, form: ExportForm, name: &str, masked: bool) {
    // Made on a thread that may block: a report is some hundred kilobytes of text.
    let mut export = latency(shared);
    if masked {
        export.mask_ids();
    }
    let content = tokio::task::spawn_blocking(move || export.write(form)).await;
    let written = match content {
        Ok(content) => tokio::fs::write(name, content).await,
        Err(error) => Err(std::io::Error::other(error)),
    };
    match written {
        Ok(()) => shared.report.log(Level::Info, "latency", format!("saved {name}")).await,
        Err(error) => {
            shared.report.log(Level::Error, "latency", format!("cannot save {name}: {error}")).await;
        }
    }
}

/// Tells the paths that begin as what was typed.
async fn find(shared: &Shared, typed: String) {
    let asked = typed.clone();
    let found = tokio::task::spawn_blocking(move || beginning_with(&asked)).await.unwrap_or_default();
    shared.report.state(Event::Files { typed, found }).await;
}

fn beginning_with(typed: &str) -> Vec<String> {
    let (directory, start) = match typed.rfind('/') {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let place = if directory.is_empty() { Path::new(".") } else { Path::new(directory) };
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .take(MOST_ENTRIES)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            // Hidden ones only for those who type the dot.
            if !name.starts_with(start) || (name.starts_with('.') && !start.starts_with('.')) {
                return None;
            }
            let slash = if entry.path().is_dir() { "/" } else { "" };
            Some(format!("{directory}{name}{slash}"))
        })
        .collect();
    found.sort();
    found.truncate(MOST_FOUND);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_as_they_are_typed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["prices.csv", "prices.json", "other.csv", ".hidden"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let base = format!("{}/", folder.path().display());
        let found = |typed: &str| beginning_with(&format!("{base}{typed}"));
        assert_eq!(found("pri"), [format!("{base}prices.csv"), format!("{base}prices.json")]);
        assert_eq!(found("da"), [format!("{base}data/")]);
        assert_eq!(found("").len(), 4);
        assert_eq!(found(".h"), [format!("{base}.hidden")]);
        assert_eq!(found("none/x"), [""; 0]);
    }
}
