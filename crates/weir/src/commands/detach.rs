//! `weir detach`

use super::connect::Server;
use anyhow::Result;
use serde_json::json;

/// Take a network interface off its device
///
/// The current window's records are still published.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Network interface id
    #[arg(long, value_name = "ENI-ID")]
    interface: String,
    #[command(flatten)]
    server: Server,
}

pub fn run(args: &Args) -> Result<()> {
    let members = json!({ "Interface": args.interface });
    super::block_on(async { args.server.client()?.json("weir", "DetachInterface", &members).await })?;
    eprintln!("detached {}", args.interface);
    Ok(())
}
