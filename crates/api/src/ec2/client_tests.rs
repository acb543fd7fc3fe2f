//! What clients ask on their way, and prefix lists, through the endpoint.

use crate::testing::{ACCOUNT, World};

#[test]
fn what_there_is_not_is_an_empty_list() {
    let world = World::new();
    let root = world.root();
    for (action, ids, code) in [
        ("DescribeAddresses", "AllocationId.1", "InvalidAllocationID.NotFound"),
        ("DescribeCustomerGateways", "CustomerGatewayId.1", "InvalidCustomerGatewayID.NotFound"),
        ("DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGatewayId.1", "InvalidGatewayID.NotFound"),
        ("DescribeInternetGateways", "InternetGatewayId.1", "InvalidInternetGatewayID.NotFound"),
        ("DescribeNatGateways", "NatGatewayId.1", "NatGatewayNotFound"),
        (
            "DescribeTransitGatewayAttachments",
            "TransitGatewayAttachmentIds.1",
            "InvalidTransitGatewayAttachmentID.NotFound",
        ),
        ("DescribeTransitGateways", "TransitGatewayIds.1", "InvalidTransitGatewayID.NotFound"),
        ("DescribeVpcEndpoints", "VpcEndpointId.1", "InvalidVpcEndpointId.NotFound"),
        (
            "DescribeVpcPeeringConnections",
            "VpcPeeringConnectionId.1",
            "InvalidVpcPeeringConnectionID.NotFound",
        ),
        ("DescribeVpnGateways", "VpnGatewayId.1", "InvalidVpnGatewayID.NotFound"),
        ("DescribeInstances", "InstanceId.1", "InvalidInstanceID.Malformed"),
        ("DescribeInstanceStatus", "InstanceId.1", "InvalidInstanceID.Malformed"),
    ] {
        let empty = root.query("ec2", action, &[]).ok();
        assert!(!empty.body.contains("<item>"), "{}", empty.body);
        assert_eq!(root.query("ec2", action, &[(ids, "x-1")]).code(), code, "{action}");
        assert_eq!(root.query("ec2", action, &[("DryRun", "true")]).code(), "DryRunOperation");
    }
    let optin = [("GroupName", "us-east-1-wl1"), ("OptInStatus", "opted-in")];
    assert_eq!(root.query("ec2", "ModifyAvailabilityZoneGroup", &optin).code(), "UnsupportedOperation");
}

#[test]
fn every_vpc_has_a_route_table_options_and_no_past() {
    let world = World::new();
    let root = world.root();
    let vpc = root.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok().text("vpcId");
    let of_vpc = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc.as_str())];
    let main = [("Filter.2.Name", "association.main"), ("Filter.2.Value.1", "true")];
    let shown = root.query("ec2", "DescribeRouteTables", &[of_vpc, main].concat()).ok();
    assert_eq!(shown.texts("destinationCidrBlock"), ["10.0.0.0/16"]);
    assert_eq!((shown.text("gatewayId"), shown.text("main")), ("local".into(), "true".into()));
    let table = shown.texts("routeTableId")[0].clone();
    let tag = [("ResourceId.1", table.as_str()), ("Tag.1.Key", "k"), ("Tag.1.Value", "v")];
    root.query("ec2", "CreateTags", &tag).ok();
    let shown = root.query("ec2", "DescribeRouteTables", &[("RouteTableId.1", &table)]).ok();
    assert_eq!(shown.text("key"), "k");
    let unknown = root.query("ec2", "DescribeRouteTables", &[("RouteTableId.1", "rtb-1")]);
    assert_eq!(unknown.code(), "InvalidRouteTableID.NotFound");
    let vpcs = root.query("ec2", "DescribeVpcs", &of_vpc).ok();
    let options = [("DhcpOptionsId.1", vpcs.text("dhcpOptionsId"))];
    let options = root.query("ec2", "DescribeDhcpOptions", &[(options[0].0, &options[0].1)]).ok();
    assert_eq!(options.texts("value"), ["ec2.internal", "AmazonProvidedDNS"]);
    let classic = root.query("ec2", "DescribeVpcClassicLink", &[("VpcId.1", &vpc)]).ok();
    assert_eq!(classic.text("classicLinkEnabled"), "false");
    let default = [("AttributeName.1", "default-vpc")];
    let default = root.query("ec2", "DescribeAccountAttributes", &default).ok().text("attributeValue");
    let vpcs =
        root.query("ec2", "DescribeVpcs", &[("Filter.1.Name", "is-default"), ("Filter.1.Value.1", "true")]);
    assert_eq!(default, vpcs.ok().text("vpcId"));
    let group = root.query("ec2", "DescribeSecurityGroups", &of_vpc).ok().text("groupId");
    root.query("ec2", "DescribeSecurityGroupReferences", &[("GroupId.1", &group)]).ok();
    root.query("ec2", "DescribeStaleSecurityGroups", &[("VpcId", &vpc)]).ok();
}

