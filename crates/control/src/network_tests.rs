//! Regions, VPCs, subnets, interfaces, attachments and orders: what callers
//! may do, and the faults of what they may not.

use crate::attachment;
use crate::error::{ControlError, Result};
use crate::flow_log::{self, CreateFlowLogs, FlowLog};
use crate::network_interface::{self, Attribute, CreateNetworkInterface, NetworkInterface, PrivateIpAddress};
use crate::orders::orders;
use crate::region::{self, Region};
use crate::security_group::SecurityGroup;
use crate::state::{Cx, Scope};
use crate::subnet::{self, CreateSubnet, Subnet};
use crate::tags;
use crate::test_world::World;
use crate::vpc::{self, CreateVpc, Vpc};
use weir_types::orders::{Attachment, Destination, Mode, Side};

fn make_vpc(cx: Cx<'_>, cidr: &str) -> Result<Vpc> {
    vpc::create(cx, &CreateVpc { cidr_block: Some(cidr.to_owned()), ..Default::default() })
}

fn make_subnet(cx: Cx<'_>, vpc: &Vpc, cidr: &str) -> Result<Subnet> {
    let (vpc_id, cidr_block) = (vpc.id.to_string(), cidr.to_owned());
    subnet::create(cx, &CreateSubnet { vpc_id, cidr_block, ..Default::default() })
}

fn make_interface(cx: Cx<'_>, subnet: &Subnet) -> Result<NetworkInterface> {
    let subnet_id = subnet.id.to_string();
    network_interface::create(cx, &CreateNetworkInterface { subnet_id, ..Default::default() })
}

