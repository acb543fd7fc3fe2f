use super::entry::{self, NewEntry};
use super::*;
use crate::test_world::{World, subnet, vpc};

/// `ingress 100 allow 6 22-22 10.0.0.0/8`: direction, number, action,
/// protocol, ports (`a-b`), type and code (`a:b`) or `_`, block.
fn entry(line: &str) -> NewEntry {
    let words: Vec<&str> = line.split(' ').collect();
    let [direction, number, action, protocol, what, block] = words[..] else { panic!("{line}") };
    let pair = |separator| {
        what.split_once(separator).map(|(a, b): (&str, &str)| (a.parse().unwrap(), b.parse().unwrap()))
    };
    let (icmp, ports) = (pair(":"), if what.contains(':') { None } else { pair("-") });
    let is_ipv6 = block.contains(':');
    NewEntry {
        rule_number: number.parse().unwrap(),
        egress: direction == "egress",
        protocol: protocol.to_owned(),
        rule_action: action.to_owned(),
        cidr: (!is_ipv6 && block != "_").then(|| block.to_owned()),
        ipv6_cidr: is_ipv6.then(|| block.to_owned()),
        port_from: ports.map(|(from, _)| from),
        port_to: ports.map(|(_, to)| to),
        icmp_type: icmp.map(|(icmp_type, _)| icmp_type),
        icmp_code: icmp.map(|(_, icmp_code)| icmp_code),
    }
}

fn line(rule: &AclRule) -> String {
    let what = match rule.matches {
        Match::Ports { ports, .. } => format!("{}-{}", ports.first, ports.last),
        Match::Icmp { icmp_type, icmp_code, .. } => {
            let or_any = |value: Option<u8>| value.map_or(-1, i16::from);
            format!("{}:{}", or_any(icmp_type), or_any(icmp_code))
        }
        _ => "_".to_owned(),
    };
    let action = if rule.allow { "allow" } else { "deny" };
    let protocol = entry::protocol_number(&rule.matches);
    format!("{} {} {action} {protocol} {what} {}", rule.direction, rule.number, rule.peer)
}

fn shown(cx: Cx<'_>, acl: &NetworkAcl, ipv6: bool) -> Result<Vec<String>> {
    Ok(entry::shown(&by_id(cx, acl.id.as_str())?, ipv6).iter().map(line).collect())
}

#[test]
fn default_acls_allow_everything_and_new_ones_nothing() {
    let world = World::new();
    world
        .run(|cx| {
            let vpc = vpc(cx, false, "2001:db8:0:100::/56")?;
            let [default] = &cx.tx.list_in::<NetworkAcl>(cx.scope, vpc.id.as_str())?[..] else { panic!() };
            let expected = [
                "ingress 100 allow -1 _ 0.0.0.0/0",
                "ingress 101 allow -1 _ ::/0",
                "ingress 32767 deny -1 _ 0.0.0.0/0",
                "ingress 32768 deny -1 _ ::/0",
                "egress 100 allow -1 _ 0.0.0.0/0",
                "egress 101 allow -1 _ ::/0",
                "egress 32767 deny -1 _ 0.0.0.0/0",
                "egress 32768 deny -1 _ ::/0",
            ];
            assert_eq!(shown(cx, default, true)?, expected);
            let acl = create(cx, vpc.id.as_str(), &[("k".to_owned(), "v".to_owned())])?;
            assert_eq!(tags::of(cx, acl.id.as_str())?.len(), 1);
            let expected = ["ingress 32767 deny -1 _ 0.0.0.0/0", "egress 32767 deny -1 _ 0.0.0.0/0"];
            assert_eq!(shown(cx, &acl, false)?, expected);
            Ok(())
        })
        .unwrap();
    let fault = world.fault(|cx| create(cx, "vpc-00000000000000000", &[]));
    assert_eq!(fault, "InvalidVpcID.NotFound: The vpc ID 'vpc-00000000000000000' does not exist");
}

