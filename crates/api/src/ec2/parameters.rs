//! Which parameters each action has; a request with any other is refused before
//! anything happens.
//!
//! A mistyped name would else be the same as an absent one, and absent may mean
//! all: DeleteTags without `Tag.N` removes every tag. So a name must be right as
//! a whole: a scalar in place of a list (`Tag=x`) is not recognized either.
//!
//! ```text
//! Filter.N.Value.N   N: any number in decimal; Filter.1.Value.2
//! ```
//!
//! Source: EC2 API, the parameters of each action, "Common query parameters",
//! and the error `UnknownParameter`; as in botocore's model of 2016-11-15.

use crate::error::ApiError;
use crate::protocol::query::Params;

/// Parameters of every action. Source: EC2 API, "Common query parameters".
const COMMON: &[&str] = &[
    "Action",
    "Version",
    "AWSAccessKeyId",
    "Expires",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
];

/// Refuses a request with a parameter that `action` does not have. Of actions
/// that are not here nothing is known.
///
/// Errors: `UnknownParameter`.
pub fn check(action: &str, params: &Params) -> Result<(), ApiError> {
    let Some((_, lists)) = PARAMETERS.iter().find(|(name, _)| *name == action) else { return Ok(()) };
    let patterns: Vec<&str> = lists.iter().flat_map(|list| list.split_whitespace()).collect();
    let known = |name: &str| is_common(name) || patterns.iter().any(|pattern| matches(pattern, name));
    match params.names().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => {
            Err(ApiError::new("UnknownParameter", format!("The parameter {name} is not recognized")))
        }
    }
}

fn is_common(name: &str) -> bool {
    let of_signature = name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"));
    of_signature || COMMON.contains(&name)
}

fn matches(pattern: &str, name: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('.'), name.split('.'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("N"), Some(index)) if is_index(index) => {}
            (Some(wanted), Some(given)) if wanted == given && wanted != "N" => {}
            _ => return false,
        }
    }
}

/// Whether [`Params::list`] and [`Params::structs`] read it as a place in a list.
fn is_index(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok()
}

const FILTERS: &str = "Filter.N.Name Filter.N.Value.N";
const PAGES: &str = "MaxResults NextToken";
const TAGS: &str =
    "TagSpecification.N.ResourceType TagSpecification.N.Tag.N.Key TagSpecification.N.Tag.N.Value";
const ENTRY: &str = "NetworkAclId RuleNumber Protocol RuleAction Egress CidrBlock Ipv6CidrBlock Icmp.Code \
     Icmp.Type PortRange.From PortRange.To";
const FLAT: &str = "SourceSecurityGroupName SourceSecurityGroupOwnerId IpProtocol FromPort ToPort CidrIp";
const PERMISSIONS: &str = "IpPermissions.N.IpProtocol IpPermissions.N.FromPort IpPermissions.N.ToPort \
     IpPermissions.N.Groups.N.Description IpPermissions.N.Groups.N.UserId \
     IpPermissions.N.Groups.N.GroupName IpPermissions.N.Groups.N.GroupId \
     IpPermissions.N.Groups.N.VpcId IpPermissions.N.Groups.N.VpcPeeringConnectionId \
     IpPermissions.N.Groups.N.PeeringStatus IpPermissions.N.IpRanges.N.Description \
     IpPermissions.N.IpRanges.N.CidrIp IpPermissions.N.Ipv6Ranges.N.Description \
     IpPermissions.N.Ipv6Ranges.N.CidrIpv6 IpPermissions.N.PrefixListIds.N.Description \
     IpPermissions.N.PrefixListIds.N.PrefixListId";