/// The code of a fault, or `ok`.
fn code<T>(result: Result<T>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(ControlError::Fault { code, .. }) => code,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_region_gets_its_default_vpc_once() {
    let world = World::new();
    world
        .run(|cx| {
            assert_eq!(region::ensure(cx)?, region::ensure(cx)?);
            let vpcs: Vec<Vpc> = cx.tx.list(cx.scope)?;
            let [vpc] = vpcs.as_slice() else { panic!("{vpcs:?}") };
            assert!(vpc.is_default);
            assert_eq!(vpc.cidr.to_string(), "172.31.0.0/16");
            let mut subnets: Vec<Subnet> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
            subnets.sort_by(|a, b| a.az.cmp(&b.az));
            let plan: Vec<String> = subnets.iter().map(|s| format!("{} {}", s.az, s.cidr)).collect();
            assert_eq!(plan.len(), 6);
            assert_eq!(plan[1], "us-east-1b 172.31.16.0/20");
            // Who removes the default VPC does not get another.
            for subnet in &subnets {
                subnet::delete(cx, subnet.id.as_str())?;
            }
            vpc::delete(cx, vpc.id.as_str())?;
            region::ensure(cx)?;
            assert_eq!(cx.tx.list::<Vpc>(cx.scope)?, []);
            assert_eq!(cx.tx.list::<SecurityGroup>(cx.scope)?, []);

            let other = Scope::new(cx.scope.account.clone(), "nowhere");
            assert_eq!(code(region::ensure(Cx { scope: &other, ..cx })), "InvalidParameterValue");
            let own = Scope::new(cx.scope.account.clone(), "xx-home-1");
            region::ensure(Cx { scope: &own, ..cx })?;
            assert_eq!(cx.tx.list_everywhere::<Region>()?.len(), 2);
            Ok(())
        })
        .unwrap();
}

#[test]
fn vpcs_are_made_as_asked() {
    let world = World::new();
    let request = |cidr: &str, ipv6: &str, amazon: bool, tenancy: &str| CreateVpc {
        cidr_block: (!cidr.is_empty()).then(|| cidr.to_owned()),
        ipv6_cidr_block: (!ipv6.is_empty()).then(|| ipv6.to_owned()),
        amazon_provided_ipv6_cidr_block: amazon,
        instance_tenancy: (!tenancy.is_empty()).then(|| tenancy.to_owned()),
        tags: Vec::new(),
    };
    for (request, expected) in [
        (request("10.0.0.0/16", "", false, ""), "ok"),
        (request("10.0.0.0/16", "", false, "dedicated"), "ok"),
        (request("10.0.0.0/16", "2001:db8::/56", false, ""), "ok"),
        (request("10.0.0.0/16", "", true, ""), "ok"),
        (request("", "", false, ""), "MissingParameter"),
        (request("10.0.0.0", "", false, ""), "InvalidParameterValue"),
        (request("10.0.0.0/8", "", false, ""), "InvalidVpc.Range"),
        (request("10.0.0.0/29", "", false, ""), "InvalidVpc.Range"),
        (request("10.0.0.0/16", "2001:db8::/80", false, ""), "InvalidVpc.Range"),
        (request("10.0.0.0/16", "2001:db8::/56", true, ""), "InvalidParameterCombination"),
        (request("10.0.0.0/16", "", false, "host"), "InvalidParameterValue"),
    ] {
        assert_eq!(code(world.run(|cx| vpc::create(cx, &request))), expected, "{request:?}");
    }
    let made = world.run(|cx| vpc::create(cx, &request("10.0.0.0/16", "", true, ""))).unwrap();
    let block = made.ipv6[0].cidr;
    assert!(block.prefix_len() == 56 && block.addr().segments()[0] >> 8 == 0xfd, "{block}");
}

#[test]
fn subnets_lie_in_their_vpc_beside_each_other() {
    let world = World::new();
    let (vpc, ipv6) = world
        .run(|cx| {
            let vpc = make_vpc(cx, "10.0.0.0/16")?;
            make_subnet(cx, &vpc, "10.0.1.0/24")?;
            let request = CreateVpc {
                cidr_block: Some("10.1.0.0/16".into()),
                ipv6_cidr_block: Some("2001:db8::/56".into()),
                ..Default::default()
            };
            Ok((vpc, vpc::create(cx, &request)?))
        })
        .unwrap();
    let request =
        |vpc: &Vpc, cidr: &str, ipv6: Option<&str>, zone: Option<&str>, zone_id: Option<&str>| CreateSubnet {
            vpc_id: vpc.id.to_string(),
            cidr_block: cidr.to_owned(),
            ipv6_cidr_block: ipv6.map(str::to_owned),
            availability_zone: zone.map(str::to_owned),
            availability_zone_id: zone_id.map(str::to_owned),
            ..CreateSubnet::default()
        };
    for (request, expected) in [
        (request(&vpc, "10.0.2.0/24", None, None, None), "ok"),
        (request(&vpc, "10.0.1.0/24", None, None, None), "InvalidSubnet.Conflict"),
        (request(&vpc, "10.0.1.128/25", None, None, None), "InvalidSubnet.Conflict"),
        (request(&vpc, "10.0.0.0/22", None, None, None), "InvalidSubnet.Conflict"),
        (request(&vpc, "10.1.0.0/24", None, None, None), "InvalidSubnet.Range"),
        (request(&vpc, "10.0.0.0/15", None, None, None), "InvalidSubnet.Range"),
        (request(&vpc, "10.0.9.0/29", None, None, None), "InvalidSubnet.Range"),
        (request(&vpc, "nonsense", None, None, None), "InvalidParameterValue"),
        (request(&vpc, "10.0.3.0/24", None, Some("us-east-1c"), None), "ok"),
        (request(&vpc, "10.0.4.0/24", None, None, Some("use1-az5")), "ok"),
        (request(&vpc, "10.0.5.0/24", None, Some("us-west-2a"), None), "InvalidParameterValue"),
        (request(&vpc, "10.0.5.0/24", None, None, Some("use1-az9")), "InvalidParameterValue"),
        (request(&vpc, "10.0.5.0/24", None, Some("us-east-1a"), Some("use1-az2")), "InvalidParameterValue"),
        (request(&vpc, "10.0.5.0/24", Some("2001:db8::/64"), None, None), "InvalidSubnet.Range"),
        (request(&ipv6, "10.1.0.0/24", Some("2001:db8::/64"), None, None), "ok"),
        (request(&ipv6, "10.1.1.0/24", Some("2001:db8::/60"), None, None), "InvalidSubnet.Conflict"),
        (request(&ipv6, "10.1.1.0/24", Some("2001:db9::/64"), None, None), "InvalidSubnet.Range"),
    ] {
        assert_eq!(code(world.run(|cx| subnet::create(cx, &request))), expected, "{request:?}");
    }
    let unknown = request(
        &Vpc { id: "vpc-00000000000000001".parse().unwrap(), ..vpc },
        "10.0.9.0/24",
        None,
        None,
        None,
    );
    assert_eq!(code(world.run(|cx| subnet::create(cx, &unknown))), "InvalidVpcID.NotFound");
    let malformed = CreateSubnet { vpc_id: "subnet-1".into(), ..unknown };
    assert_eq!(code(world.run(|cx| subnet::create(cx, &malformed))), "InvalidVpcID.Malformed");
}

#[test]
fn interfaces_get_addresses_and_groups() {
    let world = World::new();
    let (subnet, group) = world
        .run(|cx| {
            let request = CreateVpc {
                cidr_block: Some("10.0.0.0/16".into()),
                ipv6_cidr_block: Some("2001:db8::/56".into()),
                ..Default::default()
            };
            let vpc = vpc::create(cx, &request)?;
            let groups: Vec<SecurityGroup> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
            let request = CreateSubnet {
                vpc_id: vpc.id.to_string(),
                cidr_block: "10.0.1.0/24".into(),
                ipv6_cidr_block: Some("2001:db8::/64".into()),
                ..Default::default()
            };
            Ok((subnet::create(cx, &request)?, groups[0].id.to_string()))
        })
        .unwrap();
    let plain = || CreateNetworkInterface { subnet_id: subnet.id.to_string(), ..Default::default() };
    let listed = |list: &[(&str, bool)]| -> Vec<PrivateIpAddress> {
        list.iter()
            .map(|(address, primary)| PrivateIpAddress { address: (*address).into(), primary: *primary })
            .collect()
    };
    let addresses = |interface: &NetworkInterface| {
        let ipv4 = interface.ipv4.iter().map(ToString::to_string);
        ipv4.chain(interface.ipv6.iter().map(ToString::to_string)).collect::<Vec<_>>().join(" ")
    };
    let one = |address: &str| CreateNetworkInterface { private_ip_address: Some(address.into()), ..plain() };
    for (request, expected) in [
        (plain(), "10.0.1.4"),
        (one("10.0.1.6"), "10.0.1.6"),
        (
            CreateNetworkInterface { secondary_private_ip_address_count: Some(2), ..plain() },
            "10.0.1.5 10.0.1.7 10.0.1.8",
        ),
        (
            CreateNetworkInterface {
                private_ip_addresses: listed(&[("10.0.1.20", false), ("10.0.1.21", true)]),
                ..plain()
            },
            "10.0.1.21 10.0.1.20",
        ),
        (
            CreateNetworkInterface {
                private_ip_addresses: listed(&[("10.0.1.30", false), ("10.0.1.31", false)]),
                ..plain()
            },
            "10.0.1.30 10.0.1.31",
        ),
        (
            CreateNetworkInterface {
                private_ip_addresses: listed(&[("10.0.1.41", false)]),
                ..one("10.0.1.40")
            },
            "10.0.1.40 10.0.1.41",
        ),
        (CreateNetworkInterface { ipv6_address_count: Some(1), ..one("10.0.1.50") }, "10.0.1.50 2001:db8::4"),
        (
            CreateNetworkInterface { ipv6_addresses: vec!["2001:db8::99".into()], ..one("10.0.1.51") },
            "10.0.1.51 2001:db8::99",
        ),
        (
            CreateNetworkInterface { groups: vec![group.clone(), group.clone()], ..one("10.0.1.52") },
            "10.0.1.52",
        ),
    ] {
        let made = world.run(|cx| network_interface::create(cx, &request)).unwrap();
        assert_eq!(addresses(&made), expected);
        assert_eq!(
            made.groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
            std::slice::from_ref(&group)
        );
        assert!(made.mac.starts_with("02:") && made.mac.len() == 17, "{}", made.mac);
    }
    for (request, expected) in [
        (one("10.0.1.6"), "InvalidIPAddress.InUse"),
        (one("10.0.1.255"), "InvalidParameterValue"),
        (one("10.0.2.6"), "InvalidParameterValue"),
        (one("ten"), "InvalidParameterValue"),
        (
            CreateNetworkInterface {
                private_ip_addresses: listed(&[("10.0.1.60", true), ("10.0.1.61", true)]),
                ..plain()
            },
            "InvalidParameterCombination",
        ),
        (
            CreateNetworkInterface {
                private_ip_addresses: listed(&[("10.0.1.60", true)]),
                ..one("10.0.1.61")
            },
            "InvalidParameterCombination",
        ),
        (
            CreateNetworkInterface { secondary_private_ip_address_count: Some(-1), ..plain() },
            "InvalidParameterValue",
        ),
        (
            CreateNetworkInterface { secondary_private_ip_address_count: Some(50), ..plain() },
            "PrivateIpAddressLimitExceeded",
        ),
        (
            CreateNetworkInterface { ipv6_addresses: vec!["2001:db8::99".into()], ..plain() },
            "InvalidIPAddress.InUse",
        ),
        (
            CreateNetworkInterface {
                ipv6_address_count: Some(1),
                ipv6_addresses: vec!["2001:db8::9".into()],
                ..plain()
            },
            "InvalidParameterCombination",
        ),
        (
            CreateNetworkInterface { groups: vec!["sg-00000000000000001".into()], ..plain() },
            "InvalidGroup.NotFound",
        ),
        (CreateNetworkInterface { interface_type: Some("radio".into()), ..plain() }, "InvalidParameterValue"),
        (
            CreateNetworkInterface { subnet_id: "subnet-00000000000000001".into(), ..plain() },
            "InvalidSubnetID.NotFound",
        ),
        (CreateNetworkInterface { subnet_id: "here".into(), ..plain() }, "InvalidSubnetID.Malformed"),
    ] {
        assert_eq!(code(world.run(|cx| network_interface::create(cx, &request))), expected, "{request:?}");
    }
    world
        .run(|cx| {
            let used = subnet::used_addresses(cx, &subnet)?;
            assert_eq!(used, 14);
            assert_eq!(subnet::available_addresses(&subnet, 14), 251 - 14);
            let again = CreateNetworkInterface { client_token: Some("token".into()), ..plain() };
            let first = network_interface::create(cx, &again)?;
            assert_eq!(network_interface::create(cx, &again)?, first);
            Ok(())
        })
        .unwrap();
}

#[test]
fn attributes_change_one_at_a_time() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = make_vpc(cx, "10.0.0.0/16")?;
            let interface = make_interface(cx, &make_subnet(cx, &vpc, "10.0.0.0/24")?)?;
            let id = interface.id.as_str();
            network_interface::modify(cx, id, &Attribute::Description("door".into()))?;
            network_interface::modify(cx, id, &Attribute::SourceDestCheck(false))?;
            let now: NetworkInterface = network_interface::FAULTS.find(cx, id)?;
            assert_eq!((now.description.as_str(), now.source_dest_check), ("door", false));
            let own = interface.groups[0].to_string();
            for (id, groups, expected) in [
                (id, vec![own.clone()], "ok"),
                (id, vec![], "InvalidParameterValue"),
                (id, vec!["sg-00000000000000001".to_owned()], "InvalidGroup.NotFound"),
                ("eni-00000000000000001", vec![own.clone()], "InvalidNetworkInterfaceID.NotFound"),
                ("vpc-1", vec![own], "InvalidNetworkInterfaceId.Malformed"),
            ] {
                let attribute = Attribute::Groups(groups);
                assert_eq!(code(network_interface::modify(cx, id, &attribute)), expected, "{attribute:?}");
            }
            Ok(())
        })
        .unwrap();
}

