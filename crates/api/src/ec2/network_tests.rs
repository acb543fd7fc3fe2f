//! A network and its flow logs through the endpoint: what a client sees of
//! VPCs, subnets, interfaces, tags, regions and flow logs.

use crate::testing::{ACCOUNT, Client, World, allow, trust};

/// Makes a role that the flow-logs service can assume; its ARN.
fn flow_logs_role(root: &Client<'_>) -> String {
    let trust = trust(r#"{"Service":"vpc-flow-logs.amazonaws.com"}"#);
    let make = [("RoleName", "flows"), ("AssumeRolePolicyDocument", trust.as_str())];
    root.query("iam", "CreateRole", &make).ok().text("Arn")
}

struct Network {
    vpc: String,
    subnet: String,
    interface: String,
}

fn network(root: &Client<'_>) -> Network {
    let vpc = root.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok().text("vpcId");
    let make = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24")];
    let subnet = root.query("ec2", "CreateSubnet", &make).ok().text("subnetId");
    let make = [("SubnetId", subnet.as_str()), ("Description", "door")];
    let interface = root.query("ec2", "CreateNetworkInterface", &make).ok().text("networkInterfaceId");
    Network { vpc, subnet, interface }
}

#[test]
fn a_network_is_made_described_and_removed() {
    let world = World::new();
    let root = world.root();
    let Network { vpc, subnet, interface } = network(&root);
    let shown = root.query("ec2", "DescribeVpcs", &[]).ok();
    assert_eq!(shown.texts("vpcId").len(), 2);
    let default = [("Filter.1.Name", "is-default"), ("Filter.1.Value.1", "true")];
    assert_eq!(root.query("ec2", "DescribeVpcs", &default).ok().text("cidrBlock"), "172.31.0.0/16");
    let shown = root.query("ec2", "DescribeSubnets", &[("SubnetId.1", &subnet)]).ok();
    assert_eq!(shown.text("availableIpAddressCount"), "250");
    let shown = root.query("ec2", "DescribeNetworkInterfaces", &[("NetworkInterfaceId.1", &interface)]).ok();
    assert_eq!(
        (shown.text("privateIpAddress"), shown.text("status")),
        ("10.0.1.4".into(), "available".into())
    );
    assert_eq!(shown.text("groupName"), "default");
    let modify = [("NetworkInterfaceId", interface.as_str()), ("Description.Value", "gate")];
    root.query("ec2", "ModifyNetworkInterfaceAttribute", &modify).ok();
    let gate = [("Filter.1.Name", "description"), ("Filter.1.Value.1", "g?te")];
    assert_eq!(
        root.query("ec2", "DescribeNetworkInterfaces", &gate).ok().text("networkInterfaceId"),
        interface
    );

    for (action, name, id, code) in [
        ("DeleteVpc", "VpcId", &vpc, "DependencyViolation"),
        ("DeleteSubnet", "SubnetId", &subnet, "DependencyViolation"),
        ("DeleteNetworkInterface", "NetworkInterfaceId", &interface, "ok"),
        ("DeleteSubnet", "SubnetId", &subnet, "ok"),
        ("DeleteVpc", "VpcId", &vpc, "ok"),
        ("DeleteVpc", "VpcId", &vpc, "InvalidVpcID.NotFound"),
        ("DescribeVpcs", "VpcId.1", &vpc, "InvalidVpcID.NotFound"),
        ("DescribeSubnets", "SubnetId.1", &subnet, "InvalidSubnetID.NotFound"),
        (
            "DescribeNetworkInterfaces",
            "NetworkInterfaceId.1",
            &interface,
            "InvalidNetworkInterfaceID.NotFound",
        ),
        ("DescribeFlowLogs", "FlowLogId.1", &"fl-00000000000000001".to_owned(), "InvalidFlowLogId.NotFound"),
    ] {
        assert_eq!(root.query("ec2", action, &[(name, id)]).code(), code, "{action} {id}");
    }
}

#[test]
fn tags_of_any_resource() {
    let world = World::new();
    let root = world.root();
    let Network { vpc, subnet, .. } = network(&root);
    let tag = [
        ("ResourceId.1", vpc.as_str()),
        ("ResourceId.2", &subnet),
        ("Tag.1.Key", "Name"),
        ("Tag.1.Value", "web"),
        ("Tag.2.Key", "stage"),
    ];
    root.query("ec2", "CreateTags", &tag).ok();
    let of_vpc = [("Filter.1.Name", "resource-type"), ("Filter.1.Value.1", "vpc")];
    assert_eq!(root.query("ec2", "DescribeTags", &of_vpc).ok().texts("key"), ["Name", "stage"]);
    let named = [("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", "w*")];
    assert_eq!(root.query("ec2", "DescribeSubnets", &named).ok().texts("subnetId"), [subnet.as_str()]);
    let wrong = [("ResourceId.1", vpc.as_str()), ("Tag.1.Key", "Name"), ("Tag.1.Value", "")];
    root.query("ec2", "DeleteTags", &wrong).ok();
    root.query("ec2", "DeleteTags", &[("ResourceId.1", &subnet)]).ok();
    let left = root.query("ec2", "DescribeTags", &[]).ok();
    assert_eq!(
        (left.texts("key"), left.text("resourceId")),
        (vec!["Name".into(), "stage".into()], vpc.clone())
    );
    // All of a request or nothing of it.
    let partly =
        [("ResourceId.1", subnet.as_str()), ("ResourceId.2", "sg-00000000000000001"), ("Tag.1.Key", "k")];
    assert_eq!(root.query("ec2", "CreateTags", &partly).code(), "InvalidGroup.NotFound");
    assert_eq!(root.query("ec2", "DescribeTags", &[]).ok().texts("key").len(), 2);
}

#[test]
fn regions_are_worlds_of_their_own() {
    let world = World::new();
    let mut root = world.root();
    let zones = root.query("ec2", "DescribeAvailabilityZones", &[]).ok();
    assert_eq!(zones.texts("zoneId").len(), 6);
    assert_eq!(
        root.query("ec2", "DescribeAvailabilityZones", &[("ZoneName.1", "us-east-1z")]).code(),
        "InvalidParameterValue"
    );
    let here = root.query("ec2", "DescribeVpcs", &[]).ok().text("vpcId");
    let usual = root.query("ec2", "DescribeRegions", &[]).ok().texts("regionName");
    assert_eq!(usual.len(), 17);
    let all = root.query("ec2", "DescribeRegions", &[("AllRegions", "true")]).ok().texts("regionName");
    assert!(all.contains(&"me-south-1".to_owned()) && !all.contains(&"cn-north-1".to_owned()), "{all:?}");
    assert_eq!(
        root.query("ec2", "DescribeRegions", &[("RegionName.1", "mars-1")]).code(),
        "InvalidParameterValue"
    );
    root.region = "me-south-1".to_owned();
    assert_ne!(root.query("ec2", "DescribeVpcs", &[]).ok().text("vpcId"), here);
    assert_eq!(root.query("ec2", "DescribeVpcs", &[("VpcId.1", &here)]).code(), "InvalidVpcID.NotFound");
    let opted_in = [("RegionName.1", "me-south-1")];
    assert_eq!(root.query("ec2", "DescribeRegions", &opted_in).ok().text("optInStatus"), "opted-in");
}

#[test]
fn flow_logs_live_from_create_to_delete() {
    let world = World::new();
    let root = world.root();
    let (network, role) = (network(&root), flow_logs_role(&root));
    let ask = |client: &Client<'_>, kind: &str, ids: &[&str], more: &[(&str, &str)]| {
        let names: Vec<String> = (1..=ids.len()).map(|n| format!("ResourceId.{n}")).collect();
        let mut params = vec![
            ("ResourceType", kind),
            ("TrafficType", "ALL"),
            ("LogGroupName", "flows"),
            ("DeliverLogsPermissionArn", role.as_str()),
        ];
        params.extend(names.iter().map(String::as_str).zip(ids.iter().copied()));
        params.extend_from_slice(more);
        client.query("ec2", "CreateFlowLogs", &params)
    };
    let made = ask(&root, "VPC", &[&network.vpc], &[("ClientToken", "t")]).ok();
    assert_eq!(made.text("clientToken"), "t");
    assert!(made.body.contains("<unsuccessful/>"), "{}", made.body);
    let flow_log = made.text("item");
    assert_eq!(ask(&root, "VPC", &[&network.vpc], &[("ClientToken", "t")]).ok().text("item"), flow_log);
    assert_eq!(ask(&root, "VPC", &[&network.vpc], &[]).code(), "FlowLogAlreadyExists");
    let unknown = "eni-00000000000000001";
    let partly = ask(&root, "NetworkInterface", &[unknown, &network.interface], &[]).ok();
    assert_eq!(
        (partly.text("resourceId"), partly.text("code")),
        (unknown.into(), "InvalidNetworkInterfaceID.NotFound".into())
    );

    let shown = root.query("ec2", "DescribeFlowLogs", &[("FlowLogId.1", &flow_log)]).ok();
    for (name, expected) in [
        ("creationTime", "2026-11-01T12:00:00.000Z"),
        ("deliverLogsStatus", "SUCCESS"),
        ("flowLogStatus", "ACTIVE"),
        ("resourceId", network.vpc.as_str()),
        ("logGroupName", "flows"),
        ("maxAggregationInterval", "600"),
    ] {
        assert_eq!(shown.text(name), expected, "{name}");
    }
    let of_interface = [("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", network.interface.as_str())];
    assert_eq!(root.query("ec2", "DescribeFlowLogs", &of_interface).ok().texts("flowLogId").len(), 1);
    let page = root.query("ec2", "DescribeFlowLogs", &[("MaxResults", "1")]).ok();
    let rest = [("MaxResults", "1"), ("NextToken", &page.text("nextToken"))];
    assert_ne!(root.query("ec2", "DescribeFlowLogs", &rest).ok().text("flowLogId"), page.text("flowLogId"));

    let delete = [("FlowLogId.1", flow_log.as_str()), ("FlowLogId.2", "fl-00000000000000001")];
    assert_eq!(root.query("ec2", "DeleteFlowLogs", &delete).ok().text("code"), "InvalidFlowLogId.NotFound");
    let again = root.query("ec2", "DeleteFlowLogs", &[("FlowLogId.1", &flow_log)]).ok();
    assert_eq!(again.text("resourceId"), flow_log);
    assert_eq!(root.query("ec2", "DescribeFlowLogs", &[]).ok().texts("flowLogId").len(), 1);
}