#[test]
fn entries_are_read_in_canonical_form() {
    let world = World::new();
    let vpc = world.run(|cx| vpc(cx, false, "")).unwrap();
    for (typed, expected) in [
        ("ingress 100 allow 6 22-22 100.68.0.18/18", "ingress 100 allow 6 22-22 100.68.0.0/18"),
        ("egress 32766 deny udp 0-65535 2001:DB8::1/64", "egress 32766 deny 17 0-65535 2001:db8::/64"),
        ("ingress 1 allow 1 8:-1 0.0.0.0/0", "ingress 1 allow 1 8:-1 0.0.0.0/0"),
        ("ingress 1 allow icmp -1:-1 0.0.0.0/0", "ingress 1 allow 1 -1:-1 0.0.0.0/0"),
        ("ingress 1 allow 58 128:0 ::/0", "ingress 1 allow 58 128:0 ::/0"),
        ("ingress 1 allow 58 128:0 0.0.0.0/0", "ingress 1 allow 58 _ 0.0.0.0/0"),
        ("ingress 1 allow 132 7-8 0.0.0.0/0", "ingress 1 allow 132 _ 0.0.0.0/0"),
        ("ingress 1 allow -1 7-8 0.0.0.0/0", "ingress 1 allow -1 _ 0.0.0.0/0"),
        ("ingress 0 allow -1 _ 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 32767 allow -1 _ 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress -1 allow -1 _ 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 1 permit -1 _ 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 1 allow 256 _ 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 1 allow gre _ 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 1 allow 6 _ 0.0.0.0/0", "MissingParameter"),
        ("ingress 1 allow 6 80-79 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 1 allow 6 0-65536 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 1 allow 1 _ 0.0.0.0/0", "MissingParameter"),
        ("ingress 1 allow 1 256:0 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 1 allow 1 -1:0 0.0.0.0/0", "InvalidParameterValue"),
        ("ingress 1 allow -1 _ 10.0.0.0", "InvalidParameterValue"),
        ("ingress 1 allow -1 _ ::/129", "InvalidParameterValue"),
        ("ingress 1 allow -1 _ _", "MissingParameter"),
    ] {
        let found = world.run(|cx| {
            let acl = create(cx, vpc.id.as_str(), &[])?;
            entry::create(cx, acl.clone(), &entry(typed))?;
            Ok(line(&by_id(cx, acl.id.as_str())?.entries[0]))
        });
        let found = match found {
            Ok(line) => line,
            Err(error) => error.to_string().split(':').next().unwrap().to_owned(),
        };
        assert_eq!(found, expected, "{typed}");
    }
    let mut both = entry("ingress 1 allow -1 _ 0.0.0.0/0");
    both.ipv6_cidr = Some("::/0".to_owned());
    let fault = world.fault(|cx| {
        let acl = create(cx, vpc.id.as_str(), &[])?;
        entry::create(cx, acl, &both)
    });
    assert!(fault.starts_with("InvalidParameterCombination"), "{fault}");
}

#[test]
fn entries_are_created_replaced_and_deleted_by_number_and_direction() {
    let world = World::new();
    let acl = world
        .run(|cx| {
            let vpc = vpc(cx, false, "")?;
            create(cx, vpc.id.as_str(), &[])
        })
        .unwrap();
    let id = acl.id.as_str();
    let create = |text: &str| world.fault(|cx| entry::create(cx, by_id(cx, id)?, &entry(text)));
    let replace = |text: &str| world.fault(|cx| entry::replace(cx, by_id(cx, id)?, &entry(text)));
    let delete = |number, egress| world.fault(|cx| entry::delete(cx, by_id(cx, id)?, number, egress));
    for text in [
        "egress 100 allow -1 _ 0.0.0.0/0",
        "ingress 200 allow -1 _ 0.0.0.0/0",
        "ingress 100 allow -1 _ 0.0.0.0/0",
    ] {
        assert_eq!(create(text), "ok");
    }
    assert_eq!(
        create("ingress 100 deny 6 1-2 0.0.0.0/0"),
        "NetworkAclEntryAlreadyExists: The network acl entry identified by 100 already exists."
    );
    assert_eq!(replace("ingress 100 deny 6 1-2 10.0.0.0/8"), "ok");
    let unknown = "InvalidNetworkAclEntry.NotFound: The network acl entry identified by 200 does not exist.";
    assert_eq!(replace("egress 200 deny -1 _ 10.0.0.0/8"), unknown);
    assert_eq!(delete(200, true), unknown);
    assert_eq!(delete(200, false), "ok");
    assert_eq!(delete(200, false), unknown);
    assert!(delete(32767, false).starts_with("InvalidParameterValue"));
    let expected = [
        "ingress 100 deny 6 1-2 10.0.0.0/8",
        "ingress 32767 deny -1 _ 0.0.0.0/0",
        "egress 100 allow -1 _ 0.0.0.0/0",
        "egress 32767 deny -1 _ 0.0.0.0/0",
    ];
    assert_eq!(world.run(|cx| shown(cx, &acl, false)).unwrap(), expected);
    for number in 101..140 {
        assert_eq!(create(&format!("ingress {number} allow -1 _ 0.0.0.0/0")), "ok");
    }
    assert!(create("ingress 140 allow -1 _ 0.0.0.0/0").starts_with("NetworkAclEntryLimitExceeded"));
    assert!(create("ingress 139 allow -1 _ 0.0.0.0/0").starts_with("NetworkAclEntryAlreadyExists"));
    assert_eq!(create("egress 140 allow -1 _ 0.0.0.0/0"), "ok");
}

