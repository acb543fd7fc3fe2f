//! Programs onto a device: tcx links, in the device's own network namespace.

use crate::InterfaceNumber;
use crate::abi;
use crate::error::CaptureError;
use crate::netns::Namespace;
use crate::object::Pair;
use crate::pins::{Pins, link_names};
use crate::sys::bpf::{self, Hook};
use crate::sys::{net, pin};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use weir_types::orders::Attachment;

/// ARPHRD_ETHER and ARPHRD_LOOPBACK of linux/if_arp.h: frames that begin with
/// an Ethernet header.
const ETHERNET: [u16; 2] = [1, 772];

/// A device of one machine: its namespace's identity and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Device {
    namespace: (u64, u64),
    index: u32,
    /// It has another index than it had here: so it is in another namespace, and
    /// what has that index here is another device.
    is_renumbered: bool,
}

impl Device {
    /// As the watch on drops knows it: all namespaces are files of one filesystem.
    pub(crate) fn key(self) -> abi::DeviceKey {
        abi::DeviceKey { netns: self.namespace.1 as u32, index: self.index }
    }

    /// Whether it is still in its namespace, which has this name. It is as long
    /// as nothing else is known: who has too few descriptors must not let go of
    /// every device.
    pub(crate) fn is_in(self, netns: Option<&str>) -> bool {
        if self.is_renumbered {
            return false;
        }
        let there = Namespace::open(netns).and_then(|namespace| {
            if namespace.id()? != self.namespace {
                return Ok(false);
            }
            namespace.run(|| has_device(self.index))?.map_err(CaptureError::doing("look for a device"))
        });
        match there {
            Ok(is_there) => is_there,
            Err(CaptureError::NamespaceNotFound { source, .. }) if is_gone(&source) => false,
            Err(error) => {
                let reason = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(netns, %error, reason, "cannot see whether a device has moved; it stays attached");
                true
            }
        }
    }
}

fn has_device(index: u32) -> io::Result<bool> {
    if net::has_device(index) {
        return Ok(true);
    }
    // Of if_indextoname(3).
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENODEV | libc::ENXIO) => Ok(false),
        _ => Err(error),
    }
}

/// Whether there is no namespace of that name, or no process.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// Programs on a device. They go when this is dropped.
#[derive(Debug)]
pub(crate) struct Links {
    device: Device,
    ingress: OwnedFd,
    egress: OwnedFd,
}

impl Links {
    /// The device, as long as it exists; the kernel empties a link whose device
    /// vanishes.
    pub(crate) fn device(&self) -> Option<Device> {
        let index = bpf::link_device(self.ingress.as_fd()).ok()??;
        Some(Device { index, is_renumbered: index != self.device.index, ..self.device })
    }

    /// The links that another process left on a device, with new programs in
    /// them; `None` if they are not whole or not on this device.
    pub(crate) fn adopt(
        device: Device,
        [ingress, egress]: [Option<OwnedFd>; 2],
        pair: &Pair,
    ) -> Result<Option<Self>, CaptureError> {
        let (Some(ingress), Some(egress)) = (ingress, egress) else { return Ok(None) };
        let on = |link: &OwnedFd| bpf::link_device(link.as_fd()).ok().flatten() == Some(device.index);
        if !on(&ingress) || !on(&egress) {
            return Ok(None);
        }
        pin::update_link(ingress.as_fd(), pair.ingress.as_fd())
            .and_then(|()| pin::update_link(egress.as_fd(), pair.egress.as_fd()))
            .map_err(CaptureError::doing("put new programs on a device"))?;
        Ok(Some(Self { device, ingress, egress }))
    }

    /// Gives them names, so that they outlive the process.
    pub(crate) fn pin(&self, pins: &Pins, number: InterfaceNumber) -> Result<(), CaptureError> {
        let [ingress, egress] = link_names(number);
        pins.put(&ingress, &self.ingress)?;
        pins.put(&egress, &self.egress)
    }
}

/// A device that was found and can be attached to.
#[derive(Debug)]
pub(crate) struct Found {
    namespace: Namespace,
    pub device: Device,
}

/// Finds the device of an attachment and checks that Weir can read its frames.
pub(crate) fn find(attachment: &Attachment) -> Result<Found, CaptureError> {
    let name = attachment.device.as_str();
    let namespace = Namespace::open(attachment.netns.as_deref())?;
    let seen = namespace.run(|| -> io::Result<(u32, u16)> {
        let index = net::device_index(name)?;
        Ok((index, net::link_type(name)?))
    })?;
    let netns = || attachment.netns.clone();
    let (index, link_type) = seen.map_err(|source| match source.raw_os_error() {
        Some(libc::ENODEV | libc::ENXIO) => {
            CaptureError::DeviceNotFound { device: name.to_owned(), netns: netns() }
        }
        _ => CaptureError::System { action: format!("look up device '{name}'"), source },
    })?;
    if !ETHERNET.contains(&link_type) {
        return Err(CaptureError::NotEthernet { device: name.to_owned(), netns: netns(), link_type });
    }
    let device = Device { namespace: namespace.id()?, index, is_renumbered: false };
    Ok(Found { namespace, device })
}

