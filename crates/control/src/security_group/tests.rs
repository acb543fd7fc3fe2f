use super::permission::{self, GroupPair, IpPermission, PrefixListPair, Range};
use super::*;
use crate::test_world::{ACCOUNT, World, interface, subnet, text, vpc};

/// `tcp 22 22 10.0.0.0/8 sg-…`: protocol, ports (`_` for none) and peers.
fn permission(line: &str) -> IpPermission {
    let mut words = line.split(' ');
    let mut word = || words.next().filter(|word| *word != "_");
    let mut permission = IpPermission {
        protocol: word().map(str::to_owned),
        from_port: word().map(|port| port.parse().unwrap()),
        to_port: word().map(|port| port.parse().unwrap()),
        ..IpPermission::default()
    };
    for peer in words {
        let range = Range { cidr: peer.to_owned(), description: None };
        if peer.starts_with("sg-") {
            permission.groups.push(GroupPair { id: Some(peer.to_owned()), ..GroupPair::default() });
        } else if peer.starts_with("pl-") {
            permission.prefix_lists.push(PrefixListPair { id: peer.to_owned(), description: None });
        } else if let Some(name) = peer.strip_prefix("name=") {
            permission.groups.push(GroupPair { name: Some(name.to_owned()), ..GroupPair::default() });
        } else if peer.contains(':') {
            permission.ipv6.push(range);
        } else {
            permission.ipv4.push(range);
        }
    }
    permission
}

fn new_group(cx: Cx<'_>, vpc: &Vpc, name: &str) -> Result<SecurityGroup> {
    create(
        cx,
        &NewSecurityGroup {
            name: name.to_owned(),
            description: "a group".to_owned(),
            vpc: Some(vpc.id.to_string()),
            tags: Vec::new(),
        },
    )
}

/// Rules as `ingress tcp 22-22 10.0.0.0/8`, sorted.
fn shown(cx: Cx<'_>, group: &SecurityGroup) -> Result<Vec<String>> {
    let mut lines: Vec<String> = rule::of_group(cx, group)?
        .iter()
        .map(|rule| {
            let ports = permission::port_pair(&rule.matches).map(|(from, to)| format!(" {from}..{to}"));
            let peer = match &rule.peer {
                Peer::Cidr(block) => block.to_string(),
                Peer::PrefixList(list) => list.to_string(),
                Peer::Group(id) => id.to_string(),
            };
            let protocol = permission::protocol_name(&rule.matches);
            format!("{} {protocol}{} {peer}", rule.direction, ports.unwrap_or_default())
        })
        .collect();
    lines.sort();
    Ok(lines)
}

#[test]
fn protocols_and_ports() {
    const PORTS: &str = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.";
    for (protocol, from, to, expected) in [
        ("tcp", Some(22), Some(22), "tcp 22 22"),
        ("TCP", Some(0), Some(65535), "tcp 0 65535"),
        ("6", Some(80), Some(443), "tcp 80 443"),
        ("17", Some(53), Some(53), "udp 53 53"),
        ("icmp", Some(8), Some(-1), "icmp 8 -1"),
        ("1", Some(-1), Some(-1), "icmp -1 -1"),
        ("1", Some(3), Some(4), "icmp 3 4"),
        ("icmpv6", None, None, "icmpv6 -1 -1"),
        ("58", Some(128), Some(0), "icmpv6 128 0"),
        ("-1", None, None, "-1"),
        ("-1", Some(22), Some(22), "-1"),
        ("50", Some(1), Some(2), "50"),
        ("132", Some(2905), Some(2905), "132"),
        ("0", None, None, "0"),
        ("255", None, None, "255"),
        ("256", None, None, "Invalid value '256' for IP protocol. Unknown protocol."),
        ("all", None, None, "Invalid value 'all' for IP protocol. Unknown protocol."),
        ("tcp", None, None, PORTS),
        ("udp", Some(1), None, PORTS),
        ("tcp", Some(-1), Some(-1), "TCP/UDP (from) port (-1) out of range"),
        ("tcp", Some(0), Some(65536), "TCP/UDP (to) port (65536) out of range"),
        ("tcp", Some(443), Some(80), "Invalid TCP/UDP port range (443:80)"),
        ("icmp", None, None, "Invalid value for portRange. Must specify both type and code with ICMP."),
        ("icmp", Some(256), Some(-1), "ICMP type (256) out of range"),
        ("icmp", Some(8), Some(65535), "ICMP code (65535) out of range"),
        ("icmp", Some(-1), Some(0), "ICMP code (0) must be -1 (all codes) if the type is -1 (all types)"),
    ] {
        let found = match permission::matches(Some(protocol), from, to) {
            Ok(matches) => {
                let ports = permission::port_pair(&matches).map(|(from, to)| format!(" {from} {to}"));
                format!("{}{}", permission::protocol_name(&matches), ports.unwrap_or_default())
            }
            Err(error) => text::<()>(Err(error)).replace("InvalidParameterValue: ", ""),
        };
        assert_eq!(found, expected, "{protocol} {from:?} {to:?}");
    }
    assert!(text(permission::matches(None, None, None)).contains("must specify protocols explicitly"));
}