fn attached(interface: &NetworkInterface, device: &str, netns: Option<&str>) -> Attachment {
    Attachment {
        interface: interface.id.clone(),
        device: device.to_owned(),
        netns: netns.map(str::to_owned),
        mode: Mode::Enforce,
        side: Side::Instance,
    }
}

#[test]
fn a_device_has_one_interface_and_an_interface_one_device() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = make_vpc(cx, "10.0.0.0/16")?;
            let subnet = make_subnet(cx, &vpc, "10.0.0.0/24")?;
            let (a, b) = (make_interface(cx, &subnet)?, make_interface(cx, &subnet)?);
            tags::set(cx, a.id.as_str(), &[("Name".into(), "a".into())])?;
            let unknown = NetworkInterface { id: "eni-00000000000000001".parse().unwrap(), ..a.clone() };
            for (interface, device, netns, expected) in [
                (&a, "eth0", None, "ok"),
                (&a, "eth0", None, "ok"),
                (&a, "eth1", None, "InvalidNetworkInterface.InUse"),
                (&a, "eth0", Some("blue"), "InvalidNetworkInterface.InUse"),
                (&b, "eth0", None, "DeviceInUse"),
                (&b, "eth0", Some("blue"), "ok"),
                (&unknown, "eth9", None, "InvalidNetworkInterfaceID.NotFound"),
            ] {
                let outcome = code(attachment::put(cx, &attached(interface, device, netns)));
                assert_eq!(outcome, expected, "{} {device} {netns:?}", interface.id);
            }
            assert_eq!(attachment::get(cx, &a.id)?, Some(attached(&a, "eth0", None)));
            assert_eq!(attachment::list(cx)?.len(), 2);
            assert_eq!(code(network_interface::delete(cx, a.id.as_str())), "InvalidParameterValue");
            assert!(attachment::delete(cx, &a.id)?);
            assert!(!attachment::delete(cx, &a.id)?);
            // Detaching leaves the interface's tags.
            assert_eq!(tags::of(cx, a.id.as_str())?.len(), 1);
            network_interface::delete(cx, a.id.as_str())
        })
        .unwrap();
}

