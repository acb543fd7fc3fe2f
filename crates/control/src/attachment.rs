//! Attachments: which device of the host is which network interface.
//!
//! Invariants: one device per interface, one interface per device; the
//! interface exists.

use crate::error::{ControlError, Result};
use crate::network_interface::{self, NetworkInterface};
use crate::state::{Cx, Resource, Scope, Tx};
use serde::{Deserialize, Serialize};
use weir_types::id::EniId;
use weir_types::orders::Attachment;

/// An attachment at rest. It has an id of its own, because a resource that
/// goes takes the tags of its id along, and those of `eni-…` are the interface's.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
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
/// if it is on another device; `DeviceInUse` if the device has another interface.
pub fn put(cx: Cx<'_>, attachment: &Attachment) -> Result<()> {
    let id = attachment.interface.as_str();
    network_interface::FAULTS.find::<NetworkInterface>(cx, id)?;
    let device = |of: &Attachment| match &of.netns {
        Some(netns) => format!("'{}' in network namespace '{netns}'", of.device),
        None => format!("'{}'", of.device),
    };
    let same_device =
        |other: &Attachment| other.device == attachment.device && other.netns == attachment.netns;
    // Interfaces of every account and region share the host's devices.
    for (scope, other) in list_everywhere(cx.tx)? {
        let same_interface = scope == *cx.scope && other.interface == attachment.interface;
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
    cx.tx.put(cx.scope, &Stored { id: id_of(&attachment.interface), attachment: attachment.clone() })
}

/// The attachment of an interface, if it is attached.
pub fn get(cx: Cx<'_>, interface: &EniId) -> Result<Option<Attachment>> {
    let stored: Option<Stored> = cx.tx.get(cx.scope, &id_of(interface))?;
    Ok(stored.map(|stored| stored.attachment))
}

/// Removes the attachment of an interface; whether there was one.
pub fn delete(cx: Cx<'_>, interface: &EniId) -> Result<bool> {
    cx.tx.delete::<Stored>(cx.scope, &id_of(interface))
}

/// The attachments of the account and region, by interface.
pub fn list(cx: Cx<'_>) -> Result<Vec<Attachment>> {
    let stored: Vec<Stored> = cx.tx.list(cx.scope)?;
    Ok(stored.into_iter().map(|stored| stored.attachment).collect())
}

/// All attachments of the host.
pub fn list_everywhere(tx: &Tx<'_>) -> Result<Vec<(Scope, Attachment)>> {
    let stored: Vec<(Scope, Stored)> = tx.list_everywhere()?;
    Ok(stored.into_iter().map(|(scope, stored)| (scope, stored.attachment)).collect())
}
