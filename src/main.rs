//! Parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = syncscope::cli::args::parse();
    syncscope::cli::run(cli)
}
