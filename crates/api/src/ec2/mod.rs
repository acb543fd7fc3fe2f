//! EC2: VPCs, subnets, interfaces, security groups, network ACLs, flow logs.
//!
//! Wire: EC2 query protocol, version 2016-11-15. An action is a function from
//! parameters to the members of its answer; [`ACTIONS`] lists them all.

mod absent;
mod assign_ipv6_addresses;
mod assign_private_ip_addresses;
mod associate_subnet_cidr_block;
mod associate_vpc_cidr_block;
mod attach_network_interface;
mod attribute;
mod authorize_security_group_egress;
mod authorize_security_group_ingress;
mod create_default_subnet;
mod create_default_vpc;
mod create_flow_logs;
mod create_managed_prefix_list;
mod create_network_acl;
mod create_network_acl_entry;
mod create_network_interface;
mod create_security_group;
mod create_subnet;
mod create_tags;
mod create_vpc;
mod delete_flow_logs;
mod delete_managed_prefix_list;
mod delete_network_acl;
mod delete_network_acl_entry;
mod delete_network_interface;
mod delete_security_group;
mod delete_subnet;
mod delete_tags;
mod delete_vpc;
mod describe_account_attributes;
mod describe_addresses;
mod describe_availability_zones;
mod describe_customer_gateways;
mod describe_dhcp_options;
mod describe_egress_only_internet_gateways;
mod describe_flow_logs;
mod describe_instance_status;
mod describe_instances;
mod describe_internet_gateways;
mod describe_managed_prefix_lists;
mod describe_nat_gateways;
mod describe_network_acls;
mod describe_network_interface_attribute;
mod describe_network_interfaces;
mod describe_prefix_lists;
mod describe_regions;
mod describe_route_tables;
mod describe_security_group_references;
mod describe_security_group_rules;
mod describe_security_group_vpc_associations;
mod describe_security_groups;
mod describe_stale_security_groups;
mod describe_subnets;
mod describe_tags;
mod describe_transit_gateway_attachments;
mod describe_transit_gateways;
mod describe_vpc_attribute;
mod describe_vpc_classic_link;
mod describe_vpc_endpoints;
mod describe_vpc_peering_connections;
mod describe_vpcs;
mod describe_vpn_gateways;
mod detach_network_interface;
mod disassociate_subnet_cidr_block;
mod disassociate_vpc_cidr_block;
pub mod filter;
mod get_flow_logs_integration_template;
mod get_managed_prefix_list_associations;
mod get_managed_prefix_list_entries;
mod instance;
mod ip_permission;
mod log_bucket;
mod log_stream;
mod modify_availability_zone_group;
mod modify_managed_prefix_list;
mod modify_network_interface_attribute;
mod modify_security_group_rules;
mod modify_subnet_attribute;
mod modify_vpc_attribute;
mod modify_vpc_tenancy;
mod network_acl_entry;
pub mod page;
pub mod parameters;
mod prefix_list;
mod replace_network_acl_association;
mod replace_network_acl_entry;
mod reset_network_interface_attribute;
mod restore_managed_prefix_list_version;
mod revoke_security_group_egress;
mod revoke_security_group_ingress;
mod security_group_rule;
pub mod tag_spec;
mod taggable;
mod unassign_ipv6_addresses;
mod unassign_private_ip_addresses;
mod unsuccessful;
mod unsupported;
mod update_security_group_rule_descriptions_egress;
mod update_security_group_rule_descriptions_ingress;
mod vpc_cidr;

use crate::protocol::xml::Xml;
pub use crate::service::QueryAction as Action;

