//! Blocks that come and go, default networks, IPv6 addresses and attachments
//! through the endpoint.

use crate::testing::{Client, World};

fn vpc(root: &Client<'_>) -> String {
    root.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok().text("vpcId")
}

#[test]
fn blocks_of_a_vpc_come_and_go() {
    let world = World::new();
    let root = world.root();
    let vpc = vpc(&root);
    let associate =
        |name, value| root.query("ec2", "AssociateVpcCidrBlock", &[("VpcId", &vpc), (name, value)]);
    let second = associate("CidrBlock", "10.1.0.0/16").ok();
    assert_eq!(
        (second.text("state"), second.text("cidrBlock")),
        ("associating".into(), "10.1.0.0/16".into())
    );
    let ipv6 = associate("AmazonProvidedIpv6CidrBlock", "true").ok();
    assert!(ipv6.text("ipv6CidrBlock").ends_with("::/56"), "{}", ipv6.body);
    assert_eq!(ipv6.text("ipv6Pool"), "Amazon");
    for (filter, value) in [
        ("cidr-block-association.cidr-block", "10.1.0.0/16"),
        ("cidr-block-association.association-id", &second.text("associationId")),
        ("ipv6-cidr-block-association.ipv6-cidr-block", &ipv6.text("ipv6CidrBlock")),
        ("ipv6-cidr-block-association.ipv6-pool", "Amazon"),
    ] {
        let ask = [("Filter.1.Name", filter), ("Filter.1.Value.1", value)];
        assert_eq!(root.query("ec2", "DescribeVpcs", &ask).ok().texts("vpcId").concat(), vpc, "{filter}");
    }
    let shown = root.query("ec2", "DescribeVpcs", &[("VpcId.1", &vpc)]).ok();
    assert_eq!(shown.texts("state"), ["available", "associated", "associated", "associated"]);
    let make = [("VpcId", vpc.as_str()), ("CidrBlock", "10.1.4.0/24")];
    let subnet = root.query("ec2", "CreateSubnet", &make).ok().text("subnetId");
    let gone =
        |association: &str| root.query("ec2", "DisassociateVpcCidrBlock", &[("AssociationId", association)]);
    assert_eq!(gone(&second.text("associationId")).code(), "DependencyViolation");
    root.query("ec2", "DeleteSubnet", &[("SubnetId", &subnet)]).ok();
    let answer = gone(&second.text("associationId")).ok();
    assert_eq!((answer.text("state"), answer.text("vpcId")), ("disassociating".into(), vpc.clone()));
    gone(&ipv6.text("associationId")).ok();
    assert_eq!(gone(&second.text("associationId")).code(), "InvalidVpcCidrBlockAssociationID.NotFound");
    assert_eq!(gone(&shown.text("associationId")).code(), "OperationNotPermitted");
}

#[test]
fn a_subnet_and_its_interfaces_get_ipv6_later() {
    let world = World::new();
    let root = world.root();
    let vpc = vpc(&root);
    let own = [("VpcId", vpc.as_str()), ("Ipv6CidrBlock", "2001:db8::/56")];
    root.query("ec2", "AssociateVpcCidrBlock", &own).ok();
    let make = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24")];
    let subnet = root.query("ec2", "CreateSubnet", &make).ok().text("subnetId");
    let block = [("SubnetId", subnet.as_str()), ("Ipv6CidrBlock", "2001:db8:0:1::/64")];
    let association = root.query("ec2", "AssociateSubnetCidrBlock", &block).ok();
    assert_eq!(association.text("subnetId"), subnet);
    let make = [("SubnetId", subnet.as_str()), ("Ipv6AddressCount", "1")];
    let interface = root.query("ec2", "CreateNetworkInterface", &make).ok().text("networkInterfaceId");
    let ask = |action: &str, params: &[(&str, &str)]| {
        root.query("ec2", action, &[&[("NetworkInterfaceId", interface.as_str())], params].concat())
    };
    let assigned = ask("AssignIpv6Addresses", &[("Ipv6AddressCount", "2")]).ok();
    assert_eq!(assigned.texts("item"), ["2001:db8:0:1::5", "2001:db8:0:1::6"]);
    let found = [("Filter.1.Name", "ipv6-addresses.ipv6-address"), ("Filter.1.Value.1", "2001:db8:0:1::6")];
    let shown = root.query("ec2", "DescribeNetworkInterfaces", &found).ok();
    assert_eq!(shown.text("networkInterfaceId"), interface);
    let gone = [("AssociationId", association.text("associationId"))];
    let gone: Vec<(&str, &str)> = gone.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(root.query("ec2", "DisassociateSubnetCidrBlock", &gone).code(), "DependencyViolation");
    let all = [
        ("Ipv6Addresses.1", "2001:db8:0:1::4"),
        ("Ipv6Addresses.2", "2001:db8:0:1::5"),
        ("Ipv6Addresses.3", "2001:db8:0:1::6"),
    ];
    assert_eq!(ask("UnassignIpv6Addresses", &all).ok().texts("item").len(), 3);
    root.query("ec2", "DisassociateSubnetCidrBlock", &gone).ok();
}

