//! Instances: what hosts with attached interfaces are to EC2.
//!
//! Weir runs no machines. An instance is there because interfaces are attached
//! to it, and goes with the last of them; a host has one id a region.
//!
//! Source: EC2 API, `DescribeInstances`, `Instance`.

use crate::error::{ControlError, Result};
use crate::interface_index::{self, Key};
use crate::network_interface::{Attached, NetworkInterface};
use crate::state::Cx;
use crate::{random, region};
use std::collections::BTreeMap;
use weir_types::id::InstanceId;
use weir_types::time::UnixMillis;

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub id: InstanceId,
    /// At least one, by their places.
    pub interfaces: Vec<NetworkInterface>,
    /// When the first of its interfaces was attached.
    pub since: UnixMillis,
}

/// The instances with these ids; all of them for none.
///
/// Errors: `InvalidInstanceID.Malformed`, `InvalidInstanceID.NotFound`.
pub fn select(cx: Cx<'_>, ids: &[&str]) -> Result<Vec<Instance>> {
    region::ensure(cx)?;
    let mut found: BTreeMap<InstanceId, Vec<(Attached, NetworkInterface)>> = BTreeMap::new();
    for interface in interface_index::find(cx, Key::Attached)? {
        if let Some(attached) = interface.attached.clone() {
            found.entry(attached.instance.clone()).or_default().push((attached, interface));
        }
    }
    for id in ids {
        if !found.contains_key(&parse(id)?) {
            return Err(unknown(id));
        }
    }
    found.retain(|id, _| ids.is_empty() || ids.contains(&id.as_str()));
    let instance = |(id, mut interfaces): (InstanceId, Vec<(Attached, NetworkInterface)>)| {
        interfaces.sort_by_key(|(attached, _)| attached.device_index);
        let since = interfaces.iter().map(|(attached, _)| attached.at).min().unwrap_or(cx.now);
        Instance { id, since, interfaces: interfaces.into_iter().map(|(_, interface)| interface).collect() }
    };
    Ok(found.into_iter().map(instance).collect())
}

/// The interfaces that are attached to an instance.
pub fn interfaces(cx: Cx<'_>, instance: &InstanceId) -> Result<Vec<NetworkInterface>> {
    interface_index::find(cx, Key::Instance(instance))
}

/// The id of a host in the region, made when it is first asked for. `host` is
/// what [`crate::Tx::host`] calls it.
pub(crate) fn of_host(cx: Cx<'_>, host: &str) -> Result<InstanceId> {
    let mut region = region::ensure(cx)?;
    if let Some(id) = region.host_instances.get(host) {
        return Ok(id.clone());
    }
    let id = InstanceId::from_random(random::bits()?);
    region.host_instances.insert(host.to_owned(), id.clone());
    cx.tx.put(cx.scope, &region)?;
    Ok(id)
}

/// Errors: `InvalidInstanceID.Malformed`.
pub(crate) fn parse(id: &str) -> Result<InstanceId> {
    id.parse().map_err(|_| {
        let message = format!("Invalid id: \"{id}\" (expecting \"i-...\")");
        ControlError::fault("InvalidInstanceID.Malformed", message)
    })
}

/// `InvalidInstanceID.NotFound`.
pub fn unknown(id: &str) -> ControlError {
    ControlError::fault("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment;
    use crate::security_group::find;
    use crate::test_world::{World, interface, subnet, text, vpc};
    use weir_types::orders::{Attachment, Mode, Side};

    #[test]
    fn a_host_is_an_instance_while_interfaces_are_attached() {
        World::new()
            .run(|cx| {
                let vpc = vpc(cx, false, "")?;
                let subnet = subnet(cx, &vpc, "10.0.1.0/24", "")?;
                let group = find::by_name(cx, &vpc.id, "default")?.id;
                let ids: Vec<_> = (4..8)
                    .map(|n| interface(cx, &subnet, &[&group], &[&format!("10.0.1.{n}")]).map(|one| one.id))
                    .collect::<Result<_>>()?;
                let attach = |place: usize| {
                    let attachment = Attachment {
                        interface: ids[place].clone(),
                        device: format!("eth{place}"),
                        netns: None,
                        mode: Mode::Evaluate,
                        side: Side::Instance,
                    };
                    attachment::put(cx, &attachment)
                };
                assert_eq!(select(cx, &[])?, []);
                for place in 0..3 {
                    attach(place)?;
                }
                // A place that becomes free is taken again.
                attachment::detach(cx, &attachment::id_of(&ids[1]))?;
                attach(3)?;
                let all = select(cx, &[])?;
                let order: Vec<_> = all[0].interfaces.iter().map(|one| &one.id).collect();
                assert_eq!((all.len(), order), (1, vec![&ids[0], &ids[3], &ids[2]]));
                let host = all[0].id.to_string();
                assert_eq!(select(cx, &[&host])?, all);

                let other = "i-00000000000000001";
                for (eni, index, expected) in [
                    (0, 0, "InvalidNetworkInterface.InUse"),
                    (1, 0, "ok"),
                    (1, 1, "InvalidNetworkInterface.InUse"),
                ] {
                    let outcome =
                        text(attachment::attach_without_device(cx, ids[eni].as_str(), other, index));
                    assert!(outcome.starts_with(expected), "{eni} {index}: {outcome}");
                }
                assert_eq!(select(cx, &[])?.len(), 2);
                for (id, expected) in [
                    ("i-00000000000000002", "InvalidInstanceID.NotFound"),
                    ("eni-1", "InvalidInstanceID.Malformed"),
                ] {
                    assert!(text(select(cx, &[id])).starts_with(expected), "{id}");
                }
                for id in [0, 1, 2, 3] {
                    attachment::detach(cx, &attachment::id_of(&ids[id]))?;
                }
                let again = text(attachment::detach(cx, &attachment::id_of(&ids[0])));
                assert!(again.starts_with("InvalidAttachmentID.NotFound"), "{again}");
                assert_eq!((select(cx, &[])?.len(), attachment::list(cx)?.len()), (0, 0));
                Ok(())
            })
            .unwrap();
    }
}