/// Parameters by action, in order of the actions; a row has one or more lists.
pub const PARAMETERS: &[(&str, &[&str])] = &[
    (
        "AssignIpv6Addresses",
        &["Ipv6AddressCount Ipv6Addresses.N Ipv6Prefix.N Ipv6PrefixCount NetworkInterfaceId"],
    ),
    (
        "AssignPrivateIpAddresses",
        &["AllowReassignment Ipv4Prefix.N Ipv4PrefixCount NetworkInterfaceId PrivateIpAddress.N \
             SecondaryPrivateIpAddressCount"],
    ),
    ("AssociateSubnetCidrBlock", &["Ipv6CidrBlock Ipv6IpamPoolId Ipv6NetmaskLength SubnetId"]),
    (
        "AssociateVpcCidrBlock",
        &["AmazonProvidedIpv6CidrBlock CidrBlock Ipv4IpamPoolId Ipv4NetmaskLength Ipv6CidrBlock \
 Ipv6CidrBlockNetworkBorderGroup Ipv6IpamPoolId Ipv6NetmaskLength Ipv6Pool VpcId"],
    ),
    (
        "AttachNetworkInterface",
        &["DeviceIndex DryRun EnaQueueCount EnaSrdSpecification.EnaSrdEnabled \
 EnaSrdSpecification.EnaSrdUdpSpecification.EnaSrdUdpEnabled InstanceId \
 NetworkCardIndex NetworkInterfaceId"],
    ),
    ("AuthorizeSecurityGroupEgress", &[TAGS, FLAT, PERMISSIONS, "DryRun GroupId"]),
    ("AuthorizeSecurityGroupIngress", &[TAGS, FLAT, PERMISSIONS, "DryRun GroupId GroupName"]),
    ("CreateDefaultSubnet", &["AvailabilityZone AvailabilityZoneId DryRun Ipv6Native"]),
    ("CreateDefaultVpc", &["DryRun"]),
    (
        "CreateFlowLogs",
        &[
            TAGS,
            "ClientToken DeliverCrossAccountRole DeliverLogsPermissionArn \
             DestinationOptions.FileFormat DestinationOptions.HiveCompatiblePartitions \
             DestinationOptions.PerHourPartition DryRun LogDestination LogDestinationType \
             LogFormat LogGroupName MaxAggregationInterval ResourceId.N ResourceType \
             TagFieldSpecification.N.ResourceType TagFieldSpecification.N.TagKey.N TrafficType",
        ],
    ),
    (
        "CreateManagedPrefixList",
        &[
            TAGS,
            "AddressFamily ClientToken DryRun Entry.N.Cidr Entry.N.Description MaxEntries \
 PrefixListName",
        ],
    ),
    ("CreateNetworkAcl", &[TAGS, "ClientToken DryRun VpcId"]),
    ("CreateNetworkAclEntry", &[ENTRY, "DryRun"]),
    (
        "CreateNetworkInterface",
        &[
            TAGS,
            "ClientToken ConnectionTrackingSpecification.TcpEstablishedTimeout \
             ConnectionTrackingSpecification.UdpStreamTimeout \
             ConnectionTrackingSpecification.UdpTimeout Description DryRun EnablePrimaryIpv6 \
             InterfaceType Ipv4Prefix.N.Ipv4Prefix Ipv4PrefixCount Ipv6AddressCount \
             Ipv6Addresses.N.Ipv6Address Ipv6Addresses.N.IsPrimaryIpv6 Ipv6Prefix.N.Ipv6Prefix \
             Ipv6PrefixCount Operator.Principal PrivateIpAddress PrivateIpAddresses.N.Primary \
             PrivateIpAddresses.N.PrivateIpAddress SecondaryPrivateIpAddressCount \
             SecurityGroupId.N SubnetId",
        ],
    ),
    ("CreateSecurityGroup", &[TAGS, "DryRun GroupDescription GroupName VpcId"]),
    (
        "CreateSubnet",
        &[
            TAGS,
            "AvailabilityZone AvailabilityZoneId CidrBlock DryRun Ipv4IpamPoolId \
             Ipv4NetmaskLength Ipv6CidrBlock Ipv6IpamPoolId Ipv6Native Ipv6NetmaskLength \
             OutpostArn VpcId",
        ],
    ),
    ("CreateTags", &["DryRun ResourceId.N Tag.N.Key Tag.N.Value"]),
    (
        "CreateVpc",
        &[
            TAGS,
            "AmazonProvidedIpv6CidrBlock CidrBlock DryRun InstanceTenancy Ipv4IpamPoolId \
             Ipv4NetmaskLength Ipv6CidrBlock Ipv6CidrBlockNetworkBorderGroup Ipv6IpamPoolId \
             Ipv6NetmaskLength Ipv6Pool VpcEncryptionControl.ApiGatewayV2Exclusion \
             VpcEncryptionControl.EgressOnlyInternetGatewayExclusion \
             VpcEncryptionControl.ElasticFileSystemExclusion \
             VpcEncryptionControl.GlobalAcceleratorExclusion \
             VpcEncryptionControl.InternetGatewayExclusion VpcEncryptionControl.LambdaExclusion \
             VpcEncryptionControl.Mode VpcEncryptionControl.NatGatewayExclusion \
             VpcEncryptionControl.VirtualPrivateGatewayExclusion \
             VpcEncryptionControl.VpcLatticeExclusion VpcEncryptionControl.VpcPeeringExclusion",
        ],
    ),
    ("DeleteFlowLogs", &["DryRun FlowLogId.N"]),
    ("DeleteManagedPrefixList", &["DryRun PrefixListId"]),
    ("DeleteNetworkAcl", &["DryRun NetworkAclId"]),
    ("DeleteNetworkAclEntry", &["DryRun Egress NetworkAclId RuleNumber"]),
    ("DeleteNetworkInterface", &["DryRun NetworkInterfaceId"]),
    ("DeleteSecurityGroup", &["DryRun GroupId GroupName"]),
    ("DeleteSubnet", &["DryRun SubnetId"]),
    ("DeleteTags", &["DryRun ResourceId.N Tag.N.Key Tag.N.Value"]),
    ("DeleteVpc", &["DryRun VpcId"]),
    ("DescribeAccountAttributes", &["AttributeName.N DryRun"]),
    ("DescribeAddresses", &[FILTERS, "AllocationId.N DryRun PublicIp.N"]),
    ("DescribeAvailabilityZones", &[FILTERS, "AllAvailabilityZones DryRun ZoneId.N ZoneName.N"]),
    ("DescribeCustomerGateways", &[FILTERS, "CustomerGatewayId.N DryRun"]),
    ("DescribeDhcpOptions", &[FILTERS, PAGES, "DhcpOptionsId.N DryRun"]),
    ("DescribeEgressOnlyInternetGateways", &[FILTERS, PAGES, "DryRun EgressOnlyInternetGatewayId.N"]),
    ("DescribeFlowLogs", &[FILTERS, PAGES, "DryRun FlowLogId.N"]),
    (
        "DescribeInstanceStatus",
        &[FILTERS, PAGES, "DryRun IncludeAllInstances IncludeManagedResources InstanceId.N"],
    ),
    ("DescribeInstances", &[FILTERS, PAGES, "DryRun IncludeManagedResources InstanceId.N"]),
    ("DescribeInternetGateways", &[FILTERS, PAGES, "DryRun InternetGatewayId.N"]),
    ("DescribeManagedPrefixLists", &[FILTERS, PAGES, "DryRun PrefixListId.N"]),
    ("DescribeNatGateways", &[FILTERS, PAGES, "DryRun NatGatewayId.N"]),
    ("DescribeNetworkAcls", &[FILTERS, PAGES, "DryRun NetworkAclId.N"]),
    ("DescribeNetworkInterfaceAttribute", &["Attribute DryRun NetworkInterfaceId"]),
    ("DescribeNetworkInterfaces", &[FILTERS, PAGES, "DryRun IncludeManagedResources NetworkInterfaceId.N"]),
    ("DescribePrefixLists", &[FILTERS, PAGES, "DryRun PrefixListId.N"]),
    ("DescribeRegions", &[FILTERS, "AllRegions DryRun RegionName.N"]),
    ("DescribeRouteTables", &[FILTERS, PAGES, "DryRun RouteTableId.N"]),
    ("DescribeSecurityGroupReferences", &["DryRun GroupId.N"]),
    ("DescribeSecurityGroupRules", &[FILTERS, PAGES, "DryRun SecurityGroupRuleId.N"]),
    ("DescribeSecurityGroupVpcAssociations", &[FILTERS, PAGES, "DryRun"]),
    ("DescribeSecurityGroups", &[FILTERS, PAGES, "DryRun GroupId.N GroupName.N"]),
    ("DescribeStaleSecurityGroups", &[PAGES, "DryRun VpcId"]),
    ("DescribeSubnets", &[FILTERS, PAGES, "DryRun SubnetId.N"]),
    ("DescribeTags", &[FILTERS, PAGES, "DryRun"]),
    ("DescribeTransitGatewayAttachments", &[FILTERS, PAGES, "DryRun TransitGatewayAttachmentIds.N"]),
    ("DescribeTransitGateways", &[FILTERS, PAGES, "DryRun TransitGatewayIds.N"]),
    ("DescribeVpcAttribute", &["Attribute DryRun VpcId"]),
    ("DescribeVpcClassicLink", &[FILTERS, "DryRun VpcId.N"]),
    ("DescribeVpcEndpoints", &[FILTERS, PAGES, "DryRun VpcEndpointId.N"]),
    ("DescribeVpcPeeringConnections", &[FILTERS, PAGES, "DryRun VpcPeeringConnectionId.N"]),
    ("DescribeVpcs", &[FILTERS, PAGES, "DryRun VpcId.N"]),
    ("DescribeVpnGateways", &[FILTERS, "DryRun VpnGatewayId.N"]),
    ("DetachNetworkInterface", &["AttachmentId DryRun Force"]),
    ("DisassociateSubnetCidrBlock", &["AssociationId"]),
    ("DisassociateVpcCidrBlock", &["AssociationId"]),
    (
        "GetFlowLogsIntegrationTemplate",
        &["ConfigDeliveryS3DestinationArn DryRun FlowLogId \
 IntegrateService.AthenaIntegration.N.IntegrationResultS3DestinationArn \
 IntegrateService.AthenaIntegration.N.PartitionEndDate \
 IntegrateService.AthenaIntegration.N.PartitionLoadFrequency \
 IntegrateService.AthenaIntegration.N.PartitionStartDate"],
    ),
    ("GetManagedPrefixListAssociations", &[PAGES, "DryRun PrefixListId"]),
    ("GetManagedPrefixListEntries", &[PAGES, "DryRun PrefixListId TargetVersion"]),
    ("ModifyAvailabilityZoneGroup", &["DryRun GroupName OptInStatus"]),
    (
        "ModifyManagedPrefixList",
        &["AddEntry.N.Cidr AddEntry.N.Description CurrentVersion DryRun \
 IpamPrefixListResolverSyncEnabled MaxEntries PrefixListId PrefixListName \
 RemoveEntry.N.Cidr"],
    ),
    (
        "ModifyNetworkInterfaceAttribute",
        &["AssociatePublicIpAddress AssociatedSubnetId.N Attachment.AttachmentId \
             Attachment.DefaultEnaQueueCount Attachment.DeleteOnTermination \
             Attachment.EnaQueueCount ConnectionTrackingSpecification.TcpEstablishedTimeout \
             ConnectionTrackingSpecification.UdpStreamTimeout \
             ConnectionTrackingSpecification.UdpTimeout Description.Value DryRun \
             EnaSrdSpecification.EnaSrdEnabled \
             EnaSrdSpecification.EnaSrdUdpSpecification.EnaSrdUdpEnabled EnablePrimaryIpv6 \
             NetworkInterfaceId SecurityGroupId.N SourceDestCheck.Value"],
    ),
    (
        "ModifySecurityGroupRules",
        &["DryRun GroupId SecurityGroupRule.N.SecurityGroupRule.CidrIpv4 \
             SecurityGroupRule.N.SecurityGroupRule.CidrIpv6 \
             SecurityGroupRule.N.SecurityGroupRule.Description \
             SecurityGroupRule.N.SecurityGroupRule.FromPort \
             SecurityGroupRule.N.SecurityGroupRule.IpProtocol \
             SecurityGroupRule.N.SecurityGroupRule.PrefixListId \
             SecurityGroupRule.N.SecurityGroupRule.ReferencedGroupId \
             SecurityGroupRule.N.SecurityGroupRule.ToPort SecurityGroupRule.N.SecurityGroupRuleId"],
    ),
    (
        "ModifySubnetAttribute",
        &["AssignIpv6AddressOnCreation.Value CustomerOwnedIpv4Pool \
             DisableLniAtDeviceIndex.Value EnableDns64.Value EnableLniAtDeviceIndex \
             EnableResourceNameDnsAAAARecordOnLaunch.Value \
             EnableResourceNameDnsARecordOnLaunch.Value MapCustomerOwnedIpOnLaunch.Value \
             MapPublicIpOnLaunch.Value PrivateDnsHostnameTypeOnLaunch SubnetId"],
    ),
    (
        "ModifyVpcAttribute",
        &["EnableDnsHostnames.Value EnableDnsSupport.Value \
             EnableNetworkAddressUsageMetrics.Value VpcId"],
    ),
    ("ModifyVpcTenancy", &["DryRun InstanceTenancy VpcId"]),
    ("ReplaceNetworkAclAssociation", &["AssociationId DryRun NetworkAclId"]),
    ("ReplaceNetworkAclEntry", &[ENTRY, "DryRun"]),
    ("ResetNetworkInterfaceAttribute", &["DryRun NetworkInterfaceId SourceDestCheck"]),
    ("RestoreManagedPrefixListVersion", &["CurrentVersion DryRun PrefixListId PreviousVersion"]),
    ("RevokeSecurityGroupEgress", &[FLAT, PERMISSIONS, "DryRun GroupId SecurityGroupRuleId.N"]),
    ("RevokeSecurityGroupIngress", &[FLAT, PERMISSIONS, "DryRun GroupId GroupName SecurityGroupRuleId.N"]),
    ("UnassignIpv6Addresses", &["Ipv6Addresses.N Ipv6Prefix.N NetworkInterfaceId"]),
    ("UnassignPrivateIpAddresses", &["Ipv4Prefix.N NetworkInterfaceId PrivateIpAddress.N"]),
    (
        "UpdateSecurityGroupRuleDescriptionsEgress",
        &[
            PERMISSIONS,
            "DryRun GroupId GroupName SecurityGroupRuleDescription.N.Description \
             SecurityGroupRuleDescription.N.SecurityGroupRuleId",
        ],
    ),
    (
        "UpdateSecurityGroupRuleDescriptionsIngress",
        &[
            PERMISSIONS,
            "DryRun GroupId GroupName SecurityGroupRuleDescription.N.Description \
             SecurityGroupRuleDescription.N.SecurityGroupRuleId",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn names_are_known_as_a_whole() {
        for (action, form, unknown) in [
            ("DeleteTags", "ResourceId.1=vpc-1&Tag.1.Key=k&Tag.01.Value=", None),
            ("DeleteTags", "ResourceId.1=vpc-1&Tag=x", Some("Tag")),
            ("DeleteTags", "Tag.1=x", Some("Tag.1")),
            ("DeleteTags", "Tag.member.1.Key=k", Some("Tag.member.1.Key")),
            ("DeleteTags", "Tag.%2B1.Key=k", Some("Tag.+1.Key")),
            ("DeleteTags", "Tag..Key=k", Some("Tag..Key")),
            ("DeleteTags", "Tag.N.Key=k", Some("Tag.N.Key")),
            ("DeleteTags", "Tag.18446744073709551616.Key=k", Some("Tag.18446744073709551616.Key")),
            ("DeleteTags", "Tag.1.Key.1=k", Some("Tag.1.Key.1")),
            ("DeleteTags", "Tags.1.Key=k", Some("Tags.1.Key")),
            ("DeleteTags", "tag.1.Key=k", Some("tag.1.Key")),
            ("DescribeVpcs", "VpcId=vpc-1", Some("VpcId")),
            ("DescribeVpcs", "VpcId.1=vpc-1&Filter.1.Value.2=x&Filter.1.Name=y&MaxResults=5", None),
            ("DeleteVpc", "VpcId.1=vpc-1", Some("VpcId.1")),
            ("DeleteVpc", "VpcId=vpc-1&Force=", Some("Force")),
            ("DeleteVpc", "VpcId=vpc-1&Action=DeleteVpc&Version=x&X-Amz-Date=d&x-amz-signature=s", None),
            ("DeleteVpc", "AWSAccessKeyId=a&Signature=b&SignatureVersion=2&Timestamp=t&VpcId=v", None),
            ("ModifyVpcAttribute", "EnableDnsSupport=true", Some("EnableDnsSupport")),
            ("NoSuchAction", "X=y", None),
        ] {
            let outcome = check(action, &Params::parse(form.as_bytes()).unwrap());
            let message = unknown.map(|name| format!("The parameter {name} is not recognized"));
            assert_eq!(outcome.err().map(|error| error.message), message, "{action} {form}");
        }
    }

    #[test]
    fn nothing_happens_before_a_mistake_is_found() {
        for world in [World::new(), World::emulator()] {
            let root = world.root();
            let vpc = root.query("ec2", "DescribeVpcs", &[]).ok().text("vpcId");
            let tag = [("ResourceId.1", vpc.as_str()), ("Tag.1.Key", "k")];
            root.query("ec2", "CreateTags", &tag).ok();
            let refused = root.query("ec2", "DeleteTags", &[("ResourceId.1", &vpc), ("Tag", "x")]);
            assert_eq!(refused.fault(), "UnknownParameter 400");
            assert_eq!(refused.message(), "The parameter Tag is not recognized");
            assert_eq!(root.query("ec2", "DescribeTags", &[]).ok().text("key"), "k");
        }
        let world = World::new();
        let mut root = world.root();
        root.presigned = true;
        root.query("ec2", "DescribeVpcs", &[]).ok();
    }

    #[test]
    fn every_action_has_a_row() {
        let rows: BTreeSet<&str> = PARAMETERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(rows.len(), PARAMETERS.len());
        for action in super::super::ACTIONS {
            assert!(rows.contains(action.name), "{}", action.name);
        }
    }

    /// The version of botocore that has the same model as [`PARAMETERS`].
    const GENERATED_FROM: &str = "1.44.5";

    /// Prints the version and `Action Name.N.Member` for all of EC2.
    const BOTOCORE: &str = r#"
import botocore.loaders
print(botocore.__version__)
model = botocore.loaders.Loader().load_service_model('ec2', 'service-2', '2016-11-15')
def leaves(shape, at):
    shape = model['shapes'][shape]
    if shape['type'] == 'list':
        leaves(shape['member']['shape'], at + ['N'])
    elif shape['type'] == 'structure' and len(at) < 9:
        for name, member in shape['members'].items():
            name = member.get('queryName') or member.get('locationName', name)
            leaves(member['shape'], at + [name[0].upper() + name[1:]])
    else:
        print(action, '.'.join(at))
for action, operation in model['operations'].items():
    if 'input' in operation:
        leaves(operation['input']['shape'], [])
"#;

    /// No client that has the model may be refused. Newer models than the table's
    /// may have more actions, older ones fewer parameters. Does nothing where
    /// Python has no botocore.
    #[test]
    fn the_table_is_what_botocores_model_says() {
        let Ok(printed) = std::process::Command::new("python3").args(["-c", BOTOCORE]).output() else {
            return;
        };
        if !printed.status.success() {
            return;
        }
        let printed = String::from_utf8(printed.stdout).unwrap();
        let (version, printed) = printed.split_once('\n').unwrap();
        let mut model: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (action, name) in printed.lines().filter_map(|line| line.split_once(' ')) {
            model.entry(action).or_default().insert(name);
        }
        for (action, lists) in PARAMETERS {
            let ours: BTreeSet<&str> = lists.iter().flat_map(|list| list.split_whitespace()).collect();
            let theirs = &model[action];
            let missing: Vec<_> = theirs.difference(&ours).collect();
            assert!(missing.is_empty(), "{action} of botocore {version} has {missing:?}");
            if version == GENERATED_FROM {
                assert_eq!(ours, *theirs, "{action}");
            }
        }
    }
}
