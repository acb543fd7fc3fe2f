//! `weir attach`

use super::connect::Server;
use anyhow::Result;
use serde_json::json;
use weir_types::orders::{Mode, Side};

/// Attach a network interface of the VPC to a device of this host
///
/// From then on the device's packets are judged by the interface's security
/// groups and its subnet's network ACL, counted, and recorded by every flow log
/// that covers the interface. Lasts across restarts of the server, until `weir
/// detach`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  weir attach --interface eni-0123456789abcdef0 --device veth0 --netns web --mode enforce"
)]
pub struct Args {
    /// Network interface id
    #[arg(long, value_name = "ENI-ID")]
    interface: String,
    /// Device name in its namespace, such as eth0
    #[arg(long, value_name = "NAME")]
    device: String,
    /// Network namespace, as 'ip netns' knows it or an absolute path
    #[arg(long, value_name = "NAME")]
    netns: Option<String>,
    /// Who decides: observe (the host's firewall), evaluate (Weir's rules, nothing is dropped), enforce (Weir's rules, rejected packets are dropped)
    #[arg(long, default_value_t = Mode::Evaluate, value_name = "MODE")]
    mode: Mode,
    /// Which end of the cable the device is: the instance's own, or the host's end of a veth pair or tap
    #[arg(long, default_value_t = Side::Instance, value_name = "SIDE")]
    side: Side,
    #[command(flatten)]
    server: Server,
}

pub fn run(args: &Args) -> Result<()> {
    let members = json!({
        "Interface": args.interface,
        "Device": args.device,
        "NetworkNamespace": args.netns,
        "Mode": args.mode.as_str(),
        "Side": args.side.as_str(),
    });
    super::block_on(async { args.server.client()?.json("weir", "AttachInterface", &members).await })?;
    eprintln!("attached {} to {} ({})", args.interface, args.device, args.mode);
    Ok(())
}
