//! The rows. A new field is a new row here, and nothing anywhere else.
//!
//! ```text
//! Variant "name" version Kind Family (never | null: may `-` stand for it?)
//!     "meaning" => getter;
//! ```
//!
//! Invariant: a getter that reads the flow is null for NODATA and SKIPDATA; one
//! that reads the interface's facts is not (VPC user guide, "No data and
//! skipped records").

use super::{Family, Kind, Row};
use crate::value::Value;

/// `name` with underscores in place of hyphens, `N` bytes long.
const fn underscored<const N: usize>(name: &str) -> [u8; N] {
    let mut column = [0; N];
    let mut i = 0;
    while i < N {
        column[i] = match name.as_bytes()[i] {
            b'-' => b'_',
            other => other,
        };
        i += 1;
    }
    column
}

macro_rules! nullable {
    (null) => {
        true
    };
    (never) => {
        false
    };
}

macro_rules! fields {
    ($($variant:ident $name:literal $version:literal $kind:ident $family:ident $null:ident
        $meaning:literal => $get:expr;)*) => {
        /// A field of flow log records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field {
            $(#[doc = $meaning] $variant,)*
        }

        impl Field {
            /// Every field, in the order of the versions.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub(super) fn row(self) -> &'static Row {
                &ROWS[self as usize]
            }
        }

        static ROWS: [Row; Field::ALL.len()] = [$(Row {
            name: $name,
            column: {
                const COLUMN: [u8; $name.len()] = underscored($name);
                match std::str::from_utf8(&COLUMN) {
                    Ok(column) => column,
                    Err(_) => panic!("a field's name is not ASCII"),
                }
            },
            version: $version,
            kind: Kind::$kind,
            family: Family::$family,
            nullable: nullable!($null),
            meaning: $meaning,
            get: $get,
        },)*];
    };
}

