//! `syncscope completions`: what a shell needs to complete subcommands, flags and their words.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::args::Cli;

/// `syncscope completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// For this shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script, to be sourced or put where the shell looks for it.
///
/// # Errors
/// Those of the output.
pub fn run(args: &CompletionsArgs, out: &mut dyn Write) -> io::Result<()> {
    // In memory first: the generator takes a failing output, such as a closed pipe, for a bug.
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "syncscope", &mut script);
    out.write_all(&script)
}