#[test]
fn default_networks_can_be_made_again() {
    let world = World::new();
    let root = world.root();
    let again = || root.query("ec2", "CreateDefaultVpc", &[]);
    assert_eq!(again().code(), "DefaultVpcAlreadyExists");
    let subnets = root.query("ec2", "DescribeSubnets", &[]).ok().texts("subnetId");
    let zone = |zone| root.query("ec2", "CreateDefaultSubnet", &[("AvailabilityZone", zone)]);
    assert_eq!(zone("us-east-1b").code(), "DefaultSubnetAlreadyExistsInAvailabilityZone");
    for subnet in &subnets {
        root.query("ec2", "DeleteSubnet", &[("SubnetId", subnet)]).ok();
    }
    assert_eq!(zone("us-east-1b").ok().text("cidrBlock"), "172.31.0.0/20");
    assert_eq!(zone("us-east-1a").ok().text("cidrBlock"), "172.31.16.0/20");
    assert_eq!(zone("eu-west-1a").code(), "InvalidParameterValue");
    for subnet in root.query("ec2", "DescribeSubnets", &[]).ok().texts("subnetId") {
        root.query("ec2", "DeleteSubnet", &[("SubnetId", &subnet)]).ok();
    }
    let vpc = root.query("ec2", "DescribeVpcs", &[]).ok().text("vpcId");
    root.query("ec2", "DeleteVpc", &[("VpcId", &vpc)]).ok();
    assert_eq!(zone("us-east-1b").code(), "DefaultVpcDoesNotExist");
    assert_eq!(again().ok().text("isDefault"), "true");
    assert_eq!(root.query("ec2", "DescribeSubnets", &[]).ok().texts("subnetId").len(), 6);
    let vpc = root.query("ec2", "DescribeVpcs", &[]).ok().text("vpcId");
    let tenancy = |to| root.query("ec2", "ModifyVpcTenancy", &[("VpcId", &vpc), ("InstanceTenancy", to)]);
    assert_eq!(tenancy("default").ok().text("returnValue"), "true");
    assert_eq!(tenancy("dedicated").message(), "The tenancy value dedicated is not supported.");
}

#[test]
fn an_emulator_attaches_to_any_instance_and_a_server_to_none() {
    for (world, code) in [(World::new(), "InvalidInstanceID.NotFound"), (World::emulator(), "ok")] {
        let root = world.root();
        let make = |params: &[(&str, &str)]| root.query("ec2", "CreateNetworkInterface", params).ok();
        let subnet = root.query("ec2", "DescribeSubnets", &[]).ok().text("subnetId");
        let made = make(&[("SubnetId", &subnet)]);
        assert_eq!(made.text("requesterId"), crate::testing::ACCOUNT);
        let (id, host) = (made.text("networkInterfaceId"), "i-0123456789abcdef0");
        let attach = [("NetworkInterfaceId", id.as_str()), ("InstanceId", host), ("DeviceIndex", "1")];
        let attached = root.query("ec2", "AttachNetworkInterface", &attach);
        assert_eq!(attached.code(), code);
        let by = [("Filter.1.Name", "attachment.instance-id"), ("Filter.1.Value.1", host)];
        let shown = root.query("ec2", "DescribeNetworkInterfaces", &by).ok();
        if code != "ok" {
            assert_eq!(shown.texts("networkInterfaceId").len(), 0);
            continue;
        }
        let attachment = attached.text("attachmentId");
        assert_eq!((shown.text("deviceIndex"), shown.text("attachmentId")), ("1".into(), attachment.clone()));
        let keep = [
            ("NetworkInterfaceId", id.as_str()),
            ("Attachment.AttachmentId", &attachment),
            ("Attachment.DeleteOnTermination", "true"),
        ];
        root.query("ec2", "ModifyNetworkInterfaceAttribute", &keep).ok();
        let shown = root.query("ec2", "DescribeNetworkInterfaces", &by).ok();
        assert_eq!(shown.text("deleteOnTermination"), "true");
        assert_eq!(
            root.query("ec2", "AttachNetworkInterface", &attach).code(),
            "InvalidNetworkInterface.InUse"
        );
        let delete = || root.query("ec2", "DeleteNetworkInterface", &[("NetworkInterfaceId", &id)]);
        assert_eq!(delete().code(), "InvalidParameterValue");
        let detach = || root.query("ec2", "DetachNetworkInterface", &[("AttachmentId", &attachment)]);
        detach().ok();
        assert_eq!(detach().code(), "InvalidAttachmentID.NotFound");
        delete().ok();
    }
}
