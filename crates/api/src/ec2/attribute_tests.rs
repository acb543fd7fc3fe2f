//! Attributes of VPCs, subnets and interfaces through the endpoint.

use crate::testing::{World, allow};

#[test]
fn attributes_of_a_vpc() {
    let world = World::new();
    let root = world.root();
    let default = root.query("ec2", "DescribeVpcs", &[]).ok().text("vpcId");
    let vpc = root.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok().text("vpcId");
    let shown = |vpc: &str, name: &str| {
        let ask = [("VpcId", vpc), ("Attribute", name)];
        let answer = root.query("ec2", "DescribeVpcAttribute", &ask).ok();
        assert!(answer.body.contains(&format!("<vpcId>{vpc}</vpcId><{name}><value>")), "{}", answer.body);
        answer.text("value")
    };
    for (name, parameter, of_default, of_new) in [
        ("enableDnsSupport", "EnableDnsSupport.Value", "true", "true"),
        ("enableDnsHostnames", "EnableDnsHostnames.Value", "true", "false"),
        ("enableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics.Value", "false", "false"),
    ] {
        assert_eq!((shown(&default, name).as_str(), shown(&vpc, name).as_str()), (of_default, of_new));
        for value in ["false", "true"] {
            root.query("ec2", "ModifyVpcAttribute", &[("VpcId", &vpc), (parameter, value)]).ok();
            assert_eq!(shown(&vpc, name), value, "{name}");
        }
    }
    let id = ("VpcId", vpc.as_str());
    for (action, params, code) in [
        ("ModifyVpcAttribute", vec![id], "InvalidParameterCombination"),
        (
            "ModifyVpcAttribute",
            vec![id, ("EnableDnsSupport.Value", "true"), ("EnableDnsHostnames.Value", "true")],
            "InvalidParameterCombination",
        ),
        ("ModifyVpcAttribute", vec![id, ("EnableDnsSupport", "true")], "UnknownParameter"),
        ("ModifyVpcAttribute", vec![id, ("EnableDnsSupport.Value", "yes")], "InvalidParameterValue"),
        ("ModifyVpcAttribute", vec![("EnableDnsSupport.Value", "true")], "MissingParameter"),
        ("DescribeVpcAttribute", vec![id], "MissingParameter"),
        ("DescribeVpcAttribute", vec![id, ("Attribute", "dns")], "InvalidParameterValue"),
        (
            "DescribeVpcAttribute",
            vec![("VpcId", "vpc-00000000000000001"), ("Attribute", "enableDnsSupport")],
            "InvalidVpcID.NotFound",
        ),
    ] {
        assert_eq!(root.query("ec2", action, &params).code(), code, "{action} {params:?}");
    }
    world.role("reader", &allow("ec2:Describe*"));
    let denied = [id, ("EnableDnsSupport.Value", "true")];
    let reader = root.assume("reader");
    assert_eq!(reader.query("ec2", "ModifyVpcAttribute", &denied).code(), "UnauthorizedOperation");
    reader.query("ec2", "DescribeVpcAttribute", &[id, ("Attribute", "enableDnsSupport")]).ok();
}

