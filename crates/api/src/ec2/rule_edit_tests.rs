//! Rules of security groups that change in place, through the endpoint.

use crate::testing::{Client, World};

/// A group with the rules tcp 22 from 10.0.0.0/8 and tcp 80 from ::/0: their ids.
fn group(root: &Client<'_>) -> (String, String, String) {
    let make = [("GroupName", "web"), ("GroupDescription", "d")];
    let group = root.query("ec2", "CreateSecurityGroup", &make).ok().text("groupId");
    let rule = |port: &str, range: &str, block: &str| {
        let range = format!("IpPermissions.1.{range}");
        let make = [
            ("GroupId", group.as_str()),
            ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", port),
            ("IpPermissions.1.ToPort", port),
            (&range, block),
        ];
        root.query("ec2", "AuthorizeSecurityGroupIngress", &make).ok().text("securityGroupRuleId")
    };
    let ssh = rule("22", "IpRanges.1.CidrIp", "10.0.0.0/8");
    let http = rule("80", "Ipv6Ranges.1.CidrIpv6", "::/0");
    (group, ssh, http)
}

#[test]
fn rules_say_something_else_under_the_same_id() {
    let world = World::new();
    let root = world.root();
    let (group, ssh, http) = group(&root);
    let rule = |id: &str, members: &[(&'static str, &str)], place: u8| -> Vec<(String, String)> {
        let start = format!("SecurityGroupRule.{place}.");
        let member =
            |(name, value): &(&str, &str)| (format!("{start}SecurityGroupRule.{name}"), (*value).to_owned());
        let id = (format!("{start}SecurityGroupRuleId"), id.to_owned());
        [id].into_iter().chain(members.iter().map(member)).collect()
    };
    let modify = |changes: &[Vec<(String, String)>]| {
        let mut params = vec![("GroupId", group.as_str())];
        params.extend(changes.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())));
        root.query("ec2", "ModifySecurityGroupRules", &params)
    };
    let tcp = |port: &'static str| [("IpProtocol", "tcp"), ("FromPort", port), ("ToPort", port)];
    let with = |port: &'static str, more: &[(&'static str, &'static str)]| [&tcp(port)[..], more].concat();
    let ten = ("CidrIpv4", "10.0.0.0/8");
    modify(&[rule(&ssh, &with("443", &[("CidrIpv4", "192.0.2.0/24"), ("Description", "new")]), 1)]).ok();
    let ask = [("SecurityGroupRuleId.1", ssh.as_str())];
    let shown = root.query("ec2", "DescribeSecurityGroupRules", &ask).ok();
    let members = ["fromPort", "cidrIpv4", "description", "isEgress"].map(|name| shown.text(name));
    assert_eq!(members, ["443", "192.0.2.0/24", "new", "false"]);
    modify(&[rule(&ssh, &with("22", &[ten]), 1)]).ok();
    let shown = root.query("ec2", "DescribeSecurityGroupRules", &ask).ok();
    assert_eq!((shown.text("fromPort"), shown.texts("description").len()), ("22".into(), 0));

    let add = [
        ("GroupId", group.as_str()),
        ("CidrIp", "10.0.0.0/8"),
        ("IpProtocol", "tcp"),
        ("FromPort", "23"),
        ("ToPort", "23"),
    ];
    let telnet = root.query("ec2", "AuthorizeSecurityGroupIngress", &add).ok().text("securityGroupRuleId");
    // Two rules may change places.
    modify(&[rule(&ssh, &with("23", &[ten]), 1), rule(&telnet, &with("22", &[ten]), 2)]).ok();
    let everything = ("CidrIpv6", "::/0");
    for (changes, code) in [
        (vec![], "MissingParameter"),
        (vec![rule(&ssh, &tcp("1"), 1)], "MissingParameter"),
        (vec![rule(&ssh, &with("1", &[ten, everything]), 1)], "InvalidParameterCombination"),
        (vec![rule(&ssh, &with("1", &[everything]), 1)], "InvalidParameterValue"),
        (vec![rule(&ssh, &with("22", &[ten]), 1)], "InvalidPermission.Duplicate"),
        (
            vec![rule(&ssh, &with("9", &[ten]), 1), rule(&telnet, &with("9", &[ten]), 2)],
            "InvalidPermission.Duplicate",
        ),
        (vec![rule(&ssh, &with("8", &[ten]), 1), rule(&ssh, &with("9", &[ten]), 2)], "InvalidParameterValue"),
        (vec![rule(&http, &with("99999", &[everything]), 1)], "InvalidParameterValue"),
        (vec![rule(&http, &with("1", &[("PrefixListId", "pl-1")]), 1)], "InvalidPrefixListID.NotFound"),
        (vec![rule("sgr-00000000000000001", &with("1", &[ten]), 1)], "InvalidSecurityGroupRuleId.NotFound"),
        (vec![rule("web", &with("1", &[ten]), 1)], "InvalidSecurityGroupRuleId.Malformed"),
    ] {
        assert_eq!(modify(&changes).code(), code, "{changes:?}");
    }
    let shown = root.query("ec2", "DescribeSecurityGroupRules", &ask).ok();
    assert_eq!(shown.text("fromPort"), "23", "a refused request changes nothing");
}

#[test]
fn descriptions_change_alone() {
    let world = World::new();
    let root = world.root();
    let (group, ssh, http) = group(&root);
    let update = |direction: &str, params: &[(&str, &str)]| {
        let params = [&[("GroupId", group.as_str())], params].concat();
        root.query("ec2", &format!("UpdateSecurityGroupRuleDescriptions{direction}"), &params)
    };
    let described = |id: &str| {
        let ask = [("SecurityGroupRuleId.1", id)];
        root.query("ec2", "DescribeSecurityGroupRules", &ask).ok().texts("description")
    };
    let by_id = |id| [("SecurityGroupRuleDescription.1.SecurityGroupRuleId", id)];
    let text = ("SecurityGroupRuleDescription.1.Description", "office");
    update("Ingress", &[by_id(ssh.as_str())[0], text]).ok();
    assert_eq!(described(&ssh), ["office"]);
    update("Ingress", &by_id(ssh.as_str())).ok();
    assert_eq!(described(&ssh), Vec::<String>::new());
    let web = [
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "80"),
        ("IpPermissions.1.ToPort", "80"),
        ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0"),
        ("IpPermissions.1.Ipv6Ranges.1.Description", "everybody"),
    ];
    update("Ingress", &web).ok();
    assert_eq!(described(&http), ["everybody"]);
    let out = [
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
        ("IpPermissions.1.IpRanges.1.Description", "out"),
    ];
    update("Egress", &out).ok();
    for (direction, params, code) in [
        ("Ingress", vec![], "MissingParameter"),
        ("Ingress", [&web[..], &by_id(ssh.as_str())].concat(), "InvalidParameterCombination"),
        ("Ingress", vec![text], "MissingParameter"),
        ("Ingress", out.to_vec(), "InvalidPermission.NotFound"),
        ("Egress", by_id(ssh.as_str()).to_vec(), "InvalidSecurityGroupRuleId.NotFound"),
        (
            "Ingress",
            vec![by_id(ssh.as_str())[0], ("SecurityGroupRuleDescription.1.Description", "<>")],
            "InvalidParameterValue",
        ),
        ("Ingress", vec![("Tag.1.Key", "k")], "UnknownParameter"),
    ] {
        assert_eq!(update(direction, &params).code(), code, "{direction} {params:?}");
    }
}
