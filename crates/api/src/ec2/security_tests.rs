//! Security groups and network ACLs through the endpoint: what a client sees.

use crate::testing::{ACCOUNT, Client, REGION, World, allow};

/// Makes a group of the default VPC; its id.
fn group(root: &Client<'_>, name: &str) -> String {
    let make = [("GroupName", name), ("GroupDescription", "a group")];
    root.query("ec2", "CreateSecurityGroup", &make).ok().text("groupId")
}

/// The ports that a group's rules of one direction begin with, `-1` for none.
fn ports(root: &Client<'_>, group: &str, egress: &str) -> Vec<String> {
    let filter = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", group)];
    let shown = root.query("ec2", "DescribeSecurityGroupRules", &filter).ok();
    let rules = shown.texts("isEgress").into_iter().zip(shown.texts("fromPort"));
    let mut ports: Vec<String> = rules.filter(|(of, _)| of == egress).map(|(_, port)| port).collect();
    ports.sort();
    ports
}

#[test]
fn the_life_of_a_group() {
    let world = World::new();
    let root = world.root();
    let web = group(&root, "web");
    let db = group(&root, "db");
    let authorize = |params: &[(&str, &str)]| root.query("ec2", "AuthorizeSecurityGroupIngress", params);
    // By name, with a tag, one rule a peer.
    let added = authorize(&[
        ("GroupName", "db"),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "5432"),
        ("IpPermissions.1.ToPort", "5432"),
        ("IpPermissions.1.Groups.1.GroupId", &web),
        ("IpPermissions.1.IpRanges.1.CidrIp", "10.1.2.3/8"),
        ("IpPermissions.1.IpRanges.1.Description", "office"),
        ("TagSpecification.1.ResourceType", "security-group-rule"),
        ("TagSpecification.1.Tag.1.Key", "team"),
        ("TagSpecification.1.Tag.1.Value", "net"),
    ])
    .ok();
    assert_eq!(added.text("return"), "true");
    assert_eq!((added.text("cidrIpv4"), added.text("description")), ("10.0.0.0/8".into(), "office".into()));
    assert_eq!(added.texts("value"), ["net", "net"]);
    let info = format!(
        "<referencedGroupInfo><groupId>{web}</groupId><userId>{ACCOUNT}</userId></referencedGroupInfo>"
    );
    assert!(added.body.contains(&info), "{}", added.body);
    // The flat form.
    let flat = [
        ("GroupId", db.as_str()),
        ("CidrIp", "0.0.0.0/0"),
        ("IpProtocol", "udp"),
        ("FromPort", "53"),
        ("ToPort", "53"),
    ];
    authorize(&flat).ok();
    let again = authorize(&flat);
    assert_eq!(again.fault(), "InvalidPermission.Duplicate 400");
    assert_eq!(
        again.message(),
        "the specified rule \"peer: 0.0.0.0/0, UDP, from port: 53, to port: 53, ALLOW\" already exists"
    );
    assert_eq!(ports(&root, &db, "false"), ["53", "5432", "5432"]);

    let tagged = [("Filter.1.Name", "tag:team"), ("Filter.1.Value.1", "n*")];
    let rules = root.query("ec2", "DescribeSecurityGroupRules", &tagged).ok().texts("securityGroupRuleId");
    assert_eq!(rules.len(), 2);
    let found = [
        ("Filter.1.Name", "ip-permission.group-name"),
        ("Filter.1.Value.1", "web"),
        ("Filter.2.Name", "egress.ip-permission.cidr"),
        ("Filter.2.Value.1", "0.0.0.0/0"),
    ];
    let shown = root.query("ec2", "DescribeSecurityGroups", &found).ok();
    assert_eq!(shown.texts("groupName"), ["db"]);
    assert_eq!(shown.text("securityGroupArn"), format!("arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{db}"));

    assert_eq!(root.query("ec2", "DeleteSecurityGroup", &[("GroupId", &web)]).code(), "DependencyViolation");
    let revoke = |params: &[(&str, &str)]| root.query("ec2", "RevokeSecurityGroupIngress", params);
    let by_id = [
        ("GroupId", db.as_str()),
        ("SecurityGroupRuleId.1", &rules[0]),
        ("SecurityGroupRuleId.2", &rules[1]),
    ];
    assert_eq!(revoke(&by_id).ok().texts("securityGroupRuleId").len(), 2);
    assert_eq!(revoke(&by_id).code(), "InvalidSecurityGroupRuleId.NotFound");
    // In the default VPC what is not there is answered, not refused.
    revoke(&flat).ok();
    let unknown = revoke(&flat).ok();
    assert!(unknown.body.contains("<revokedSecurityGroupRuleSet/>"), "{}", unknown.body);
    assert_eq!((unknown.text("ipProtocol"), unknown.text("cidrIp")), ("udp".into(), "0.0.0.0/0".into()));

    let gone = root.query("ec2", "DeleteSecurityGroup", &[("GroupName", "web")]).ok();
    assert_eq!((gone.text("return"), gone.text("groupId")), ("true".into(), web.clone()));
    let fault = root.query("ec2", "DescribeSecurityGroups", &[("GroupId.1", &web)]).fault();
    assert_eq!(fault, "InvalidGroup.NotFound 400");
    let by_name = root.query("ec2", "DescribeSecurityGroups", &[("GroupName.1", "db")]).ok();
    assert_eq!(by_name.texts("groupDescription"), ["a group"]);
}

