//! Secondary addresses of network interfaces through the endpoint.

use crate::testing::World;

#[test]
fn secondary_addresses_come_move_and_go() {
    let world = World::new();
    let root = world.root();
    let vpc = root.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok().text("vpcId");
    let make = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24")];
    let subnet = root.query("ec2", "CreateSubnet", &make).ok().text("subnetId");
    let make = || {
        let make = [("SubnetId", subnet.as_str())];
        root.query("ec2", "CreateNetworkInterface", &make).ok().text("networkInterfaceId")
    };
    // 10.0.1.4 and 10.0.1.5.
    let (first, second) = (make(), make());
    let ask = |action: &str, interface: &str, params: &[(&str, &str)]| {
        root.query("ec2", action, &[&[("NetworkInterfaceId", interface)], params].concat())
    };
    let assign =
        |interface: &str, params: &[(&str, &str)]| ask("AssignPrivateIpAddresses", interface, params);
    let of = |interface: &str| {
        let ask = [("NetworkInterfaceId.1", interface)];
        let shown = root.query("ec2", "DescribeNetworkInterfaces", &ask).ok();
        // The primary address is shown twice.
        shown.texts("privateIpAddress")[1..].join(" ")
    };
    let picked = assign(&first, &[("SecondaryPrivateIpAddressCount", "2")]).ok();
    assert_eq!(picked.texts("privateIpAddress"), ["10.0.1.6", "10.0.1.7"]);
    assert_eq!(picked.text("networkInterfaceId"), first);
    assign(&first, &[("PrivateIpAddress.1", "10.0.1.9"), ("PrivateIpAddress.2", "10.0.1.6")]).ok();
    assert_eq!(of(&first), "10.0.1.4 10.0.1.6 10.0.1.7 10.0.1.9");
    let shown = root.query("ec2", "DescribeSubnets", &[("SubnetId.1", &subnet)]).ok();
    assert_eq!(shown.text("availableIpAddressCount"), "246");

    let moved = [("PrivateIpAddress.1", "10.0.1.7"), ("AllowReassignment", "true")];
    assert_eq!(assign(&second, &moved[..1]).message(), "[10.0.1.7] assigned, but move is not allowed.");
    assign(&second, &moved).ok();
    assert_eq!((of(&first), of(&second)), ("10.0.1.4 10.0.1.6 10.0.1.9".into(), "10.0.1.5 10.0.1.7".into()));

    let unassign = [("PrivateIpAddress.1", "10.0.1.6"), ("PrivateIpAddress.2", "10.0.1.9")];
    for (action, params, code) in [
        ("AssignPrivateIpAddresses", vec![], "MissingParameter"),
        ("AssignPrivateIpAddresses", vec![("SecondaryPrivateIpAddressCount", "0")], "InvalidParameterValue"),
        ("AssignPrivateIpAddresses", vec![("SecondaryPrivateIpAddressCount", "-1")], "InvalidParameterValue"),
        (
            "AssignPrivateIpAddresses",
            vec![("SecondaryPrivateIpAddressCount", "50")],
            "PrivateIpAddressLimitExceeded",
        ),
        (
            "AssignPrivateIpAddresses",
            vec![("SecondaryPrivateIpAddressCount", "9223372036854775807")],
            "PrivateIpAddressLimitExceeded",
        ),
        (
            "AssignPrivateIpAddresses",
            vec![("SecondaryPrivateIpAddressCount", "1"), ("PrivateIpAddress.1", "10.0.1.8")],
            "InvalidParameterCombination",
        ),
        ("AssignPrivateIpAddresses", vec![("PrivateIpAddress.1", "10.0.2.8")], "InvalidParameterValue"),
        ("AssignPrivateIpAddresses", vec![("PrivateIpAddress.1", "10.0.1.1")], "InvalidParameterValue"),
        ("AssignPrivateIpAddresses", vec![("PrivateIpAddress.1", "fd00::1")], "InvalidParameterValue"),
        (
            "AssignPrivateIpAddresses",
            vec![("PrivateIpAddress.1", "10.0.1.5"), ("AllowReassignment", "true")],
            "InvalidParameterValue",
        ),
        ("AssignPrivateIpAddresses", vec![("Ipv4PrefixCount", "1")], "UnsupportedOperation"),
        ("AssignPrivateIpAddresses", vec![("DryRun", "true")], "UnknownParameter"),
        ("UnassignPrivateIpAddresses", vec![], "MissingParameter"),
        ("UnassignPrivateIpAddresses", vec![("PrivateIpAddress.1", "10.0.1.4")], "InvalidParameterValue"),
        (
            "UnassignPrivateIpAddresses",
            vec![unassign[0], ("PrivateIpAddress.3", "10.0.1.7")],
            "InvalidParameterValue",
        ),
        ("UnassignPrivateIpAddresses", vec![("PrivateIpAddress.1", "x")], "InvalidParameterValue"),
    ] {
        assert_eq!(ask(action, &first, &params).code(), code, "{action} {params:?}");
    }
    assert_eq!(of(&first), "10.0.1.4 10.0.1.6 10.0.1.9", "a refused request changes nothing");
    ask("UnassignPrivateIpAddresses", &first, &unassign).ok();
    assert_eq!(of(&first), "10.0.1.4");
    let unknown = ask("UnassignPrivateIpAddresses", "eni-00000000000000001", &unassign);
    assert_eq!(unknown.code(), "InvalidNetworkInterfaceID.NotFound");
}