#[test]
fn new_groups_let_everything_out_and_default_groups_their_members_in() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = vpc(cx, false, "2001:db8:0:100::/56")?;
            let default = find::by_name(cx, &vpc.id, "default")?;
            let members = format!("ingress -1 {}", default.id);
            assert_eq!(shown(cx, &default)?, ["egress -1 0.0.0.0/0", "egress -1 ::/0", &members]);
            let group = new_group(cx, &vpc, "web")?;
            assert_eq!(shown(cx, &group)?, ["egress -1 0.0.0.0/0", "egress -1 ::/0"]);
            Ok(())
        })
        .unwrap();
}

#[test]
fn creation_faults() {
    let world = World::new();
    let vpc = world.run(|cx| vpc(cx, false, "")).unwrap();
    world.run(|cx| new_group(cx, &vpc, "web")).unwrap();
    let id = vpc.id.to_string();
    let long = "x".repeat(256);
    for (name, description, vpc, expected) in [
        ("db", "d", Some(id.as_str()), "ok"),
        (" web ", "d", Some(&id), "InvalidGroup.Duplicate"),
        ("WEB", "d", Some(&id), "InvalidGroup.Duplicate"),
        ("default", "d", Some(&id), "InvalidGroup.Reserved"),
        ("sg-web", "d", Some(&id), "InvalidParameterValue"),
        ("wéb", "d", Some(&id), "InvalidParameterValue"),
        ("web2", "d'", Some(&id), "InvalidParameterValue"),
        (" ", "d", Some(&id), "InvalidParameterValue"),
        (&long, "d", Some(&id), "InvalidParameterValue"),
        ("web2", "d", Some("vpc-00000000000000000"), "InvalidVpcID.NotFound"),
        ("web2", "d", None, "VPCIdNotSpecified"),
    ] {
        let new = NewSecurityGroup {
            name: name.to_owned(),
            description: description.to_owned(),
            vpc: vpc.map(str::to_owned),
            tags: Vec::new(),
        };
        let fault = world.fault(|cx| create(cx, &new));
        assert_eq!(fault.split(':').next(), Some(expected), "{name} {description} {vpc:?}");
    }
}

#[test]
fn groups_are_found_by_id_and_in_the_default_vpc_by_name() {
    let world = World::new();
    assert_eq!(
        world.fault(|cx| find::by_id_or_name(cx, None, Some("web"))),
        "InvalidGroup.NotFound: The security group 'web' does not exist"
    );
    let vpc = world.run(|cx| vpc(cx, true, "")).unwrap();
    let group = world.run(|cx| new_group(cx, &vpc, "web")).unwrap();
    world
        .run(|cx| {
            assert_eq!(find::by_id_or_name(cx, Some(group.id.as_str()), None)?, group);
            assert_eq!(find::by_id_or_name(cx, None, Some("web"))?, group);
            Ok(())
        })
        .unwrap();
    for (id, name, expected) in [
        (
            Some("web"),
            None,
            "InvalidGroupId.Malformed: Invalid id: \"web\" (expecting \"sg-...\")".to_owned(),
        ),
        (
            Some("sg-00000000000000000"),
            None,
            "InvalidGroup.NotFound: The security group 'sg-00000000000000000' does not exist".to_owned(),
        ),
        (
            None,
            Some("db"),
            format!(
                "InvalidGroup.NotFound: The security group 'db' does not exist in default VPC '{}'",
                vpc.id
            ),
        ),
        (
            None,
            None,
            "MissingParameter: The request must contain the parameter groupName or groupId".to_owned(),
        ),
    ] {
        assert_eq!(world.fault(|cx| find::by_id_or_name(cx, id, name)), expected);
    }
}

