//! What `--observe` and `--attach` name: a device of this host that is there, or
//! a rule for devices that come and go.
//!
//! ```text
//! eth0            this device
//! veth*           devices of this network namespace, by a shell pattern
//! ns:web*/eth0    devices of named namespaces (ip netns, Docker)
//! pid:4711/eth0   devices of a process's namespace
//! ```

use glob::Pattern;
use std::str::FromStr;
use weir_capture::devices::Device;
use weir_types::orders::{Mode, Side};

/// ARPHRD_ETHER of linux/if_arp.h.
const ETHERNET: u16 = 1;

/// What `--observe` is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A device that must be there.
    Device(String),
    Rule(Rule),
}

/// Which devices are attached when they appear, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// As the user wrote it.
    pub text: String,
    place: Place,
    device: Pattern,
    pub mode: Mode,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The server's own network namespace.
    Own,
    Named(Pattern),
    Process(u32),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = !text.contains(['*', '?', '[', '/', ':']);
        if is_plain && !text.is_empty() {
            return Ok(Self::Device(text.to_owned()));
        }
        Rule::new(text, Mode::Observe).map(Self::Rule)
    }
}

/// `PATTERN=MODE`
impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pattern, mode) = text.rsplit_once('=').ok_or("PATTERN=MODE, as in 'veth*=evaluate'")?;
        Self::new(pattern, mode.parse()?)
    }
}

impl Rule {
    /// # Errors
    /// What is wrong with the text, for its writer.
    pub fn new(text: &str, mode: Mode) -> Result<Self, String> {
        let pattern = |text: &str| match Pattern::new(text) {
            Ok(pattern) if !text.is_empty() => Ok(pattern),
            Ok(_) => Err("a device is missing, as in 'ns:web/eth0'".to_owned()),
            Err(error) => Err(format!("'{text}' is no pattern: {error}")),
        };
        let (place, device) = match text.rsplit_once('/') {
            None => (Place::Own, text),
            Some((place, device)) => match place.split_once(':') {
                Some(("ns", name)) => (Place::Named(pattern(name)?), device),
                Some(("pid", process)) => {
                    let process = process.parse().map_err(|_| format!("'{process}' is no process id"))?;
                    (Place::Process(process), device)
                }
                _ => return Err("a namespace is ns:NAME/DEVICE or pid:PROCESS/DEVICE".to_owned()),
            },
        };
        if place == Place::Own && device.contains(':') {
            return Err("a namespace is ns:NAME/DEVICE or pid:PROCESS/DEVICE".to_owned());
        }
        Ok(Self { text: text.to_owned(), place, device: pattern(device)?, mode })
    }

    /// The process whose namespace is wanted: its file.
    pub fn process(&self) -> Option<String> {
        match self.place {
            Place::Process(process) => Some(format!("/proc/{process}/ns/net")),
            _ => None,
        }
    }

    /// Whether devices of a namespace are wanted. `None` is the server's own;
    /// others are named as `ip netns` does, or by a path, whose last part counts.
    pub fn wants_namespace(&self, netns: Option<&str>) -> bool {
        match (&self.place, netns) {
            (Place::Own, None) => true,
            (Place::Named(pattern), Some(path)) if !path.starts_with("/proc/") => {
                pattern.matches(path.rsplit_once('/').map_or(path, |(_, name)| name))
            }
            (Place::Process(_), Some(path)) => self.process().as_deref() == Some(path),
            _ => false,
        }
    }

    /// Whether a device is wanted. Only those with Ethernet frames can be.
    pub fn wants(&self, netns: Option<&str>, device: &Device) -> bool {
        device.link_type == ETHERNET && self.wants_namespace(netns) && self.device.matches(&device.name)
    }
}

