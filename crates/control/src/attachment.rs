//! Attachments: which device of which host is which network interface.
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
/// if it is on another device or another server's host; `DeviceInUse` if the device has another interface.
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
    let (id, host) = (id_of(&attachment.interface), cx.tx.host().to_owned());
    cx.tx.put(cx.scope, &Stored { id, host, attachment: attachment.clone() })
}

/// The attachment of an interface, if it is attached, on whichever host.
pub fn get(cx: Cx<'_>, interface: &EniId) -> Result<Option<Attachment>> {
    let stored: Option<Stored> = cx.tx.get(cx.scope, &id_of(interface))?;
    Ok(stored.map(|stored| stored.attachment))
}

/// Removes the attachment of an interface; whether there was one.
pub fn delete(cx: Cx<'_>, interface: &EniId) -> Result<bool> {
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
