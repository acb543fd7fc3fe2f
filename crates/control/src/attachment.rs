//! Attachments: which device of which host is which network interface.
//!
//! To EC2 the host is an instance ([`crate::instance`]): an attached interface
//! is attached to it.
//!
//! Invariants: one device per interface, one interface per device; the
//! interface exists and knows that it is attached.
//!
//! Source: EC2 API, `AttachNetworkInterface`, `DetachNetworkInterface`.

use crate::error::{ControlError, Result};
use crate::network_interface::{self, Attached, NetworkInterface};
use crate::state::{Cx, Resource, Scope, Tx};
use crate::{instance, interface_index, region};
use serde::{Deserialize, Serialize};
use weir_types::id::{EniId, InstanceId};
use weir_types::orders::Attachment;

/// An attachment at rest. It has an id of its own, because a resource that
/// goes takes the tags of its id along, and those of `eni-…` are the interface's.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    /// [`Tx::host`] of the server whose host has the device.
    #[serde(default)]
    host: String,
    attachment: Attachment,
}

impl Resource for Stored {
    const KIND: &'static str = "attachment";
    fn id(&self) -> &str {
        &self.id
    }
}

/// `eni-attach-…` with the digits of the interface's id: the attachment's id in
/// the API.
pub fn id_of(interface: &EniId) -> String {
    interface.as_str().replacen("eni-", "eni-attach-", 1)
}

/// Attaches an interface, or changes mode or side of its attachment.
///
/// Errors: `InvalidNetworkInterfaceID.NotFound`; `InvalidNetworkInterface.InUse`
/// if it is on another device or another server's host; `DeviceInUse` if the
/// device has another interface.
pub fn put(cx: Cx<'_>, attachment: &Attachment) -> Result<()> {
    let id = attachment.interface.as_str();
    let mut interface: NetworkInterface = network_interface::FAULTS.find(cx, id)?;
    let device = |of: &Attachment| match &of.netns {
        Some(netns) => format!("'{}' in network namespace '{netns}'", of.device),
        None => format!("'{}'", of.device),
    };
    let same_device =
        |other: &Attachment| other.device == attachment.device && other.netns == attachment.netns;
    // Interfaces of every account and region share the host's devices.
    for (scope, Stored { host, attachment: other, .. }) in cx.tx.list_everywhere::<Stored>()? {
        let same_interface = scope == *cx.scope && other.interface == attachment.interface;
        if host != cx.tx.host() {
            if same_interface {
                let message = format!("Interface {id} is attached on another host; detach it first");
                return Err(ControlError::fault("InvalidNetworkInterface.InUse", message));
            }
            continue;
        }
        if same_interface && !same_device(&other) {
            let message = format!("Interface {id} is attached to device {}; detach it first", device(&other));
            return Err(ControlError::fault("InvalidNetworkInterface.InUse", message));
        }
        if same_device(&other) && !same_interface {
            let message = format!(
                "Device {} has interface {} attached; detach it first",
                device(&other),
                other.interface
            );
            return Err(ControlError::fault("DeviceInUse", message));
        }
    }
    if interface.attached.is_none() {
        let instance = instance::of_host(cx, cx.tx.host())?;
        let device_index = lowest_free_index(cx, &instance)?;
        interface.attached = Some(attached(cx, instance, device_index));
        interface_index::put(cx, &interface)?;
    }
    let (id, host) = (id_of(&attachment.interface), cx.tx.host().to_owned());
    cx.tx.put(cx.scope, &Stored { id, host, attachment: attachment.clone() })
}

fn attached(cx: Cx<'_>, instance: InstanceId, device_index: u32) -> Attached {
    Attached { instance, device_index, at: cx.now, delete_on_termination: false }
}

fn lowest_free_index(cx: Cx<'_>, instance: &InstanceId) -> Result<u32> {
    let there = instance::interfaces(cx, instance)?;
    let taken = |index: &u32| {
        there.iter().any(|other| other.attached.as_ref().is_some_and(|at| at.device_index == *index))
    };
    Ok((0..).find(|index| !taken(index)).unwrap_or(u32::MAX))
}

