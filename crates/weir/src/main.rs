//! The `weir` binary: reads the command line and hands over.

use clap::Parser;
use std::process::ExitCode;
use weir::commands::Cli;

fn main() -> ExitCode {
    weir::commands::run(Cli::parse())
}
