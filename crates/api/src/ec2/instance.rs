//! Instances, as their actions answer them.

use super::describe_network_interfaces as interfaces;
use super::filter::Filters;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use weir_control::instance::{self, Instance};
use weir_control::tags;

/// An instance with what it is shown with.
pub struct Shown {
    pub instance: Instance,
    pub interfaces: Vec<interfaces::Shown>,
    pub tags: Vec<(String, String)>,
}

impl Shown {
    /// The first interface: what it says of its place holds for the instance.
    pub fn primary(&self) -> Option<&interfaces::Shown> {
        self.interfaces.first()
    }
}

/// The instances that a request names, by id, as far as filters let them pass.
pub fn select(call: &Call<'_>, params: &Params, filters: &Filters) -> Result<Vec<Shown>, ApiError> {
    let all = call.transact(|cx| {
        let all = instance::select(cx, &params.list("InstanceId"))?;
        let show = |instance: Instance| {
            let interfaces = interfaces::show(cx, instance.interfaces.clone())?;
            Ok(Shown { interfaces, tags: tags::of(cx, instance.id.as_str())?, instance })
        };
        all.into_iter().map(show).collect::<Result<Vec<_>, _>>()
    })?;
    let account = &call.scope.account;
    Ok(all
        .into_iter()
        .filter(|shown| filters.pass(&shown.tags, |name| values(shown, name, account)))
        .collect())
}

/// Filters of DescribeInstances that an instance here has values for.
pub const FILTERS: [&str; 17] = [
    "availability-zone",
    "availability-zone-id",
    "instance-id",
    "instance-state-code",
    "instance-state-name",
    "instance.group-id",
    "instance.group-name",
    "launch-time",
    "network-interface.network-interface-id",
    "network-interface.subnet-id",
    "network-interface.vpc-id",
    "network-interface.addresses.private-ip-address",
    "network-interface.mac-address",
    "owner-id",
    "private-ip-address",
    "subnet-id",
    "vpc-id",
];

fn values(shown: &Shown, filter: &str, account: &str) -> Vec<String> {
    let of_all =
        |name: &str| shown.interfaces.iter().flat_map(|one| interfaces::values(one, name, account)).collect();
    let of_primary =
        |name: &str| shown.primary().map(|one| interfaces::values(one, name, account)).unwrap_or_default();
    match filter {
        "instance-id" => vec![shown.instance.id.to_string()],
        "instance-state-code" => vec!["16".to_owned()],
        "instance-state-name" => vec!["running".to_owned()],
        "instance.group-id" => of_primary("group-id"),
        "instance.group-name" => of_primary("group-name"),
        "launch-time" => vec![crate::protocol::stamp::iso_millis(shown.instance.since)],
        _ => match filter.strip_prefix("network-interface.") {
            Some(name) => of_all(name),
            None => of_primary(filter),
        },
    }
}