/// Attaches an interface to an instance that has no device here, as an
/// emulator does. Answers the attachment's id.
///
/// Errors: `InvalidNetworkInterfaceID.NotFound`, `InvalidInstanceID.Malformed`,
/// `InvalidNetworkInterface.InUse`, `InvalidParameterValue` for a place that is
/// taken.
pub fn attach_without_device(cx: Cx<'_>, id: &str, instance: &str, device_index: u32) -> Result<String> {
    region::ensure(cx)?;
    let mut interface: NetworkInterface = network_interface::FAULTS.find(cx, id)?;
    let instance = instance::parse(instance)?;
    if interface.attached.is_some() {
        let message = format!("Interface: [{id}] in use.");
        return Err(ControlError::fault("InvalidNetworkInterface.InUse", message));
    }
    let others = instance::interfaces(cx, &instance)?;
    if others.iter().any(|other| other.attached.as_ref().is_some_and(|at| at.device_index == device_index)) {
        let message = format!(
            "Instance '{instance}' already has an interface attached at device index '{device_index}'."
        );
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    interface.attached = Some(attached(cx, instance, device_index));
    interface_index::put(cx, &interface)?;
    Ok(id_of(&interface.id))
}

/// Undoes the attachment with this id, that of a device included.
///
/// Errors: `InvalidAttachmentID.NotFound`.
pub fn detach(cx: Cx<'_>, id: &str) -> Result<()> {
    region::ensure(cx)?;
    match attached_by(cx, id)? {
        Some(interface) => delete(cx, &interface.id).map(drop),
        None => Err(unknown(id)),
    }
}

/// The interface that is attached by the attachment with this id.
pub fn attached_by(cx: Cx<'_>, id: &str) -> Result<Option<NetworkInterface>> {
    let interface = id.strip_prefix("eni-attach-").map(|digits| format!("eni-{digits}"));
    let interface = interface.map(|id| cx.tx.get::<NetworkInterface>(cx.scope, &id)).transpose()?.flatten();
    Ok(interface.filter(|interface| interface.attached.is_some()))
}

/// `InvalidAttachmentID.NotFound`.
pub(crate) fn unknown(id: &str) -> ControlError {
    let message = format!("The attachment ID '{id}' does not exist");
    ControlError::fault("InvalidAttachmentID.NotFound", message)
}

/// Tells the interfaces of a region that they are attached, which an older
/// version did not.
pub(crate) fn rebuild(cx: Cx<'_>) -> Result<()> {
    for stored in cx.tx.list::<Stored>(cx.scope)? {
        let interface: Option<NetworkInterface> =
            cx.tx.get(cx.scope, stored.attachment.interface.as_str())?;
        let Some(mut interface) = interface.filter(|interface| interface.attached.is_none()) else {
            continue;
        };
        let instance = instance::of_host(cx, &stored.host)?;
        let device_index = lowest_free_index(cx, &instance)?;
        interface.attached = Some(attached(cx, instance, device_index));
        interface_index::put(cx, &interface)?;
    }
    Ok(())
}

/// The attachment of an interface, if it is attached, on whichever host.
pub fn get(cx: Cx<'_>, interface: &EniId) -> Result<Option<Attachment>> {
    let stored: Option<Stored> = cx.tx.get(cx.scope, &id_of(interface))?;
    Ok(stored.map(|stored| stored.attachment))
}

/// Removes the attachment of an interface; whether there was one.
pub fn delete(cx: Cx<'_>, interface: &EniId) -> Result<bool> {
    let known: Option<NetworkInterface> = cx.tx.get(cx.scope, interface.as_str())?;
    if let Some(mut known) = known.filter(|known| known.attached.is_some()) {
        known.attached = None;
        interface_index::put(cx, &known)?;
    }
    cx.tx.delete::<Stored>(cx.scope, &id_of(interface))
}

/// The host's attachments of the account and region, by interface.
pub fn list(cx: Cx<'_>) -> Result<Vec<Attachment>> {
    let stored: Vec<Stored> = cx.tx.list(cx.scope)?;
    let here = stored.into_iter().filter(|stored| stored.host == cx.tx.host());
    Ok(here.map(|stored| stored.attachment).collect())
}

/// All attachments of the host.
pub fn list_everywhere(tx: &Tx<'_>) -> Result<Vec<(Scope, Attachment)>> {
    let stored: Vec<(Scope, Stored)> = tx.list_everywhere()?;
    let here = stored.into_iter().filter(|(_, stored)| stored.host == tx.host());
    Ok(here.map(|(scope, stored)| (scope, stored.attachment)).collect())
}