#[test]
fn each_peer_makes_a_rule_in_canonical_form() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = vpc(cx, false, "")?;
            let (web, db) = (new_group(cx, &vpc, "web")?, new_group(cx, &vpc, "db")?);
            let line = format!("tcp 5432 5432 100.68.0.18/18 2001:DB8::1/64 {} name=db", web.id);
            let tags = [("k".to_owned(), "v".to_owned())];
            let added = rule::authorize(cx, &db, Direction::Ingress, &[permission(&line)], &tags)?;
            assert_eq!(added.len(), 4);
            assert_eq!(crate::tags::of(cx, added[0].id.as_str())?, tags);
            let mut expected = vec![
                "egress -1 0.0.0.0/0".to_owned(),
                "ingress tcp 5432..5432 100.68.0.0/18".to_owned(),
                "ingress tcp 5432..5432 2001:db8::/64".to_owned(),
                format!("ingress tcp 5432..5432 {}", web.id),
                format!("ingress tcp 5432..5432 {}", db.id),
            ];
            expected.sort();
            assert_eq!(shown(cx, &db)?, expected);
            Ok(())
        })
        .unwrap();
}

#[test]
fn authorization_faults_change_nothing() {
    let world = World::new();
    let (group, other) = world
        .run(|cx| {
            let (one, two) = (vpc(cx, true, "")?, vpc(cx, false, "")?);
            let group = new_group(cx, &one, "web")?;
            let lines = [
                "tcp 22 22 10.0.0.0/8".to_owned(),
                "-1 _ _ 10.0.0.0/8".to_owned(),
                "icmp -1 -1 10.0.0.0/8".to_owned(),
                "50 _ _ 10.0.0.0/8".to_owned(),
                format!("udp 53 53 {}", group.id),
            ];
            for line in lines {
                rule::authorize(cx, &group, Direction::Ingress, &[permission(&line)], &[])?;
            }
            Ok((group, new_group(cx, &two, "other")?))
        })
        .unwrap();
    let before = world.run(|cx| shown(cx, &group)).unwrap();
    let duplicate = |peer: &str| {
        format!("InvalidPermission.Duplicate: the specified rule \"peer: {peer}, ALLOW\" already exists")
    };
    for (line, expected) in [
        ("tcp 22 22 10.1.0.0/8".to_owned(), duplicate("10.0.0.0/8, TCP, from port: 22, to port: 22")),
        ("-1 0 0 10.0.0.0/8".to_owned(), duplicate("10.0.0.0/8, ALL")),
        ("1 -1 -1 10.0.0.0/8".to_owned(), duplicate("10.0.0.0/8, ICMP, type: ALL, code: ALL")),
        ("50 1 1 10.0.0.0/8".to_owned(), duplicate("10.0.0.0/8, 50")),
        (
            format!("udp 53 53 {}", group.id),
            duplicate(&format!("{}, UDP, from port: 53, to port: 53", group.id)),
        ),
        (
            "tcp 1 1 10.0.0.0/8 10.1.0.0/8".to_owned(),
            "InvalidParameterValue: The same permission must not appear multiple times".to_owned(),
        ),
        ("tcp 1 1 10.0.0.0".to_owned(), "InvalidParameterValue: CIDR block 10.0.0.0 is malformed".to_owned()),
        ("tcp 1 1 ::/129".to_owned(), "InvalidParameterValue: CIDR block ::/129 is malformed".to_owned()),
        (
            "tcp 1 1 sg-00000000000000000".to_owned(),
            "InvalidGroup.NotFound: The security group 'sg-00000000000000000' does not exist".to_owned(),
        ),
        (
            format!("tcp 1 1 {}", other.id),
            "InvalidGroup.NotFound: You have specified two resources that belong to different networks."
                .to_owned(),
        ),
        (
            "tcp 1 1 name=other".to_owned(),
            format!(
                "InvalidGroup.NotFound: The security group 'other' does not exist in VPC '{}'",
                group.vpc
            ),
        ),
        (
            "tcp 1 1 pl-0123".to_owned(),
            "InvalidPrefixListID.NotFound: The prefix list ID 'pl-0123' does not exist".to_owned(),
        ),
        (
            "tcp 1 1".to_owned(),
            "MissingParameter: Each permission must contain an IPv4 range, an IPv6 range, a prefix list or a security group"
                .to_owned(),
        ),
    ] {
        let typed = [permission("tcp 7 7 10.9.0.0/16"), permission(&line)];
        let fault = world.fault(|cx| rule::authorize(cx, &group, Direction::Ingress, &typed, &[]));
        assert_eq!(fault, expected, "{line}");
    }
    let mut described = permission("tcp 1 1 10.0.0.0/8");
    described.ipv4[0].description = Some("it's".to_owned());
    let fault = world.fault(|cx| rule::authorize(cx, &group, Direction::Ingress, &[described], &[]));
    assert!(fault.starts_with("InvalidParameterValue: Invalid rule description."), "{fault}");
    assert!(fault.ends_with("set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"), "{fault}");
    let mut foreign = permission(&format!("tcp 1 1 {}", group.id));
    foreign.groups[0].user = Some("999999999999".to_owned());
    let fault = world.fault(|cx| rule::authorize(cx, &group, Direction::Ingress, &[foreign.clone()], &[]));
    assert!(fault.starts_with("InvalidGroup.NotFound"), "{fault}");
    assert_eq!(world.run(|cx| shown(cx, &group)).unwrap(), before);
    foreign.groups[0].user = Some(ACCOUNT.to_owned());
    assert_eq!(world.fault(|cx| rule::authorize(cx, &group, Direction::Ingress, &[foreign], &[])), "ok");
    // The same rule in the other direction is another rule.
    let egress = [permission("tcp 22 22 10.0.0.0/8")];
    assert_eq!(world.fault(|cx| rule::authorize(cx, &group, Direction::Egress, &egress, &[])), "ok");
}