fn log(cx: Cx<'_>, kind: &str, id: &str) -> Result<flow_log::Created> {
    flow_log::create(cx, &log_request(kind, id))
}

fn log_request(kind: &str, id: &str) -> CreateFlowLogs {
    CreateFlowLogs {
        resource_ids: vec![id.to_owned()],
        resource_type: Some(kind.to_owned()),
        traffic_type: Some("ALL".to_owned()),
        log_group_name: Some("flows".to_owned()),
        deliver_logs_permission_arn: Some("arn:aws:iam::123456789012:role/flows".to_owned()),
        ..Default::default()
    }
}

#[test]
fn orders_hold_neighbors_and_tags_if_a_flow_log_asks_for_them() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = make_vpc(cx, "10.0.0.0/16")?;
            let subnet = make_subnet(cx, &vpc, "10.0.0.0/24")?;
            let (here, elsewhere) = (make_interface(cx, &subnet)?, make_interface(cx, &subnet)?);
            attachment::put(cx, &attached(&here, "a", None))?;
            crate::tags::set(cx, here.id.as_str(), &[("Role".to_owned(), "web server".to_owned())])?;
            log(cx, "VPC", vpc.id.as_str())?;
            let plain = orders(cx.tx)?;
            assert!(plain.neighbors.is_empty() && plain.tags.is_empty());
            let request = CreateFlowLogs {
                log_group_name: Some("tagged".to_owned()),
                log_format: Some("${interface-tag} ${next-hop-interface-id}".to_owned()),
                tag_fields: vec![flow_log::TagFieldRequest {
                    resource_type: "network-interface".to_owned(),
                    tag_keys: vec!["Role".to_owned()],
                }],
                ..log_request("VPC", vpc.id.as_str())
            };
            assert_eq!(flow_log::create(cx, &request)?.unsuccessful.len(), 0);
            let asked = orders(cx.tx)?;
            let keys = |of: &weir_types::orders::FlowLogOrder| of.interface_tag_keys.concat();
            assert_eq!(asked.flow_logs.iter().map(keys).collect::<String>(), "Role");
            assert_eq!(asked.tags[here.id.as_str()]["Role"], "web server");
            let neighbors = &asked.neighbors[&vpc.id];
            let found = neighbors.iter().find(|neighbor| neighbor.interface == elsewhere.id).unwrap();
            assert_eq!((neighbors.len(), &found.subnet), (2, &subnet.id));
            assert_eq!(found.addresses, [std::net::IpAddr::V4(elsewhere.primary_ipv4().unwrap())]);
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_has_dependents_stays_and_flow_logs_go_with_their_resource() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = make_vpc(cx, "10.0.0.0/16")?;
            let subnet = make_subnet(cx, &vpc, "10.0.0.0/24")?;
            let interface = make_interface(cx, &subnet)?;
            let (vpc, subnet, interface) = (vpc.id.as_str(), subnet.id.as_str(), interface.id.as_str());
            for (kind, id) in [("VPC", vpc), ("Subnet", subnet), ("NetworkInterface", interface)] {
                log(cx, kind, id)?;
            }
            let left = || cx.tx.list::<FlowLog>(cx.scope).map(|logs| logs.len());
            assert_eq!(code(vpc::delete(cx, vpc)), "DependencyViolation");
            assert_eq!(code(subnet::delete(cx, subnet)), "DependencyViolation");
            assert_eq!(left()?, 3);
            network_interface::delete(cx, interface)?;
            assert_eq!(left()?, 2);
            subnet::delete(cx, subnet)?;
            assert_eq!(left()?, 1);
            vpc::delete(cx, vpc)?;
            assert_eq!(left()?, 0);
            assert_eq!(code(vpc::delete(cx, vpc)), "InvalidVpcID.NotFound");
            assert_eq!(code(subnet::delete(cx, subnet)), "InvalidSubnetID.NotFound");
            assert_eq!(code(network_interface::delete(cx, interface)), "InvalidNetworkInterfaceID.NotFound");
            Ok(())
        })
        .unwrap();
}

