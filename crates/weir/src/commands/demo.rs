//! `weir demo`

use crate::demo::{self, Options};
use anyhow::Result;

/// Real traffic, real flow log records on the screen, in half a minute
///
/// Starts a server on a free port with a temporary data folder, makes three
/// network namespaces and a VPC to go with them, sends traffic that the rules
/// allow and traffic that they refuse, and shows the records as they arrive.
/// Removes everything at the end. Needs root.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Leave everything running at the end until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Length of a capture window in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(5..=60), value_name = "SECONDS")]
    interval: u32,
}

pub fn run(args: Args) -> Result<()> {
    let options = Options { keep: args.keep, interval_s: args.interval };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(demo::run(&options));
    // Traffic that is still waiting for a packet ends with the process.
    runtime.shutdown_background();
    done
}