#[test]
fn sixty_rules_a_direction_and_ip_version() {
    let world = World::new();
    let group = world
        .run(|cx| {
            let vpc = vpc(cx, false, "")?;
            new_group(cx, &vpc, "web")
        })
        .unwrap();
    let authorize = |lines: Vec<String>| {
        let typed: Vec<_> = lines.iter().map(|line| permission(line)).collect();
        let fault = world.fault(|cx| rule::authorize(cx, &group, Direction::Ingress, &typed, &[]));
        fault.split(':').next().unwrap().to_owned()
    };
    let ipv4 = |ports: std::ops::Range<u16>| ports.map(|n| format!("tcp {n} {n} 0.0.0.0/0")).collect();
    let ipv6 = |ports: std::ops::Range<u16>| ports.map(|n| format!("tcp {n} {n} ::/0")).collect();
    assert_eq!(authorize(ipv4(0..61)), "RulesPerSecurityGroupLimitExceeded");
    assert_eq!(authorize(ipv4(0..59)), "ok");
    assert_eq!(authorize(ipv6(0..58)), "ok");
    // A reference counts for both versions.
    assert_eq!(authorize(vec![format!("-1 _ _ {}", group.id)]), "ok");
    assert_eq!(authorize(ipv4(59..60)), "RulesPerSecurityGroupLimitExceeded");
    assert_eq!(authorize(ipv6(59..60)), "ok");
    assert_eq!(authorize(ipv6(60..61)), "RulesPerSecurityGroupLimitExceeded");
}

#[test]
fn revocation_by_what_a_rule_says() {
    let world = World::new();
    for (is_default, expected) in [
        (true, "ok"),
        (false, "InvalidPermission.NotFound: The specified rule does not exist in this security group."),
    ] {
        let group = world
            .run(|cx| {
                let vpc = vpc(cx, is_default, "")?;
                let group = new_group(cx, &vpc, "web")?;
                let typed = [permission("tcp 22 22 10.0.0.0/8"), permission("tcp 80 80 10.0.0.0/8")];
                rule::authorize(cx, &group, Direction::Ingress, &typed, &[])?;
                Ok(group)
            })
            .unwrap();
        let typed = [permission("6 22 22 10.1.2.3/8"), permission("tcp 23 23 10.0.0.0/8")];
        assert_eq!(world.fault(|cx| rule::revoke(cx, &group, Direction::Ingress, &typed)), expected);
        let left = world.run(|cx| shown(cx, &group)).unwrap();
        assert_eq!(left.len(), if is_default { 2 } else { 3 }, "{left:?}");
        let unknown = world.fault(|cx| rule::revoke(cx, &group, Direction::Egress, &typed[..1]));
        assert_eq!(unknown, expected);
    }
}

