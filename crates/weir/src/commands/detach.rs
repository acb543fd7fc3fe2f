//! `weir detach`

use super::HintExt;
use super::connect::Server;
use anyhow::Result;
use serde_json::json;

/// Take a network interface off its device
///
/// The current window's records are still published.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Args {
    /// Network interface id
    #[arg(long, value_name = "ENI-ID", group = "what")]
    interface: Option<String>,
    /// Take everything off this host's devices that a killed server left there; what it had counted and not written is lost
    #[arg(long, group = "what")]
    all: bool,
    #[command(flatten)]
    server: Server,
}

pub fn run(args: &Args) -> Result<()> {
    match &args.interface {
        Some(interface) => {
            let members = json!({ "Interface": interface });
            super::block_on(async { args.server.client()?.json("weir", "DetachInterface", &members).await })?;
            eprintln!("detached {interface}");
        }
        None => leftovers(&args.server)?,
    }
    Ok(())
}

fn leftovers(server: &Server) -> Result<()> {
    let home = server.home();
    let _lock = home
        .lock()
        .hint("a server that runs detaches with 'weir detach --interface ENI-ID', or when it is stopped")?;
    if weir_capture::remove_leftovers(&home.host_id()?) {
        eprintln!("nothing of Weir is on this host's devices any more; 'weir serve' attaches again");
    } else {
        eprintln!("a killed server left nothing on this host's devices");
    }
    Ok(())
}
