//! The commands: one file each. Data goes to stdout, talk to stderr.
//!
//! Exit codes: 0 done, 1 failed, 2 the command line is wrong. Of the commands
//! that read records: 1 some lines were malformed, 2 an
//! input was unusable.

mod athena;
mod attach;
mod completions;
pub mod connect;
mod demo;
mod detach;
mod env;
mod fields;
mod filter;
mod insights;
mod interfaces;
mod logs;
mod parse;
mod query;
mod reading;
mod replay;
mod serve;
mod tail;
mod top;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// VPC Flow Logs for networks you run yourself.
///
/// `weir serve` answers AWS clients (EC2, CloudWatch Logs, IAM, STS) on one
/// endpoint and captures real traffic on this host's interfaces; `weir demo`
/// shows it all in half a minute.
#[derive(Debug, Parser)]
#[command(
    name = "weir",
    version,
    propagate_version = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 the command line is wrong."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Parse(parse::Args),
    Filter(filter::Args),
    Top(top::Args),
    Query(query::Args),
    Replay(replay::Args),
    Fields(fields::Args),
    Serve(serve::Args),
    Env(env::Args),
    Tail(tail::Args),
    Logs(logs::Args),
    Athena(athena::Args),
    Attach(attach::Args),
    Detach(detach::Args),
    Interfaces(interfaces::Args),
    Completions(completions::Args),
}

/// An error with a line that says what to do about it; made by [`HintExt::hint`].
#[derive(Debug)]
pub struct Hinted {
    hint: String,
    error: Box<dyn std::error::Error + Send + Sync>,
}

impl std::fmt::Display for Hinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Hinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// Adds hints to errors.
pub trait HintExt<T> {
    /// The same outcome; a failure is printed with `hint: …` below it.
    fn hint(self, hint: &str) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> HintExt<T> for Result<T, E> {
    fn hint(self, hint: &str) -> anyhow::Result<T> {
        self.map_err(|error| Hinted { hint: hint.to_owned(), error: error.into().into() }.into())
    }
}

/// Runs a command to its exit code, printing a failure as `error:` and its
/// hints as `hint:`.
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Parse(args) => return exit_code(parse::run(args)),
        Command::Filter(args) => return exit_code(filter::run(args)),
        Command::Top(args) => return exit_code(top::run(args)),
        Command::Query(args) => return exit_code(query::run(args)),
        Command::Replay(args) => return exit_code(replay::run(args)),
        Command::Fields(args) => fields::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::Env(args) => env::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Athena(args) => athena::run(&args),
        Command::Attach(args) => attach::run(&args),
        Command::Detach(args) => detach::run(&args),
        Command::Interfaces(args) => interfaces::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints a failure as `error:` and its hints as `hint:`.
pub fn print_error(error: &anyhow::Error) {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    eprintln!("error: {}", causes.join(": "));
    for hinted in error.chain().filter_map(|cause| cause.downcast_ref::<Hinted>()) {
        eprintln!("hint: {}", hinted.hint);
    }
}

/// Of commands that read records: what they found, or 2.
fn exit_code(done: anyhow::Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            ExitCode::from(2)
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
    };
    error.chain().any(|cause| kind(cause) == Some(std::io::ErrorKind::BrokenPipe))
}

/// A runtime for commands that make a few requests.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