fields! {
    // Version 2: the default format, in its order.
    Version "version" 2 Int32 Both never
        "Version of the record: the highest version among the fields of its format."
            => |_, version| Value::Int(version.into());
    AccountId "account-id" 2 Text Both never
        "Account that owns the network interface; `unknown` for some interfaces that AWS services made."
            => |r, _| Value::Text(&r.facts.account);
    InterfaceId "interface-id" 2 Text Vpc null
        "Network interface whose traffic is recorded."
            => |r, _| Value::Text(r.facts.interface.as_str());
    SrcAddr "srcaddr" 2 Address Both null
        "Source address; on egress the primary IPv4 address of the interface stands for every local one."
            => |r, _| r.src_addr();
    DstAddr "dstaddr" 2 Address Both null
        "Destination address; on ingress the primary IPv4 address of the interface stands for every local one."
            => |r, _| r.dst_addr();
    SrcPort "srcport" 2 Port Both null
        "Source port; 0 for protocols without ports."
            => |r, _| r.flow(|s| Value::Int(s.src_port.into()));
    DstPort "dstport" 2 Port Both null
        "Destination port; 0 for protocols without ports."
            => |r, _| r.flow(|s| Value::Int(s.dst_port.into()));
    Protocol "protocol" 2 Protocol Both null
        "IANA protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6."
            => |r, _| r.flow(|s| Value::Int(s.protocol.0.into()));
    Packets "packets" 2 Int64 Both null
        "Packets of the flow in the window."
            => |r, _| r.flow(|s| Value::count(s.packets));
    Bytes "bytes" 2 Int64 Both null
        "Bytes of the flow's IP datagrams in the window."
            => |r, _| r.flow(|s| Value::count(s.bytes));
    Start "start" 2 Int64 Both never
        "First packet of the flow in the window, Unix seconds."
            => |r, _| Value::Int(r.start_s);
    End "end" 2 Int64 Both never
        "Last packet of the flow in the window, Unix seconds."
            => |r, _| Value::Int(r.end_s);
    Action "action" 2 Text Vpc null
        "`ACCEPT` or `REJECT` by security groups and network ACLs together."
            => |r, _| r.flow(|s| Value::Text(s.action.as_str()));
    LogStatus "log-status" 2 Text Both never
        "`OK`; `NODATA`: no traffic in the window; `SKIPDATA`: some records of the window were lost."
            => |r, _| Value::Text(r.log_status().as_str());

    // Version 3.
    VpcId "vpc-id" 3 Text Vpc null
        "VPC that holds the interface."
            => |r, _| Value::text(r.facts.vpc.as_ref().map(|id| id.as_str()));
    SubnetId "subnet-id" 3 Text Vpc null
        "Subnet that holds the interface."
            => |r, _| Value::text(r.facts.subnet.as_ref().map(|id| id.as_str()));
    InstanceId "instance-id" 3 Text Vpc null
        "Instance that the interface is attached to."
            => |r, _| Value::text(r.facts.instance.as_ref().map(|id| id.as_str()));
    TcpFlags "tcp-flags" 3 Int32 Both null
        "TCP flags of all packets OR-ed: FIN 1, SYN 2, RST 4, SYN-ACK 18."
            => |r, _| r.tcp_flags();
    Type "type" 3 Text Both null
        "`IPv4`, `IPv6` or `EFA`."
            => |r, _| r.ip_type();
    PktSrcAddr "pkt-srcaddr" 3 Address Vpc null
        "Source address as it stands in the packet."
            => |r, _| r.flow(|s| Value::Ip(s.src));
    PktDstAddr "pkt-dstaddr" 3 Address Vpc null
        "Destination address as it stands in the packet."
            => |r, _| r.flow(|s| Value::Ip(s.dst));

    // Version 4.
    Region "region" 4 Text Both null
        "Region of the interface."
            => |r, _| Value::text(Some(&r.facts.region));
    AzId "az-id" 4 Text Vpc null
        "Id of the Availability Zone, not its name."
            => |r, _| Value::text(r.facts.az_id.as_deref());
    SublocationType "sublocation-type" 4 Text Vpc null
        "`wavelength`, `outpost` or `localzone`." => unknown;
    SublocationId "sublocation-id" 4 Text Vpc null
        "Id of the sublocation." => unknown;

    // Version 5.
    PktSrcAwsService "pkt-src-aws-service" 5 Text Both null
        "AWS service whose address range holds pkt-srcaddr."
            => |r, _| r.aws_service(|s| s.src);
    PktDstAwsService "pkt-dst-aws-service" 5 Text Both null
        "AWS service whose address range holds pkt-dstaddr."
            => |r, _| r.aws_service(|s| s.dst);
    FlowDirection "flow-direction" 5 Text Both null
        "`ingress` or `egress`, seen from the interface."
            => |r, _| r.flow(|s| Value::Text(s.direction.as_str()));
    TrafficPath "traffic-path" 5 Int32 Vpc null
        "Way that egress traffic takes: 1 inside the VPC, 2 to 8 its gateways and peerings."
            => |r, _| r.traffic_path();

    // Version 6: transit gateways only, which a host does not record.
    ResourceType "resource-type" 6 Text TransitGateway null
        "`TransitGateway` or `TransitGatewayAttachment`." => unknown;
    TgwId "tgw-id" 6 Text TransitGateway null
        "Transit gateway whose traffic is recorded." => unknown;
    TgwAttachmentId "tgw-attachment-id" 6 Text TransitGateway null
        "Attachment of the transit gateway." => unknown;
    TgwSrcVpcAccountId "tgw-src-vpc-account-id" 6 Text TransitGateway null
        "Account of the source VPC." => unknown;
    TgwDstVpcAccountId "tgw-dst-vpc-account-id" 6 Text TransitGateway null
        "Account of the destination VPC." => unknown;
    TgwSrcVpcId "tgw-src-vpc-id" 6 Text TransitGateway null
        "The source VPC." => unknown;
    TgwDstVpcId "tgw-dst-vpc-id" 6 Text TransitGateway null
        "The destination VPC." => unknown;
    TgwSrcSubnetId "tgw-src-subnet-id" 6 Text TransitGateway null
        "Subnet of the source attachment." => unknown;
    TgwDstSubnetId "tgw-dst-subnet-id" 6 Text TransitGateway null
        "Subnet of the destination attachment." => unknown;
    TgwSrcEni "tgw-src-eni" 6 Text TransitGateway null
        "Interface of the source attachment." => unknown;
    TgwDstEni "tgw-dst-eni" 6 Text TransitGateway null
        "Interface of the destination attachment." => unknown;
    TgwSrcAzId "tgw-src-az-id" 6 Text TransitGateway null
        "Availability Zone id of the source attachment." => unknown;
    TgwDstAzId "tgw-dst-az-id" 6 Text TransitGateway null
        "Availability Zone id of the destination attachment." => unknown;
    TgwPairAttachmentId "tgw-pair-attachment-id" 6 Text TransitGateway null
        "Attachment at the other end of the flow." => unknown;
    PacketsLostNoRoute "packets-lost-no-route" 6 Int64 TransitGateway null
        "Packets lost for want of a route." => unknown;
    PacketsLostBlackhole "packets-lost-blackhole" 6 Int64 TransitGateway null
        "Packets lost to a blackhole route." => unknown;
    PacketsLostMtuExceeded "packets-lost-mtu-exceeded" 6 Int64 TransitGateway null
        "Packets lost because they were larger than the MTU." => unknown;
    PacketsLostTtlExpired "packets-lost-ttl-expired" 6 Int64 TransitGateway null
        "Packets lost because their time to live ran out." => unknown;

    // Version 7: Amazon ECS tasks.
    EcsClusterArn "ecs-cluster-arn" 7 Text Vpc null
        "ARN of the ECS cluster of the task."
            => |r, _| r.task(|task| &task.cluster_arn);
    EcsClusterName "ecs-cluster-name" 7 Text Vpc null
        "Name of the ECS cluster of the task."
            => |r, _| r.task(|task| &task.cluster_name);
    EcsContainerInstanceArn "ecs-container-instance-arn" 7 Text Vpc null
        "ARN of the ECS container instance; none on Fargate." => unknown;
    EcsContainerInstanceId "ecs-container-instance-id" 7 Text Vpc null
        "Id of the ECS container instance; none on Fargate." => unknown;
    EcsContainerId "ecs-container-id" 7 Text Vpc null
        "Runtime id of the task's first container."
            => |r, _| r.task(|task| &task.container_id);
    EcsSecondContainerId "ecs-second-container-id" 7 Text Vpc null
        "Runtime id of the task's second container."
            => |r, _| r.task(|task| &task.second_container_id);
    EcsServiceName "ecs-service-name" 7 Text Vpc null
        "ECS service that started the task." => unknown;
    EcsTaskDefinitionArn "ecs-task-definition-arn" 7 Text Vpc null
        "ARN of the ECS task definition."
            => |r, _| r.task(|task| &task.task_definition_arn);
    EcsTaskArn "ecs-task-arn" 7 Text Vpc null
        "ARN of the running ECS task."
            => |r, _| r.task(|task| &task.task_arn);
    EcsTaskId "ecs-task-id" 7 Text Vpc null
        "Id of the running ECS task."
            => |r, _| r.task(|task| &task.task_id);

    // Versions 8, 9 and 10.
    RejectReason "reject-reason" 8 Text Vpc null
        "`BPA` (Block Public Access) or `EC` (encryption controls); nothing for other rejects." => unknown;
    ResourceId "resource-id" 9 Text Vpc null
        "Id of the regional NAT gateway." => unknown;
    EncryptionStatus "encryption-status" 10 Int32 Vpc null
        "0 not encrypted, 1 by Nitro, 2 by the application, 3 by both." => unknown;

    // Version 11.
    InstanceTag "instance-tag" 11 Text Vpc null
        "Value of the instance's first chosen tag, percent-encoded."
            => |r, _| Value::text(r.facts.around.tags.instance[0].as_deref());
    InstanceTag2 "instance-tag-2" 11 Text Vpc null
        "Value of the instance's second chosen tag, percent-encoded."
            => |r, _| Value::text(r.facts.around.tags.instance[1].as_deref());
    InterfaceTag "interface-tag" 11 Text Vpc null
        "Value of the interface's first chosen tag, percent-encoded."
            => |r, _| Value::text(r.facts.around.tags.interface[0].as_deref());
    InterfaceTag2 "interface-tag-2" 11 Text Vpc null
        "Value of the interface's second chosen tag, percent-encoded."
            => |r, _| Value::text(r.facts.around.tags.interface[1].as_deref());
    AsgTag "asg-tag" 11 Text Vpc null
        "Value of the Auto Scaling group's first chosen tag, percent-encoded." => unknown;
    AsgTag2 "asg-tag-2" 11 Text Vpc null
        "Value of the Auto Scaling group's second chosen tag, percent-encoded." => unknown;
    InterfaceType "interface-type" 11 Text Vpc null
        "`nat_gateway`, `network_load_balancer`, `regional_nat_gateway`, `transit_gateway` or `vpc_endpoint`." => unknown;
    NextHopInterfaceId "next-hop-interface-id" 11 Text Vpc null
        "Egress: interface that receives the packet next; ingress: the one that sent it."
            => |r, _| r.next_hop(|hop| hop.interface.as_str());
    NextHopSubnetId "next-hop-subnet-id" 11 Text Vpc null
        "Subnet of the next-hop interface."
            => |r, _| r.next_hop(|hop| hop.subnet.as_str());
    NextHopAzId "next-hop-az-id" 11 Text Vpc null
        "Availability Zone id of the next-hop interface."
            => |r, _| r.next_hop(|hop| &hop.az_id);
    NextHopVpcId "next-hop-vpc-id" 11 Text Vpc null
        "VPC of the next-hop interface."
            => |r, _| r.next_hop(|hop| hop.vpc.as_str());
    NextHopInterfaceType "next-hop-interface-type" 11 Text Vpc null
        "Type of the next-hop interface, as in interface-type." => unknown;

    // Weir's own: 0, so that they raise no format's version.
    WeirDecidingRule "weir-deciding-rule" 0 Text Vpc null
        "Rule that decided: `sg-…/sgr-…`, `network-acl/NUMBER`, `network-acl/*`; of a tracked flow the rule that began it, or `tracked`; `related`."
            => |r, _| r.flow(|s| s.decision.rule(&r.facts.rules));
    WeirRejectReason "weir-reject-reason" 0 Text Vpc null
        "Why REJECT: `network-acl-rule`, `network-acl-default`, `no-security-group-rule`, `after-close`, or `host-firewall:` and the kernel's drop reason."
            => |r, _| r.flow(|s| s.decision.reject_reason());
    WeirSkippedPackets "weir-skipped-packets" 0 Int64 Vpc null
        "Of a SKIPDATA record: packets of the window that are in no record because the flow table was full."
            => |r, _| r.skipped(|packets, _, _| packets);
    WeirSkippedBytes "weir-skipped-bytes" 0 Int64 Vpc null
        "Of a SKIPDATA record: bytes of those packets' IP datagrams."
            => |r, _| r.skipped(|_, bytes, _| bytes);
    WeirSkippedFlows "weir-skipped-flows" 0 Int64 Vpc null
        "Of a SKIPDATA record: flows that those packets were of, an estimate within about a tenth."
            => |r, _| r.skipped(|_, _, flows| flows);
}

/// What a host has no way to learn.
fn unknown<'a>(_: &crate::record::Record<'a>, _: u8) -> Value<'a> {
    Value::Null
}
