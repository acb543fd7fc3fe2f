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
}

impl Device {
    /// As the watch on drops knows it: all namespaces are files of one filesystem.
    pub(crate) fn key(self) -> abi::DeviceKey {
        abi::DeviceKey { netns: self.namespace.1 as u32, index: self.index }
    }

    /// Whether it is still in its namespace, which has this name.
    pub(crate) fn is_in(self, netns: Option<&str>) -> bool {
        let there = Namespace::open(netns).and_then(|namespace| {
            Ok(namespace.id()? == self.namespace && namespace.run(|| net::has_device(self.index))?)
        });
        there.unwrap_or(false)
    }
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
        Some(Device { index, ..self.device })
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
    let device = Device { namespace: namespace.id()?, index };
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