#[test]
fn orders_hold_attached_interfaces_and_all_flow_logs() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = make_vpc(cx, "10.0.0.0/16")?;
            let (first, second) = (make_subnet(cx, &vpc, "10.0.0.0/24")?, make_subnet(cx, &vpc, "10.0.1.0/24")?);
            let (a, b) = (make_interface(cx, &first)?, make_interface(cx, &second)?);
            let idle = make_interface(cx, &second)?;
            assert_eq!(orders(cx.tx)?.interfaces, []);
            attachment::put(cx, &attached(&a, "a", None))?;
            attachment::put(cx, &attached(&b, "b", Some("blue")))?;
            for (kind, id) in [
                ("VPC", vpc.id.as_str()),
                ("Subnet", first.id.as_str()),
                ("NetworkInterface", b.id.as_str()),
                ("NetworkInterface", idle.id.as_str()),
            ] {
                log(cx, kind, id)?;
            }
            let all = orders(cx.tx)?;
            assert_eq!((all.generation, all.interfaces.len()), (cx.tx.generation()?, 2));
            let order = all.interfaces.iter().find(|order| order.attachment.interface == b.id).unwrap();
            assert_eq!(order.attachment.netns.as_deref(), Some("blue"));
            assert_eq!((order.primary_ipv4, order.az_id.as_str()), (b.primary_ipv4(), "use1-az1"));
            assert_eq!(order.vpc_cidrs, vpc.cidrs());
            assert!(!order.rules.groups.is_empty() && !order.rules.acl.is_empty());
            let mut covered: Vec<Vec<&str>> = Vec::new();
            for log in &all.flow_logs {
                assert!(matches!(&log.destination, Destination::CloudWatchLogs { log_group, .. } if log_group == "flows"));
                let interfaces = all.interfaces.iter().filter(|interface| log.covers(interface));
                covered.push(interfaces.map(|of| if of.attachment.interface == a.id { "a" } else { "b" }).collect());
            }
            covered.iter_mut().for_each(|names| names.sort_unstable());
            covered.sort();
            // One of them covers nothing that is attached, and may again.
            assert_eq!(covered, [vec![], vec!["a"], vec!["a", "b"], vec!["b"]]);
            Ok(())
        })
        .unwrap();
}
