//! `weir env`

use super::HintExt;
use super::connect::Server;
use anyhow::Result;
use std::io::Write;

/// Print the environment that points AWS clients at the server
///
/// Use it as: eval "$(weir env)"
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
}

pub fn run(args: &Args) -> Result<()> {
    let home = args.server.home();
    let hint = "start the server with 'weir serve', or name its data folder with --data-dir";
    let endpoint = home.read_endpoint().hint(hint)?;
    let key = home.read_root_access_key().hint(hint)?;
    let mut out = std::io::stdout().lock();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", &endpoint.url),
        ("AWS_REGION", &endpoint.region),
        ("AWS_DEFAULT_REGION", &endpoint.region),
        ("AWS_ACCESS_KEY_ID", &key.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &key.secret_access_key),
    ] {
        writeln!(out, "export {name}='{}'", value.replace('\'', "'\\''"))?;
    }
    Ok(())
}