#[test]
fn an_instance_is_where_interfaces_are_attached() {
    let world = World::emulator();
    let root = world.root();
    let subnet = root.query("ec2", "DescribeSubnets", &[]).ok().text("subnetId");
    let made = root.query("ec2", "CreateNetworkInterface", &[("SubnetId", &subnet)]).ok();
    let (eni, host) = (made.text("networkInterfaceId"), "i-0123456789abcdef0");
    let attach = [("NetworkInterfaceId", eni.as_str()), ("InstanceId", host), ("DeviceIndex", "0")];
    root.query("ec2", "AttachNetworkInterface", &attach).ok();
    for (filter, value) in [
        ("instance-id", host),
        ("instance-state-name", "running"),
        ("subnet-id", &subnet),
        ("network-interface.network-interface-id", &eni),
        ("private-ip-address", &made.text("privateIpAddress")),
        ("owner-id", ACCOUNT),
    ] {
        let ask = [("Filter.1.Name", filter), ("Filter.1.Value.1", value)];
        let shown = root.query("ec2", "DescribeInstances", &ask).ok();
        assert_eq!(shown.texts("networkInterfaceId"), [eni.as_str()], "{filter}");
    }
    let status = root.query("ec2", "DescribeInstanceStatus", &[("InstanceId.1", host)]).ok();
    assert_eq!((status.text("instanceId"), status.text("name")), (host.into(), "running".into()));
    let tag = [("ResourceId.1", host), ("Tag.1.Key", "Name"), ("Tag.1.Value", "web")];
    root.query("ec2", "CreateTags", &tag).ok();
    let named = [("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", "w*")];
    assert_eq!(root.query("ec2", "DescribeInstances", &named).ok().texts("instanceId")[0], host);
}

#[test]
fn prefix_lists_come_change_and_go() {
    let world = World::new();
    let root = world.root();
    let make = [
        ("PrefixListName", "sites"),
        ("AddressFamily", "IPv4"),
        ("MaxEntries", "3"),
        ("Entry.1.Cidr", "192.0.2.0/24"),
        ("Entry.1.Description", "here"),
        ("TagSpecification.1.ResourceType", "prefix-list"),
        ("TagSpecification.1.Tag.1.Key", "k"),
    ];
    let made = root.query("ec2", "CreateManagedPrefixList", &make).ok();
    assert_eq!((made.text("state"), made.text("version")), ("create-complete".into(), "1".into()));
    let id = made.text("prefixListId");
    let on = |action: &str, params: &[(&str, &str)]| {
        root.query("ec2", action, &[&[("PrefixListId", id.as_str())], params].concat())
    };
    let add = [("CurrentVersion", "1"), ("AddEntry.1.Cidr", "203.0.113.0/24")];
    assert_eq!(on("ModifyManagedPrefixList", &add).ok().text("state"), "modify-complete");
    assert_eq!(on("ModifyManagedPrefixList", &add).code(), "PrefixListVersionMismatch");
    let entries = on("GetManagedPrefixListEntries", &[]).ok();
    assert_eq!(entries.texts("cidr"), ["192.0.2.0/24", "203.0.113.0/24"]);
    assert_eq!(on("GetManagedPrefixListEntries", &[("TargetVersion", "1")]).ok().texts("cidr").len(), 1);
    let group = root.query("ec2", "DescribeSecurityGroups", &[]).ok().text("groupId");
    let rule = [
        ("GroupId", group.as_str()),
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.PrefixListIds.1.PrefixListId", &id),
        ("IpPermissions.1.PrefixListIds.1.Description", "sites"),
    ];
    let made = root.query("ec2", "AuthorizeSecurityGroupIngress", &rule).ok();
    assert_eq!((made.text("prefixListId"), made.text("description")), (id.clone(), "sites".into()));
    let by = [("Filter.1.Name", "ip-permission.prefix-list-id"), ("Filter.1.Value.1", id.as_str())];
    let shown = root.query("ec2", "DescribeSecurityGroups", &by).ok();
    assert_eq!(shown.texts("prefixListId"), [id.as_str()]);
    assert_eq!(on("GetManagedPrefixListAssociations", &[]).ok().texts("resourceId"), [group.as_str()]);
    assert_eq!(on("DeleteManagedPrefixList", &[]).code(), "DependencyViolation");
    root.query("ec2", "RevokeSecurityGroupIngress", &rule).ok();
    let back = [("PreviousVersion", "1"), ("CurrentVersion", "2")];
    let restored = on("RestoreManagedPrefixListVersion", &back).ok();
    assert_eq!((restored.text("version"), restored.text("state")), ("3".into(), "restore-complete".into()));
    let tagged = [("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", "k")];
    let shown = root.query("ec2", "DescribeManagedPrefixLists", &tagged).ok();
    assert_eq!(shown.texts("prefixListId"), [id.as_str()]);
    let amazons = [("Filter.1.Name", "owner-id"), ("Filter.1.Value.1", "AWS")];
    let amazons = root.query("ec2", "DescribeManagedPrefixLists", &amazons).ok().texts("prefixListName");
    let shown = root.query("ec2", "DescribePrefixLists", &[]).ok().texts("prefixListName");
    assert_eq!((amazons.len(), &amazons), (2, &shown));
    assert_eq!(on("DeleteManagedPrefixList", &[]).ok().text("state"), "delete-complete");
    assert_eq!(on("GetManagedPrefixListEntries", &[]).code(), "InvalidPrefixListID.NotFound");
}