#[test]
fn requests_that_contradict_themselves() {
    let world = World::new();
    let root = world.root();
    let web = group(&root, "web");
    let id = ("GroupId", web.as_str());
    for (action, params, expected) in [
        ("AuthorizeSecurityGroupIngress", vec![id], "MissingParameter"),
        ("AuthorizeSecurityGroupIngress", vec![("CidrIp", "10.0.0.0/8")], "MissingParameter"),
        ("AuthorizeSecurityGroupEgress", vec![("GroupName", "web")], "UnknownParameter"),
        ("AuthorizeSecurityGroupEgress", vec![id, ("CidrIp", "10.0.0.0/8")], "InvalidParameterCombination"),
        ("RevokeSecurityGroupEgress", vec![id], "MissingParameter"),
        (
            "RevokeSecurityGroupEgress",
            vec![id, ("SecurityGroupRuleId.1", "sgr-1"), ("IpPermissions.1.IpProtocol", "-1")],
            "InvalidParameterCombination",
        ),
        ("CreateSecurityGroup", vec![("GroupName", "db")], "MissingParameter"),
        (
            "CreateSecurityGroup",
            vec![("GroupName", "WEB"), ("GroupDescription", "d")],
            "InvalidGroup.Duplicate",
        ),
        ("DeleteSecurityGroup", vec![], "MissingParameter"),
        ("DeleteSecurityGroup", vec![("GroupName", "default")], "CannotDelete"),
        ("DeleteSecurityGroup", vec![("GroupName", "db")], "InvalidGroup.NotFound"),
        ("DescribeSecurityGroups", vec![("GroupId.1", "web")], "InvalidGroupId.Malformed"),
        ("DescribeSecurityGroups", vec![("Filter.1.Name", "colour")], "InvalidParameterValue"),
        ("CreateNetworkAcl", vec![], "MissingParameter"),
        ("CreateNetworkAcl", vec![("VpcId", "vpc-00000000000000000")], "InvalidVpcID.NotFound"),
        (
            "DescribeNetworkAcls",
            vec![("NetworkAclId.1", "acl-00000000000000000")],
            "InvalidNetworkAclID.NotFound",
        ),
    ] {
        assert_eq!(root.query("ec2", action, &params).code(), expected, "{action} {params:?}");
    }
}

#[test]
fn permission_for_one_group_is_not_for_another() {
    let world = World::new();
    let root = world.root();
    let (web, db) = (group(&root, "web"), group(&root, "db"));
    let arn = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{web}");
    world.role("editor", &allow("ec2:AuthorizeSecurityGroupIngress").replace("\"*\"", &format!("\"{arn}\"")));
    let editor = world.root().assume("editor");
    let rule = |key, group, port| {
        let rule = [
            (key, group),
            ("CidrIp", "10.0.0.0/8"),
            ("IpProtocol", "tcp"),
            ("FromPort", port),
            ("ToPort", port),
        ];
        editor.query("ec2", "AuthorizeSecurityGroupIngress", &rule).fault()
    };
    assert_eq!(rule("GroupId", &web, "1"), "ok 200");
    assert_eq!(rule("GroupName", "web", "2"), "ok 200");
    assert_eq!(rule("GroupId", &db, "1"), "UnauthorizedOperation 403");
    assert_eq!(rule("GroupName", "db", "1"), "UnauthorizedOperation 403");
    // Whether a name is taken is not told.
    assert_eq!(rule("GroupName", "unknown", "1"), "UnauthorizedOperation 403");
    assert_eq!(editor.query("ec2", "DescribeSecurityGroups", &[]).code(), "UnauthorizedOperation");
    let dry = [("GroupId", web.as_str()), ("DryRun", "true")];
    assert_eq!(root.query("ec2", "DeleteSecurityGroup", &dry).fault(), "DryRunOperation 412");
    assert_eq!(ports(&root, &web, "false"), ["1", "2"]);
}