#[test]
fn a_subnet_has_one_acl_from_its_making_to_its_end() {
    let world = World::new();
    let (vpc, subnet, other) = world
        .run(|cx| {
            let (one, two) = (vpc(cx, false, "")?, vpc(cx, false, "")?);
            let subnet = subnet(cx, &one, "10.0.0.0/24", "")?;
            Ok((one, subnet, create(cx, two.id.as_str(), &[])?))
        })
        .unwrap();
    let acl = world.run(|cx| create(cx, vpc.id.as_str(), &[])).unwrap();
    let default = world.run(|cx| of_subnet(cx, &subnet.id)).unwrap().unwrap();
    assert!(default.is_default);
    let association = || {
        let all = world.run(|cx| cx.tx.list_in::<Association>(cx.scope, subnet.id.as_str())).unwrap();
        assert_eq!(all.len(), 1);
        all[0].clone()
    };
    let first = association();
    let replace = |id: &str, acl: &NetworkAcl| world.run(|cx| replace_association(cx, id, acl));
    let second = replace(first.id.as_str(), &acl).unwrap();
    assert_ne!(second, first.id);
    assert_eq!(
        association(),
        Association { id: second.clone(), acl: acl.id.clone(), subnet: subnet.id.clone() }
    );
    // Again is no change.
    assert_eq!(replace(second.as_str(), &acl).unwrap(), second);
    assert_eq!(
        replace(first.id.as_str(), &acl).unwrap_err().to_string(),
        format!("InvalidAssociationID.NotFound: The association ID '{}' does not exist", first.id)
    );
    let foreign = replace(second.as_str(), &other).unwrap_err().to_string();
    assert!(foreign.starts_with("InvalidParameterValue: networkAcl"), "{foreign}");

    let all = world.run(all_with_associations).unwrap();
    for (listed, associations) in all {
        assert_eq!(associations.len(), usize::from(listed.id == acl.id));
    }
    let used =
        format!("DependencyViolation: The networkAcl '{}' has dependencies and cannot be deleted.", acl.id);
    assert_eq!(world.fault(|cx| delete(cx, &acl)), used);
    assert_eq!(
        world.fault(|cx| delete(cx, &default)),
        format!("InvalidParameterValue: cannot delete default network ACL {}", default.id)
    );
    world.run(|cx| subnet_deleted(cx, &subnet)).unwrap();
    assert!(world.fault(|cx| vpc_deleted(cx, &vpc)).starts_with("DependencyViolation"));
    world.run(|cx| delete(cx, &acl)).unwrap();
    world.run(|cx| vpc_deleted(cx, &vpc)).unwrap();
    assert!(world.fault(|cx| by_id(cx, default.id.as_str())).starts_with("InvalidNetworkAclID.NotFound"));
    assert!(world.fault(|cx| by_id(cx, "acl")).starts_with("InvalidNetworkAclId.Malformed"));
}
