//! Peak memory and cost per document of `sync --until-idle`, `verify` and `rebuild`, at a small and a large size.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Served;

/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(20);

/// Runs every subcommand at every size and prints a line for each.
pub(crate) fn measure(binary: &Path, sizes: &[u64]) {
    let state = tempfile::tempdir().unwrap();
    let subcommands: [(&str, &[&str]); 3] = [
        ("sync", &["sync", "--start", "beginning", "--until-idle", "--max-items", "1000"]),
        ("verify", &["verify"]),
        // The source takes no marker documents.
        ("rebuild", &["rebuild", "--yes", "--proof", "lsn"]),
    ];
    for size in sizes {
        let served = Served::start(Some(*size));
        for (name, arguments) in subcommands {
            let began = Instant::now();
            let mut child = Command::new(binary)
                .args(arguments)
                .args(["--json", "--quiet"])
                .args(["--cosmos", &served.text("cosmos"), "--redis", &served.text("redis")])
                .env("XDG_STATE_HOME", state.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let mut peak = 0;
            let status = loop {
                peak = peak_kb(child.id()).max(peak);
                if let Some(status) = child.try_wait().unwrap() {
                    break status;
                }
                std::thread::sleep(LOOK);
            };
            let seconds = began.elapsed().as_secs_f64();
            println!(
                "{name:8} {size:9} documents: {:4} MB at most, {seconds:6.1} s, {:6.1} µs a document, {status}",
                peak / 1024,
                seconds * 1e6 / *size as f64,
            );
        }
    }
}

/// The most memory that a process has had resident, as Linux tells it; 0 elsewhere.
fn peak_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