#[test]
fn the_role_must_be_there_and_the_callers_to_give() {
    let world = World::new();
    let root = world.root();
    let (network, role) = (network(&root), flow_logs_role(&root));
    let account_only = trust(&format!(r#"{{"AWS":"{ACCOUNT}"}}"#));
    let make = [("RoleName", "stranger"), ("AssumeRolePolicyDocument", account_only.as_str())];
    root.query("iam", "CreateRole", &make).ok();
    world.role("creator", &allow("ec2:*"));
    let ask = |client: &Client<'_>, role: &str, more: &[(&str, &str)]| {
        let mut params = vec![
            ("ResourceType", "VPC"),
            ("TrafficType", "ALL"),
            ("LogGroupName", "flows"),
            ("ResourceId.1", network.vpc.as_str()),
            ("DeliverLogsPermissionArn", role),
        ];
        params.extend_from_slice(more);
        client.query("ec2", "CreateFlowLogs", &params)
    };
    let arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let refused = ask(&root, &arn("nobody"), &[]);
    assert_eq!(refused.code(), "InvalidParameter");
    assert_eq!(refused.message(), format!("Unable to assume given IAM role: '{}'", arn("nobody")));
    // That a role trusts others shows at delivery.
    ask(&root, &arn("stranger"), &[]).ok();
    let creator = root.assume("creator");
    assert_eq!(ask(&creator, &role, &[]).code(), "UnauthorizedOperation");
    assert_eq!(ask(&root, &role, &[("DryRun", "true")]).code(), "DryRunOperation");
    assert_eq!(ask(&root, "flows", &[]).code(), "InvalidParameter");
    world.role("reader", &allow("ec2:Describe*"));
    let reader = root.assume("reader");
    assert_eq!(ask(&reader, &role, &[]).code(), "UnauthorizedOperation");
    reader.query("ec2", "DescribeFlowLogs", &[]).ok();

    let world = World::emulator();
    let root = world.root();
    let vpc = root.query("ec2", "DescribeVpcs", &[]).ok().text("vpcId");
    let any = [
        ("ResourceType", "VPC"),
        ("TrafficType", "ALL"),
        ("LogGroupName", "flows"),
        ("ResourceId.1", vpc.as_str()),
        ("DeliverLogsPermissionArn", &arn("nobody")),
    ];
    root.query("ec2", "CreateFlowLogs", &any).ok();
}