#[test]
fn attributes_of_a_subnet() {
    let world = World::new();
    let root = world.root();
    let make = [("CidrBlock", "10.0.0.0/16"), ("Ipv6CidrBlock", "fd00::/56")];
    let vpc = root.query("ec2", "CreateVpc", &make).ok().text("vpcId");
    let make = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24"), ("Ipv6CidrBlock", "fd00::/64")];
    let subnet = root.query("ec2", "CreateSubnet", &make).ok().text("subnetId");
    let make = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.2.0/24")];
    let ipv4_only = root.query("ec2", "CreateSubnet", &make).ok().text("subnetId");
    for (parameter, value, shown, filter) in [
        ("MapPublicIpOnLaunch.Value", "true", "mapPublicIpOnLaunch", "map-public-ip-on-launch"),
        ("AssignIpv6AddressOnCreation.Value", "true", "assignIpv6AddressOnCreation", ""),
        ("EnableDns64.Value", "true", "enableDns64", "enable-dns64"),
        (
            "PrivateDnsHostnameTypeOnLaunch",
            "resource-name",
            "hostnameType",
            "private-dns-name-options-on-launch.hostname-type",
        ),
        (
            "EnableResourceNameDnsARecordOnLaunch.Value",
            "true",
            "enableResourceNameDnsARecord",
            "private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
        ),
        (
            "EnableResourceNameDnsAAAARecordOnLaunch.Value",
            "true",
            "enableResourceNameDnsAAAARecord",
            "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record",
        ),
    ] {
        root.query("ec2", "ModifySubnetAttribute", &[("SubnetId", &subnet), (parameter, value)]).ok();
        let ask = match filter {
            "" => vec![("SubnetId.1", subnet.as_str())],
            _ => vec![("Filter.1.Name", filter), ("Filter.1.Value.1", value), ("SubnetId.1", &subnet)],
        };
        assert_eq!(root.query("ec2", "DescribeSubnets", &ask).ok().text(shown), value, "{parameter}");
    }
    let made = |more: &[(&str, &str)]| {
        let params = [&[("SubnetId", subnet.as_str())], more].concat();
        root.query("ec2", "CreateNetworkInterface", &params).ok().texts("ipv6Address").len()
    };
    // In the set, and as the first of it.
    assert_eq!((made(&[]), made(&[("Ipv6AddressCount", "0")])), (2, 0));
    let (id, bare) = (("SubnetId", subnet.as_str()), ("SubnetId", ipv4_only.as_str()));
    for (params, code) in [
        (vec![id], "InvalidParameterCombination"),
        (
            vec![id, ("MapPublicIpOnLaunch.Value", "true"), ("EnableDns64.Value", "true")],
            "InvalidParameterCombination",
        ),
        (vec![id, ("PrivateDnsHostnameTypeOnLaunch", "x")], "InvalidParameterValue"),
        (vec![id, ("CustomerOwnedIpv4Pool", "x")], "UnsupportedOperation"),
        (vec![bare, ("AssignIpv6AddressOnCreation.Value", "true")], "InvalidParameterValue"),
        (vec![bare, ("AssignIpv6AddressOnCreation.Value", "false")], "ok"),
        (vec![bare, ("EnableDns64.Value", "true")], "InvalidParameterValue"),
        (vec![("MapPublicIpOnLaunch.Value", "true")], "MissingParameter"),
        (
            vec![("SubnetId", "subnet-00000000000000001"), ("MapPublicIpOnLaunch.Value", "true")],
            "InvalidSubnetID.NotFound",
        ),
    ] {
        assert_eq!(root.query("ec2", "ModifySubnetAttribute", &params).code(), code, "{params:?}");
    }
}

#[test]
fn attributes_of_an_interface() {
    let world = World::new();
    let root = world.root();
    let subnet = root.query("ec2", "DescribeSubnets", &[]).ok().text("subnetId");
    let make = [("SubnetId", subnet.as_str()), ("Description", "a door")];
    let interface = root.query("ec2", "CreateNetworkInterface", &make).ok().text("networkInterfaceId");
    let shown = |name: &str| {
        let ask = [("NetworkInterfaceId", interface.as_str()), ("Attribute", name)];
        root.query("ec2", "DescribeNetworkInterfaceAttribute", &ask)
    };
    for (name, expected) in [
        ("description", "<description><value>a door</value></description>"),
        ("sourceDestCheck", "<sourceDestCheck><value>true</value></sourceDestCheck>"),
        ("groupSet", "<groupName>default</groupName></item></groupSet>"),
        ("attachment", "</networkInterfaceId></Describe"),
        ("associatePublicIpAddress", "<associatePublicIpAddress>false</associatePublicIpAddress>"),
    ] {
        let answer = shown(name).ok();
        assert!(answer.body.contains(expected), "{name} {}", answer.body);
        assert_eq!(answer.text("networkInterfaceId"), interface);
    }
    assert_eq!(shown("colour").code(), "InvalidParameterValue");
    let unknown = [("NetworkInterfaceId", "eni-00000000000000001"), ("Attribute", "description")];
    assert_eq!(
        root.query("ec2", "DescribeNetworkInterfaceAttribute", &unknown).code(),
        "InvalidNetworkInterfaceID.NotFound"
    );
}