/// Every EC2 action, by name.
pub const ACTIONS: &[Action] = &[
    Action { name: "AssignIpv6Addresses", run: assign_ipv6_addresses::run },
    Action { name: "AssignPrivateIpAddresses", run: assign_private_ip_addresses::run },
    Action { name: "AssociateSubnetCidrBlock", run: associate_subnet_cidr_block::run },
    Action { name: "AssociateVpcCidrBlock", run: associate_vpc_cidr_block::run },
    Action { name: "AttachNetworkInterface", run: attach_network_interface::run },
    Action { name: "AuthorizeSecurityGroupEgress", run: authorize_security_group_egress::run },
    Action { name: "AuthorizeSecurityGroupIngress", run: authorize_security_group_ingress::run },
    Action { name: "CreateDefaultSubnet", run: create_default_subnet::run },
    Action { name: "CreateDefaultVpc", run: create_default_vpc::run },
    Action { name: "CreateFlowLogs", run: create_flow_logs::run },
    Action { name: "CreateManagedPrefixList", run: create_managed_prefix_list::run },
    Action { name: "CreateNetworkAcl", run: create_network_acl::run },
    Action { name: "CreateNetworkAclEntry", run: create_network_acl_entry::run },
    Action { name: "CreateNetworkInterface", run: create_network_interface::run },
    Action { name: "CreateSecurityGroup", run: create_security_group::run },
    Action { name: "CreateSubnet", run: create_subnet::run },
    Action { name: "CreateTags", run: create_tags::run },
    Action { name: "CreateVpc", run: create_vpc::run },
    Action { name: "DeleteFlowLogs", run: delete_flow_logs::run },
    Action { name: "DeleteManagedPrefixList", run: delete_managed_prefix_list::run },
    Action { name: "DeleteNetworkAcl", run: delete_network_acl::run },
    Action { name: "DeleteNetworkAclEntry", run: delete_network_acl_entry::run },
    Action { name: "DeleteNetworkInterface", run: delete_network_interface::run },
    Action { name: "DeleteSecurityGroup", run: delete_security_group::run },
    Action { name: "DeleteSubnet", run: delete_subnet::run },
    Action { name: "DeleteTags", run: delete_tags::run },
    Action { name: "DeleteVpc", run: delete_vpc::run },
    Action { name: "DescribeAccountAttributes", run: describe_account_attributes::run },
    Action { name: "DescribeAddresses", run: describe_addresses::run },
    Action { name: "DescribeAvailabilityZones", run: describe_availability_zones::run },
    Action { name: "DescribeCustomerGateways", run: describe_customer_gateways::run },
    Action { name: "DescribeDhcpOptions", run: describe_dhcp_options::run },
    Action { name: "DescribeEgressOnlyInternetGateways", run: describe_egress_only_internet_gateways::run },
    Action { name: "DescribeFlowLogs", run: describe_flow_logs::run },
    Action { name: "DescribeInstanceStatus", run: describe_instance_status::run },
    Action { name: "DescribeInstances", run: describe_instances::run },
    Action { name: "DescribeInternetGateways", run: describe_internet_gateways::run },
    Action { name: "DescribeManagedPrefixLists", run: describe_managed_prefix_lists::run },
    Action { name: "DescribeNatGateways", run: describe_nat_gateways::run },
    Action { name: "DescribeNetworkAcls", run: describe_network_acls::run },
    Action { name: "DescribeNetworkInterfaceAttribute", run: describe_network_interface_attribute::run },
    Action { name: "DescribeNetworkInterfaces", run: describe_network_interfaces::run },
    Action { name: "DescribePrefixLists", run: describe_prefix_lists::run },
    Action { name: "DescribeRegions", run: describe_regions::run },
    Action { name: "DescribeRouteTables", run: describe_route_tables::run },
    Action { name: "DescribeSecurityGroupReferences", run: describe_security_group_references::run },
    Action { name: "DescribeSecurityGroupRules", run: describe_security_group_rules::run },
    Action {
        name: "DescribeSecurityGroupVpcAssociations",
        run: describe_security_group_vpc_associations::run,
    },
    Action { name: "DescribeSecurityGroups", run: describe_security_groups::run },
    Action { name: "DescribeStaleSecurityGroups", run: describe_stale_security_groups::run },
    Action { name: "DescribeSubnets", run: describe_subnets::run },
    Action { name: "DescribeTags", run: describe_tags::run },
    Action { name: "DescribeTransitGatewayAttachments", run: describe_transit_gateway_attachments::run },
    Action { name: "DescribeTransitGateways", run: describe_transit_gateways::run },
    Action { name: "DescribeVpcAttribute", run: describe_vpc_attribute::run },
    Action { name: "DescribeVpcClassicLink", run: describe_vpc_classic_link::run },
    Action { name: "DescribeVpcEndpoints", run: describe_vpc_endpoints::run },
    Action { name: "DescribeVpcPeeringConnections", run: describe_vpc_peering_connections::run },
    Action { name: "DescribeVpcs", run: describe_vpcs::run },
    Action { name: "DescribeVpnGateways", run: describe_vpn_gateways::run },
    Action { name: "DetachNetworkInterface", run: detach_network_interface::run },
    Action { name: "DisassociateSubnetCidrBlock", run: disassociate_subnet_cidr_block::run },
    Action { name: "DisassociateVpcCidrBlock", run: disassociate_vpc_cidr_block::run },
    Action { name: "GetFlowLogsIntegrationTemplate", run: get_flow_logs_integration_template::run },
    Action { name: "GetManagedPrefixListAssociations", run: get_managed_prefix_list_associations::run },
    Action { name: "GetManagedPrefixListEntries", run: get_managed_prefix_list_entries::run },
    Action { name: "ModifyAvailabilityZoneGroup", run: modify_availability_zone_group::run },
    Action { name: "ModifyManagedPrefixList", run: modify_managed_prefix_list::run },
    Action { name: "ModifyNetworkInterfaceAttribute", run: modify_network_interface_attribute::run },
    Action { name: "ModifySecurityGroupRules", run: modify_security_group_rules::run },
    Action { name: "ModifySubnetAttribute", run: modify_subnet_attribute::run },
    Action { name: "ModifyVpcAttribute", run: modify_vpc_attribute::run },
    Action { name: "ModifyVpcTenancy", run: modify_vpc_tenancy::run },
    Action { name: "ReplaceNetworkAclAssociation", run: replace_network_acl_association::run },
    Action { name: "ReplaceNetworkAclEntry", run: replace_network_acl_entry::run },
    Action { name: "ResetNetworkInterfaceAttribute", run: reset_network_interface_attribute::run },
    Action { name: "RestoreManagedPrefixListVersion", run: restore_managed_prefix_list_version::run },
    Action { name: "RevokeSecurityGroupEgress", run: revoke_security_group_egress::run },
    Action { name: "RevokeSecurityGroupIngress", run: revoke_security_group_ingress::run },
    Action { name: "UnassignIpv6Addresses", run: unassign_ipv6_addresses::run },
    Action { name: "UnassignPrivateIpAddresses", run: unassign_private_ip_addresses::run },
    Action {
        name: "UpdateSecurityGroupRuleDescriptionsEgress",
        run: update_security_group_rule_descriptions_egress::run,
    },
    Action {
        name: "UpdateSecurityGroupRuleDescriptionsIngress",
        run: update_security_group_rule_descriptions_ingress::run,
    },
];

/// The API version that clients send.
pub const VERSION: &str = "2016-11-15";

/// The namespace of answers.
pub const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// `<return>true</return>`: the answer of actions without output.
pub fn done() -> Xml {
    let mut xml = Xml::new();
    xml.text("return", true);
    xml
}

#[cfg(test)]
mod address_tests;
#[cfg(test)]
mod attribute_tests;
#[cfg(test)]
mod cidr_tests;
#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
mod rule_edit_tests;
#[cfg(test)]
mod security_tests;
