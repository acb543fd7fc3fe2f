//! The demo's network: three namespaces joined by veth pairs, made and removed
//! with `ip`.
//!
//! ```text
//!  client 203.0.113.12 ──veth── eth0 web 10.0.1.10   (subnet 10.0.1.0/24)
//!         └─────────────veth── eth0 db  10.0.2.10   (subnet 10.0.2.0/24)
//! ```
//!
//! Names carry the process id, so that two demos do not meet, and nothing that
//! existed before is touched. IPv6 is off: an idle interface is really idle.

use anyhow::{Context, Result, bail};
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The host on the internet side.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 12);
/// The instance that has visitors.
pub const WEB: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 10);
/// The instance that has none.
pub const DB: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 10);

/// The names of the namespaces.
#[derive(Debug, Clone)]
pub struct Names {
    pub client: String,
    pub web: String,
    pub db: String,
}

/// The namespaces; removed when dropped.
pub struct Lab(Names);

impl Lab {
    /// Makes the network. Needs root and `ip` (Debian package iproute2).
    pub fn build() -> Result<Self> {
        let id = std::process::id();
        let [client, web, db] = ["client", "web", "db"].map(|name| format!("weir-demo-{id}-{name}"));
        let lab = Self(Names { client, web, db });
        let names = lab.names();
        for name in [&names.client, &names.web, &names.db] {
            ip(&["netns", "add", name])?;
            ip(&["netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"])
                .or_else(|_| write_sysctl(name))?;
            ip(&["-n", name, "link", "set", "lo", "up"])?;
        }
        for (near, instance, address) in [("to-web", &names.web, WEB), ("to-db", &names.db, DB)] {
            let (client, address) = (names.client.as_str(), address.to_string());
            ip(&[
                "link", "add", near, "netns", client, "type", "veth", "peer", "name", "eth0", "netns",
                instance,
            ])?;
            ip(&["-n", client, "address", "add", &format!("{CLIENT}/32"), "dev", near])?;
            ip(&["-n", instance, "address", "add", &format!("{address}/24"), "dev", "eth0"])?;
            ip(&["-n", client, "link", "set", near, "up"])?;
            ip(&["-n", instance, "link", "set", "eth0", "up"])?;
            ip(&["-n", client, "route", "add", &format!("{address}/32"), "dev", near])?;
            ip(&["-n", instance, "route", "add", "default", "dev", "eth0"])?;
        }
        Ok(lab)
    }

    pub fn names(&self) -> &Names {
        &self.0
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in [&self.0.client, &self.0.web, &self.0.db] {
            if let Err(error) = ip(&["netns", "del", name]) {
                eprintln!("warning: {error:#}");
            }
        }
    }
}

/// For systems without the `sysctl` command.
fn write_sysctl(netns: &str) -> Result<()> {
    weir_capture::netns::enter(netns, || std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"))
        .map_err(|error| anyhow::anyhow!("{error}"))?
        .or_else(|error| match error.kind() {
            // A kernel without IPv6.
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
        .context("cannot switch IPv6 off in the demo's namespace")
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .stdin(Stdio::null())
        // A Ctrl-C, or a second one while everything is removed, is not for it.
        .process_group(0)
        .output()
        .context("cannot run 'ip' (Debian package iproute2)")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("'ip {}' failed: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}