#[test]
fn the_life_of_a_network_acl() {
    let world = World::new();
    let root = world.root();
    let vpc = root.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok().text("vpcId");
    let make = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24")];
    let subnet = root.query("ec2", "CreateSubnet", &make).ok().text("subnetId");
    let make = [("VpcId", vpc.as_str()), ("ClientToken", "once")];
    let made = root.query("ec2", "CreateNetworkAcl", &make).ok();
    let acl = made.text("networkAclId");
    assert_eq!((made.text("clientToken"), made.text("default")), ("once".into(), "false".into()));
    assert_eq!(root.query("ec2", "CreateNetworkAcl", &make).ok().text("networkAclId"), acl);

    let entry = |action: &str, more: &[(&str, &str)]| {
        let mut params = vec![("NetworkAclId", acl.as_str()), ("RuleNumber", "90"), ("Egress", "false")];
        params.extend_from_slice(more);
        root.query("ec2", action, &params).code()
    };
    let ssh = [
        ("Protocol", "6"),
        ("RuleAction", "allow"),
        ("CidrBlock", "203.0.113.9/24"),
        ("PortRange.From", "22"),
        ("PortRange.To", "23"),
    ];
    let ping = [
        ("Protocol", "1"),
        ("RuleAction", "deny"),
        ("CidrBlock", "0.0.0.0/0"),
        ("Icmp.Type", "8"),
        ("Icmp.Code", "-1"),
    ];
    let shown = || root.query("ec2", "DescribeNetworkAcls", &[("NetworkAclId.1", &acl)]).ok();
    assert_eq!(entry("CreateNetworkAclEntry", &ssh), "ok");
    assert_eq!(entry("CreateNetworkAclEntry", &ping), "NetworkAclEntryAlreadyExists");
    assert_eq!(shown().texts("ruleNumber"), ["90", "32767", "32767"]);
    assert_eq!((shown().text("cidrBlock"), shown().text("from")), ("203.0.113.0/24".into(), "22".into()));
    assert_eq!(entry("ReplaceNetworkAclEntry", &ping), "ok");
    assert_eq!((shown().text("ruleAction"), shown().text("type")), ("deny".into(), "8".into()));

    let of_subnet = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", subnet.as_str())];
    let default = root.query("ec2", "DescribeNetworkAcls", &of_subnet).ok();
    assert_eq!(default.text("default"), "true");
    let association = default.text("networkAclAssociationId");
    let replace = [("AssociationId", association.as_str()), ("NetworkAclId", &acl)];
    let new = root.query("ec2", "ReplaceNetworkAclAssociation", &replace).ok().text("newAssociationId");
    assert_eq!(shown().text("networkAclAssociationId"), new);
    assert_eq!(
        root.query("ec2", "ReplaceNetworkAclAssociation", &replace).code(),
        "InvalidAssociationID.NotFound"
    );
    let delete = || root.query("ec2", "DeleteNetworkAcl", &[("NetworkAclId", &acl)]).code();
    assert_eq!(delete(), "DependencyViolation");
    assert_eq!(entry("DeleteNetworkAclEntry", &[]), "ok");
    assert_eq!(entry("DeleteNetworkAclEntry", &[]), "InvalidNetworkAclEntry.NotFound");
    root.query("ec2", "DeleteSubnet", &[("SubnetId", &subnet)]).ok();
    assert_eq!(root.query("ec2", "DeleteVpc", &[("VpcId", &vpc)]).code(), "DependencyViolation");
    assert_eq!(delete(), "ok");
    root.query("ec2", "DeleteVpc", &[("VpcId", &vpc)]).ok();
}