/// Which end of the cable a device is. In the server's own namespace a veth or
/// tap that has no address of its own, or is in a bridge, leads to a container
/// or a virtual machine.
pub fn side_of(netns: Option<&str>, device: &Device) -> Side {
    let is_cable = ["veth", "tun"].contains(&device.kind.as_str());
    let has_address = device.addresses.iter().any(|(address, _)| address.is_ipv4());
    if netns.is_none() && is_cable && (device.master.is_some() || !has_address) {
        Side::Host
    } else {
        Side::Instance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, kind: &str, master: Option<u32>, addresses: &[&str]) -> Device {
        Device {
            name: name.to_owned(),
            kind: kind.to_owned(),
            link_type: ETHERNET,
            master,
            addresses: addresses.iter().map(|text| (text.parse().unwrap(), 24)).collect(),
            ..Device::default()
        }
    }

    #[test]
    fn texts() {
        for (text, expected) in [
            ("eth0", "device"),
            ("veth*", "rule"),
            ("tap[0-9]", "rule"),
            ("ns:web/eth0", "rule"),
            ("ns:*/*", "rule"),
            ("pid:4711/eth0", "rule"),
            ("", "a device is missing"),
            ("ns:web/", "a device is missing"),
            ("ns:/eth0", "a device is missing"),
            ("pid:web/eth0", "'web' is no process id"),
            ("web/eth0", "a namespace is ns:NAME/DEVICE"),
            ("ns:web", "a namespace is ns:NAME/DEVICE"),
            ("eth[", "'eth[' is no pattern"),
        ] {
            let found = match text.parse::<Target>() {
                Ok(Target::Device(_)) => "device".to_owned(),
                Ok(Target::Rule(rule)) => {
                    assert_eq!(rule.mode, Mode::Observe);
                    "rule".to_owned()
                }
                Err(error) => error,
            };
            assert!(found.starts_with(expected), "{text}: {found}");
        }
        for (text, expected) in [
            ("veth*=enforce", Some(Mode::Enforce)),
            ("eth0=observe", Some(Mode::Observe)),
            ("veth*", None),
            ("veth*=open", None),
        ] {
            assert_eq!(text.parse::<Rule>().ok().map(|rule| rule.mode), expected, "{text}");
        }
    }

    #[test]
    fn which_devices_are_wanted() {
        for (rule, netns, name, expected) in [
            ("veth*", None, "veth1a", true),
            ("veth*", None, "eth0", false),
            ("veth*", Some("web"), "veth1a", false),
            ("ns:web*/eth?", Some("web-1"), "eth0", true),
            ("ns:web*/eth?", Some("db"), "eth0", false),
            ("ns:web*/eth?", None, "eth0", false),
            ("ns:*/eth0", Some("/run/docker/netns/1a2b"), "eth0", true),
            ("ns:1a*/eth0", Some("/run/docker/netns/1a2b"), "eth0", true),
            ("ns:*/eth0", Some("/proc/7/ns/net"), "eth0", false),
            ("pid:7/eth0", Some("/proc/7/ns/net"), "eth0", true),
            ("pid:8/eth0", Some("/proc/7/ns/net"), "eth0", false),
        ] {
            let rule = Rule::new(rule, Mode::Observe).unwrap();
            let found = rule.wants(netns, &device(name, "veth", None, &[]));
            assert_eq!(found, expected, "{} {netns:?} {name}", rule.text);
        }
        let any = Rule::new("*", Mode::Observe).unwrap();
        assert!(!any.wants(None, &Device { link_type: 772, ..device("lo", "", None, &["127.0.0.1"]) }));
    }

    #[test]
    fn ends_of_cables() {
        for (netns, device, expected) in [
            (None, device("veth1", "veth", Some(3), &[]), Side::Host),
            (None, device("veth1", "veth", None, &["fe80::1"]), Side::Host),
            (None, device("vnet0", "tun", None, &[]), Side::Host),
            (None, device("eth0", "veth", None, &["10.0.0.1"]), Side::Instance),
            (None, device("eth0", "", None, &[]), Side::Instance),
            (None, device("docker0", "bridge", None, &["172.17.0.1"]), Side::Instance),
            (Some("web"), device("eth0", "veth", None, &[]), Side::Instance),
        ] {
            assert_eq!(side_of(netns, &device), expected, "{netns:?} {}", device.name);
        }
    }
}