/// Attaches a pair of programs, ingress first: what comes in is judged from the
/// moment that anything is.
pub(crate) fn attach(found: &Found, device: &str, pair: &Pair) -> Result<Links, CaptureError> {
    let index = found.device.index;
    let links = found.namespace.run(|| {
        let ingress = bpf::create_link(pair.ingress.as_fd(), index, Hook::Ingress)?;
        let egress = bpf::create_link(pair.egress.as_fd(), index, Hook::Egress)?;
        Ok((ingress, egress))
    })?;
    let (ingress, egress) =
        links.map_err(CaptureError::doing(format!("attach programs to device '{device}'")))?;
    Ok(Links { device: found.device, ingress, egress })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns;
    use crate::tests::support::{ENI, SMALL, is_root, rules, start};
    use std::process::Command;
    use weir_types::id::EniId;
    use weir_types::orders::{Mode, Side};

    #[test]
    fn a_device_has_moved_only_if_that_is_seen() {
        let namespace = Namespace::open(None).unwrap().id().unwrap();
        let device = |index| Device { namespace, index, is_renumbered: false };
        // Too long to be looked up: nothing is known.
        let long = format!("/{}", "a".repeat(5000));
        for (netns, expected) in [("/weir-no-such-namespace", false), ("/dev/null", false), (&long, true)] {
            assert_eq!(device(1).is_in(Some(netns)), expected, "{netns:.30}");
        }
        if is_root() {
            assert!(device(1).is_in(None), "the loopback device");
            assert!(!device(u32::MAX >> 1).is_in(None));
        }
    }

    /// Two network namespaces; they go when this is dropped.
    struct Namespaces([String; 2]);

    impl Namespaces {
        fn new() -> Self {
            let names = ["here", "there"].map(|end| format!("weir-test-{}-{end}", std::process::id()));
            names.iter().for_each(|name| ip(&format!("netns add {name}")));
            Self(names)
        }
    }

    impl Drop for Namespaces {
        fn drop(&mut self) {
            for name in &self.0 {
                let _ = Command::new("ip").args(["netns", "delete", name]).output();
            }
        }
    }

    fn ip(arguments: &str) {
        let output = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn a_device_that_gets_another_number_where_it_goes_to_has_moved() {
        if !is_root() {
            return;
        }
        let (namespaces, capture) = (Namespaces::new(), start(SMALL));
        let [here, there] = &namespaces.0;
        ip(&format!("-n {here} link add cable index 100 type veth peer name end"));
        let attachment = Attachment {
            interface: EniId::from_random(1),
            device: "cable".to_owned(),
            netns: Some(here.clone()),
            mode: Mode::Observe,
            side: Side::Instance,
        };
        capture.attach(ENI, &attachment, &rules("")).unwrap();
        assert_eq!((capture.vanished(), capture.moved()), (vec![], vec![]));
        // Its number is another device's where it goes to, and the new one is
        // another device's here.
        ip(&format!("-n {there} link add other index 100 type veth"));
        ip(&format!("-n {here} link set cable netns {there}"));
        let new = netns::enter(there, || net::device_index("cable").unwrap()).unwrap();
        assert_ne!(new, 100);
        if !netns::enter(here, || net::has_device(new)).unwrap() {
            ip(&format!("-n {here} link add cable index {new} type veth peer name far index 300"));
        }
        assert_eq!((capture.vanished(), capture.moved()), (vec![], vec![ENI]));
        // Its name and number are free, although its programs are not off yet.
        ip(&format!("-n {here} link add again index 100 type veth"));
        let again = Attachment { device: "again".to_owned(), ..attachment };
        assert!(!capture.is_on(ENI, &again));
        capture.attach(InterfaceNumber(4), &again, &rules("")).unwrap();
        assert_eq!((capture.vanished(), capture.moved()), (vec![], vec![ENI]));
        // One that keeps its number has moved as well.
        ip(&format!("-n {there} link delete other"));
        ip(&format!("-n {here} link set again netns {there}"));
        assert_eq!((capture.vanished(), capture.moved()), (vec![], vec![ENI, InterfaceNumber(4)]));
    }
}