#[test]
fn revocation_by_id() {
    let world = World::new();
    let (group, other) = world
        .run(|cx| {
            let vpc = vpc(cx, false, "")?;
            Ok((new_group(cx, &vpc, "web")?, new_group(cx, &vpc, "db")?))
        })
        .unwrap();
    let rule = world.run(|cx| rule::of_group(cx, &group)).unwrap().remove(0);
    let revoke = |group: &SecurityGroup, direction, ids: &[&str]| {
        let fault = world.fault(|cx| rule::revoke_by_id(cx, group, direction, ids));
        fault.split(':').next().unwrap().to_owned()
    };
    let id = rule.id.as_str();
    assert_eq!(revoke(&group, Direction::Egress, &["x"]), "InvalidSecurityGroupRuleId.Malformed");
    assert_eq!(revoke(&group, Direction::Ingress, &[id]), "InvalidSecurityGroupRuleId.NotFound");
    assert_eq!(revoke(&other, Direction::Egress, &[id]), "InvalidSecurityGroupRuleId.NotFound");
    assert_eq!(revoke(&group, Direction::Egress, &[id]), "ok");
    assert_eq!(revoke(&group, Direction::Egress, &[id]), "InvalidSecurityGroupRuleId.NotFound");
}

#[test]
fn a_group_in_use_cannot_go() {
    let world = World::new();
    let (vpc, web, db) = world
        .run(|cx| {
            let vpc = vpc(cx, false, "")?;
            Ok((vpc.clone(), new_group(cx, &vpc, "web")?, new_group(cx, &vpc, "db")?))
        })
        .unwrap();
    let in_use = format!("DependencyViolation: resource {} has a dependent object", web.id);
    let reference = [permission(&format!("-1 _ _ {}", web.id))];
    world
        .run(|cx| {
            // A rule that names its own group is no obstacle.
            rule::authorize(cx, &web, Direction::Ingress, &reference, &[])?;
            rule::authorize(cx, &db, Direction::Egress, &reference, &[])
        })
        .unwrap();
    assert_eq!(world.fault(|cx| delete(cx, &web)), in_use);
    world.run(|cx| rule::revoke(cx, &db, Direction::Egress, &reference)).unwrap();
    let eni = world
        .run(|cx| {
            let subnet = subnet(cx, &vpc, "10.0.0.0/24", "")?;
            interface(cx, &subnet, &[&web.id], &["10.0.0.4"])
        })
        .unwrap();
    assert_eq!(world.fault(|cx| delete(cx, &web)), in_use);
    world.run(|cx| interface_index::delete(cx, &eni)).unwrap();
    world.run(|cx| delete(cx, &web)).unwrap();
    assert_eq!(world.run(|cx| rule::of_group(cx, &web)).unwrap(), []);

    let default = world.run(|cx| find::by_name(cx, &vpc.id, "default")).unwrap();
    let fault = world.fault(|cx| delete(cx, &default));
    let text =
        format!("the specified group: \"{}\" name: \"default\" cannot be deleted by a user", default.id);
    assert_eq!(fault, format!("CannotDelete: {text}"));

    let fault = world.fault(|cx| vpc_deleted(cx, &vpc));
    assert!(fault.starts_with("DependencyViolation"), "{fault}");
    world.run(|cx| delete(cx, &db)).unwrap();
    world.run(|cx| vpc_deleted(cx, &vpc)).unwrap();
    assert_eq!(world.run(|cx| with_rules(cx, cx.tx.list(cx.scope)?)).unwrap(), []);
}

#[test]
fn groups_are_listed_with_their_own_rules() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = vpc(cx, false, "")?;
            new_group(cx, &vpc, "web")?;
            let all = with_rules(cx, cx.tx.list(cx.scope)?)?;
            assert_eq!(all.len(), 2);
            for (group, rules) in all {
                assert_eq!(rules, rule::of_group(cx, &group)?);
                assert!(!rules.is_empty());
            }
            Ok(())
        })
        .unwrap();
}
