//! Shapes to rules: what the compiled rules are told, and what is refused.

use super::rules::Resolver;
use super::shapes::Document;
use super::{read, resolve};
use serde_json::{Value, json};
use weir_types::rule::InterfaceRules;

fn document(value: Value) -> Document {
    serde_json::from_value(value).unwrap()
}

fn rules(value: Value) -> InterfaceRules {
    let document = document(value);
    Resolver::new(&document).rules(&document.network_interfaces[0]).unwrap()
}

/// One interface with one group of these inbound permissions, and more.
fn with_permissions(permissions: Value, more: Value) -> Value {
    let mut value = json!({
        "NetworkInterfaces": [
            { "NetworkInterfaceId": "eni-00000001", "PrivateIpAddress": "10.0.0.1", "Groups": [{ "GroupId": "sg-00000001" }] },
            { "NetworkInterfaceId": "eni-00000002", "PrivateIpAddress": "10.0.0.2",
              "Ipv6Addresses": [{ "Ipv6Address": "2001:db8::2" }], "Groups": [{ "GroupId": "sg-00000002" }] },
        ],
        "SecurityGroups": [{ "GroupId": "sg-00000001", "IpPermissions": permissions }, { "GroupId": "sg-00000002" }],
    });
    for (key, part) in more.as_object().unwrap() {
        value[key] = part.clone();
    }
    value
}

/// `Match` and peers of each rule.
fn group_rules(permissions: Value, more: Value) -> Vec<String> {
    let line = |rule: &weir_types::rule::GroupRule| {
        let peers: Vec<String> = rule.peers.iter().map(ToString::to_string).collect();
        format!("{} {} {}", rule.direction, serde_json::to_string(&rule.matches).unwrap(), peers.join(" "))
    };
    rules(with_permissions(permissions, more)).groups.iter().map(line).collect()
}

#[test]
fn permissions_become_rules() {
    for (permission, expected) in [
        (
            json!({ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }),
            r#"ingress "all" 0.0.0.0/0"#,
        ),
        (
            json!({ "IpProtocol": "tcp", "FromPort": 80, "ToPort": 90, "Ipv6Ranges": [{ "CidrIpv6": "::/0" }] }),
            r#"ingress {"ports":{"protocol":6,"ports":{"first":80,"last":90}}} ::/0"#,
        ),
        (
            json!({ "IpProtocol": "udp", "FromPort": -1, "ToPort": -1 }),
            r#"ingress {"ports":{"protocol":17,"ports":{"first":0,"last":65535}}} "#,
        ),
        (
            json!({ "IpProtocol": "icmp", "FromPort": 8, "ToPort": -1 }),
            r#"ingress {"icmp":{"protocol":1,"icmp_type":8,"icmp_code":null}} "#,
        ),
        (json!({ "IpProtocol": "47" }), r#"ingress {"protocol":{"protocol":47}} "#),
        // The members of a group, and a prefix list.
        (
            json!({ "IpProtocol": "-1", "UserIdGroupPairs": [{ "GroupId": "sg-00000002" }] }),
            r#"ingress "all" 10.0.0.2/32 2001:db8::2/128"#,
        ),
        (
            json!({ "IpProtocol": "-1", "PrefixListIds": [{ "PrefixListId": "pl-1" }] }),
            r#"ingress "all" 192.0.2.0/24"#,
        ),
    ] {
        let lists = json!({ "PrefixLists": [{ "PrefixListId": "pl-1", "Cidrs": ["192.0.2.0/24"] }] });
        assert_eq!(group_rules(json!([permission]), lists), [expected]);
    }
}

#[test]
fn the_acl_is_that_of_the_subnet_or_the_default_one() {
    let value = |subnet: &str, acls: Value| {
        json!({
            "NetworkInterfaces": [{ "NetworkInterfaceId": "eni-00000001", "PrivateIpAddress": "10.0.0.1",
                                    "SubnetId": subnet, "VpcId": "vpc-00000001" }],
            "NetworkAcls": acls,
            "Subnets": [{ "SubnetId": "subnet-00000001", "CidrBlock": "10.0.0.0/24" }],
        })
    };
    let entry = |number: u32| {
        json!({ "RuleNumber": number, "Egress": false, "Protocol": "6", "RuleAction": "deny",
                "CidrBlock": "0.0.0.0/0", "PortRange": { "From": 22, "To": 22 } })
    };
    let acls = json!([
        { "NetworkAclId": "acl-00000001", "IsDefault": true, "VpcId": "vpc-00000001", "Entries": [entry(1), entry(32767)] },
        { "NetworkAclId": "acl-00000002", "Associations": [{ "SubnetId": "subnet-00000001" }], "Entries": [entry(2)] },
    ]);
    let numbers = |rules: InterfaceRules| rules.acl.iter().map(|rule| rule.number).collect::<Vec<_>>();
    let own = rules(value("subnet-00000001", acls.clone()));
    assert_eq!(own.subnet_cidrs.len(), 1);
    assert_eq!(numbers(own), [2]);
    let other = rules(value("subnet-00000002", acls));
    assert!(other.subnet_cidrs.is_empty());
    assert_eq!(numbers(other), [1]);
    let open = rules(value("subnet-00000001", json!([])));
    assert!(open.acl.len() == 4 && open.acl.iter().all(|rule| rule.allow));
    // An interface without Groups is not limited by any.
    assert_eq!(open.groups.len(), 2);
}

#[test]
fn what_does_not_fit_is_refused_with_its_name() {
    let error = |value: Value| format!("{:#}", resolve(&document(value), "1", "r").unwrap_err());
    let permission = |value: Value| error(with_permissions(json!([value]), json!({})));
    let interface = |value: Value| error(json!({ "NetworkInterfaces": [value] }));
    for (found, expected) in [
        (
            error(json!({})),
            "there is no network interface: give the output of 'aws ec2 describe-network-interfaces' too",
        ),
        (
            interface(json!({ "NetworkInterfaceId": "eni-00000001" })),
            "eni-00000001: it has no address (PrivateIpAddress)",
        ),
        (
            interface(json!({ "NetworkInterfaceId": "eni-00000001", "PrivateIpAddress": "10.0.0" })),
            "eni-00000001: '10.0.0' is not an address: invalid IP address syntax",
        ),
        (
            interface(json!({ "NetworkInterfaceId": "eth0", "PrivateIpAddress": "10.0.0.1" })),
            "eth0: 'eth0' is not an id of the form eni-0123456789abcdef0",
        ),
        (
            permission(json!({ "IpProtocol": "gre" })),
            "eni-00000001: sg-00000001: 'gre' is not a protocol: invalid digit found in string",
        ),
        (
            permission(json!({ "IpProtocol": "-1", "PrefixListIds": [{ "PrefixListId": "pl-1" }] })),
            "eni-00000001: sg-00000001: no file describes the prefix list pl-1: add 'aws ec2 describe-prefix-lists'",
        ),
        (
            error(json!({ "NetworkInterfaces": [
                { "NetworkInterfaceId": "eni-00000001", "PrivateIpAddress": "10.0.0.1" },
                { "NetworkInterfaceId": "eni-00000002", "PrivateIpAddress": "10.0.0.1" },
            ] })),
            "eni-00000002 and another interface both have the address 10.0.0.1",
        ),
    ] {
        assert_eq!(found, expected);
    }
    let missing = format!("{:#}", read(&["/nowhere.json"], "1", "r").unwrap_err());
    assert!(missing.starts_with("/nowhere.json: cannot be read: "), "{missing}");
}
