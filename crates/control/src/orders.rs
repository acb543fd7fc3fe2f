//! Orders: what the host must capture, enforce and record, from the state.

use crate::attachment;
use crate::error::Result;
use crate::flow_log::{FlowLog, LogDestination};
use crate::network_interface::NetworkInterface;
use crate::principal::service_linked_role;
use crate::rules::Resolver;
use crate::state::{Cx, Scope, Tx};
use crate::vpc::Vpc;
use std::collections::BTreeMap;
use std::net::IpAddr;
use weir_types::id::VpcId;
use weir_types::net::IpNet;
use weir_types::orders::{Attachment, Destination, FlowLogOrder, InterfaceOrder, Neighbor, Orders};
use weir_types::rule::InterfaceRules;
use weir_types::time::UnixMillis;

/// All attached interfaces with their rules, and all flow logs: an interface
/// that is detached may still have records to come.
pub fn orders(tx: &Tx<'_>) -> Result<Orders> {
    let mut interfaces = Vec::new();
    for (scope, attachments) in by_scope(attachment::list_everywhere(tx)?) {
        // Nothing that rules or flow logs mean depends on the time.
        let cx = Cx { tx, scope: &scope, now: UnixMillis(0) };
        let mut resolver = Resolver::new(cx);
        for attachment in attachments {
            let interface: Option<NetworkInterface> = tx.get(&scope, attachment.interface.as_str())?;
            // An attached interface cannot go, so there always is one.
            let Some(interface) = interface else { continue };
            let rules = resolver.interface_rules(&interface)?;
            let vpc: Option<Vpc> = tx.get(&scope, interface.vpc.as_str())?;
            let vpc_cidrs = vpc.map(|vpc| vpc.cidrs()).unwrap_or_default();
            interfaces.push(interface_order(&scope, attachment, &interface, vpc_cidrs, rules));
        }
    }
    let flow_logs = tx.list_everywhere::<FlowLog>()?;
    let flow_logs: Vec<FlowLogOrder> =
        flow_logs.into_iter().filter_map(|(scope, flow_log)| flow_log_order(&scope, flow_log)).collect();
    let mut orders = Orders { generation: tx.generation()?, interfaces, flow_logs, ..Orders::default() };
    if orders.flow_logs.iter().any(|flow_log| flow_log.log_format.contains("{next-hop-")) {
        orders.neighbors = neighbors(tx, &orders.interfaces)?;
    }
    if orders.flow_logs.iter().any(FlowLogOrder::has_tag_fields) {
        orders.tags = tags(tx, &orders.interfaces)?;
    }
    Ok(orders)
}

fn scope_of(interface: &InterfaceOrder) -> Scope {
    Scope { account: interface.account.clone(), region: interface.region.clone() }
}

fn neighbors(tx: &Tx<'_>, interfaces: &[InterfaceOrder]) -> Result<BTreeMap<VpcId, Vec<Neighbor>>> {
    let mut of_vpcs = BTreeMap::new();
    for order in interfaces {
        if of_vpcs.contains_key(&order.vpc) {
            continue;
        }
        let all = tx.list_in::<NetworkInterface>(&scope_of(order), order.vpc.as_str())?;
        let neighbor = |interface: NetworkInterface| Neighbor {
            addresses: (interface.ipv4.iter().map(|address| IpAddr::V4(*address)))
                .chain(interface.ipv6.iter().map(|address| IpAddr::V6(*address)))
                .collect(),
            interface: interface.id,
            subnet: interface.subnet,
            az_id: interface.az_id,
        };
        of_vpcs.insert(order.vpc.clone(), all.into_iter().map(neighbor).collect());
    }
    Ok(of_vpcs)
}

fn tags(tx: &Tx<'_>, interfaces: &[InterfaceOrder]) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut found = BTreeMap::new();
    for order in interfaces {
        let scope = scope_of(order);
        let instance = order.instance.as_ref().map(|id| id.as_str());
        for id in [Some(order.attachment.interface.as_str()), instance].into_iter().flatten() {
            if !found.contains_key(id) {
                found.insert(id.to_owned(), tx.tags(&scope, id)?.into_iter().collect());
            }
        }
    }
    Ok(found)
}

fn by_scope(attachments: Vec<(Scope, Attachment)>) -> BTreeMap<Scope, Vec<Attachment>> {
    let mut found: BTreeMap<Scope, Vec<Attachment>> = BTreeMap::new();
    for (scope, attachment) in attachments {
        found.entry(scope).or_default().push(attachment);
    }
    found
}

fn interface_order(
    scope: &Scope,
    attachment: Attachment,
    interface: &NetworkInterface,
    vpc_cidrs: Vec<IpNet>,
    rules: InterfaceRules,
) -> InterfaceOrder {
    InterfaceOrder {
        attachment,
        account: scope.account.clone(),
        region: scope.region.clone(),
        az_id: interface.az_id.clone(),
        vpc: interface.vpc.clone(),
        vpc_cidrs,
        subnet: interface.subnet.clone(),
        instance: interface.attached.as_ref().map(|attached| attached.instance.clone()),
        primary_ipv4: interface.primary_ipv4(),
        ipv4: interface.ipv4.clone(),
        ipv6: interface.ipv6.clone(),
        rules,
    }
}

/// `None` for a destination that cannot be read any more.
fn flow_log_order(scope: &Scope, flow_log: FlowLog) -> Option<FlowLogOrder> {
    let config = flow_log.config;
    let destination = match config.destination {
        LogDestination::CloudWatchLogs { log_group, role, .. } => {
            Destination::CloudWatchLogs { log_group, role }
        }
        LogDestination::S3 { arn, options } => {
            let (_, place) = arn.split_once(":::")?;
            let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
            let folder = folder.trim_end_matches('/');
            let options = options.unwrap_or_default();
            Destination::S3 {
                bucket: bucket.to_owned(),
                prefix: if folder.is_empty() { String::new() } else { format!("{folder}/") },
                file_format: options.file_format,
                hive_compatible_partitions: options.hive_compatible_partitions,
                per_hour_partition: options.per_hour_partition,
            }
        }
        LogDestination::KinesisDataFirehose { arn, role, cross_account_role } => {
            let own =
                || service_linked_role::arn_of(&scope.region, &scope.account, "delivery.logs.amazonaws.com");
            let roles = match (role, cross_account_role) {
                (Some(role), Some(other)) => vec![role, other],
                (Some(role), None) => vec![role],
                _ => vec![own()?],
            };
            Destination::KinesisDataFirehose { stream: arn, roles }
        }
    };
    let keys = |resource_type: &str| {
        let field = config.tag_fields.iter().find(|field| field.resource_type == resource_type);
        field.map(|field| field.keys.clone()).unwrap_or_default()
    };
    Some(FlowLogOrder {
        id: flow_log.id,
        account: scope.account.clone(),
        region: scope.region.clone(),
        traffic_type: config.traffic_type,
        log_format: config.log_format,
        destination,
        max_aggregation_interval_s: config.max_aggregation_interval_s,
        resource: flow_log.resource,
        instance_tag_keys: keys("instance"),
        interface_tag_keys: keys("network-interface"),
    })
}
