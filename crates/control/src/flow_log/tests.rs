use super::*;
use crate::network_interface::{self, CreateNetworkInterface};
use crate::subnet::Subnet;
use crate::test_world::World;
use crate::vpc::Vpc;
use weir_flow::format::LogFormat;

const ROLE: &str = "arn:aws:iam::123456789012:role/flows";
const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:flows";

/// A request that succeeds, for the resource with this id.
fn good(kind: &str, ids: &[&str]) -> CreateFlowLogs {
    CreateFlowLogs {
        resource_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        resource_type: Some(kind.to_owned()),
        traffic_type: Some("ALL".to_owned()),
        log_group_name: Some("flows".to_owned()),
        deliver_logs_permission_arn: Some(ROLE.to_owned()),
        ..CreateFlowLogs::default()
    }
}

/// A world with the default VPC; its id and that of one of its subnets.
fn world() -> (World, String, String) {
    let world = World::new();
    let ids = world.run(|cx| {
        region::ensure(cx)?;
        let (vpcs, subnets) = (cx.tx.list::<Vpc>(cx.scope)?, cx.tx.list::<Subnet>(cx.scope)?);
        Ok((vpcs[0].id.to_string(), subnets[0].id.to_string()))
    });
    let (vpc, subnet) = ids.unwrap();
    (world, vpc, subnet)
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn what_is_asked_for_is_what_is_kept() {
    let (world, vpc, subnet) = world();
    world
        .run(|cx| {
            let request = CreateNetworkInterface { subnet_id: subnet.clone(), ..Default::default() };
            let interface = network_interface::create(cx, &request)?;
            for (kind, id) in
                [("VPC", vpc.as_str()), ("Subnet", &subnet), ("NetworkInterface", interface.id.as_str())]
            {
                let made = create(cx, &good(kind, &[id]))?;
                let found = select(cx, &[made.flow_log_ids[0].as_str()])?;
                assert_eq!(found[0].resource, id);
                assert_eq!(found[0].config.log_format, LogFormat::DEFAULT);
                assert_eq!(found[0].config.max_aggregation_interval_s, 600);
            }
            let made = create(
                cx,
                &CreateFlowLogs {
                    traffic_type: some("REJECT"),
                    log_group_name: None,
                    log_destination: some("arn:aws:logs:us-east-1:123456789012:log-group:/a/b:*"),
                    log_format: some("${srcaddr} ${interface-tag}"),
                    max_aggregation_interval_s: Some(60),
                    tag_fields: vec![TagFieldRequest {
                        resource_type: "network-interface".into(),
                        tag_keys: vec!["Name".into()],
                    }],
                    tags: vec![("k".into(), "v".into())],
                    ..good("VPC", &[&vpc, &vpc])
                },
            )?;
            assert_eq!((made.flow_log_ids.len(), made.unsuccessful), (1, vec![]));
            let id = made.flow_log_ids[0].as_str();
            let config = &select(cx, &[id])?[0].config;
            let LogDestination::CloudWatchLogs { log_group, arn, role, .. } = &config.destination else {
                panic!()
            };
            assert_eq!((log_group.as_str(), role.to_string().as_str()), ("/a/b", ROLE));
            assert_eq!(arn.as_deref(), Some("arn:aws:logs:us-east-1:123456789012:log-group:/a/b:*"));
            assert_eq!(config.max_aggregation_interval_s, 60);
            assert_eq!(config.tag_fields[0].keys, ["Name"]);
            assert_eq!(crate::tags::of(cx, id)?, [("k".to_owned(), "v".to_owned())]);
            Ok(())
        })
        .unwrap();
}

#[test]
fn requests_that_cannot_be_met_say_why() {
    let (world, vpc, subnet) = world();
    let good = || good("VPC", &[&vpc]);
    let by_arn = |arn: &str| CreateFlowLogs { log_group_name: None, log_destination: some(arn), ..good() };
    let to_s3 = || CreateFlowLogs {
        log_destination_type: some("s3"),
        deliver_logs_permission_arn: None,
        ..by_arn("arn:aws:s3:::bucket")
    };
    let tags_of = |kind: &str, keys: &[&str]| CreateFlowLogs {
        tag_fields: vec![TagFieldRequest {
            resource_type: kind.into(),
            tag_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        }],
        ..good()
    };
    for (request, expected) in [
        (
            CreateFlowLogs { resource_ids: vec![], ..good() },
            "MissingParameter: The request must include the ResourceIds parameter. Add the required parameter and retry the request.",
        ),
        (
            CreateFlowLogs { resource_ids: vec![vpc.clone(); 301], ..good() },
            "InvalidParameterValue: ResourceIds must",
        ),
        (
            CreateFlowLogs { resource_type: None, ..good() },
            "MissingParameter: The request must include the ResourceType",
        ),
        (CreateFlowLogs { resource_type: some("Vpc"), ..good() }, "InvalidParameterValue: Value (Vpc)"),
        (
            CreateFlowLogs { resource_type: some("TransitGateway"), ..good() },
            "InvalidParameter: TrafficType is not applicable for ResourceType TransitGateway",
        ),
        (
            CreateFlowLogs { traffic_type: None, ..good() },
            "MissingParameter: The request must include the TrafficType",
        ),
        (CreateFlowLogs { traffic_type: some("all"), ..good() }, "InvalidParameterValue: Value (all)"),
        (
            CreateFlowLogs { max_aggregation_interval_s: Some(61), ..good() },
            "InvalidParameter: Invalid Flow Log Max Aggregation Interval",
        ),
        (
            CreateFlowLogs { log_group_name: None, ..good() },
            "InvalidParameter: LogDestination can't be empty if LogGroupName is not provided.",
        ),
        (
            CreateFlowLogs { log_destination: some(GROUP), ..good() },
            "InvalidParameter: Please only provide LogGroupName or only provide LogDestination.",
        ),
        (
            CreateFlowLogs { deliver_logs_permission_arn: None, ..good() },
            "InvalidParameter: DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
        ),
        (
            CreateFlowLogs { deliver_logs_permission_arn: some("flows"), ..good() },
            "InvalidParameter: DeliverLogsPermissionArn: 'flows'",
        ),
        (
            CreateFlowLogs {
                deliver_logs_permission_arn: some("arn:aws:iam::123456789012:user/me"),
                ..good()
            },
            "InvalidParameter: DeliverLogsPermissionArn: 'arn:aws:iam::123456789012:user/me' is not the ARN of a role",
        ),
        (
            CreateFlowLogs {
                deliver_logs_permission_arn: some("arn:aws:iam::210987654321:role/flows"),
                ..good()
            },
            "InvalidParameter: DeliverLogsPermissionArn: 'arn:aws:iam::210987654321:role/flows' is not a role of account",
        ),
        (
            CreateFlowLogs { log_group_name: some("a b"), ..good() },
            "InvalidParameter: LogGroupName 'a b' is invalid",
        ),
        (
            by_arn("arn:aws:s3:::bucket"),
            "InvalidParameter: LogDestination: arn:aws:s3:::bucket is not the ARN of a log group",
        ),
        (by_arn("flows"), "InvalidParameter: LogDestination: flows is not the ARN of a log group"),
        (
            by_arn("arn:aws:logs:eu-west-1:123456789012:log-group:flows"),
            "InvalidParameter: LogDestination: arn:aws:logs:eu-west-1:123456789012:log-group:flows is not a log group of account 123456789012 in us-east-1",
        ),
        (
            CreateFlowLogs { destination_options: Some(Default::default()), ..good() },
            "InvalidParameter: DestinationOptions can only be provided if LogDestinationType is s3.",
        ),
        (
            CreateFlowLogs { log_destination_type: some("s3"), ..good() },
            "InvalidParameter: LogDestination type must be cloud-watch-logs if LogGroupName is provided.",
        ),
        (
            CreateFlowLogs { deliver_logs_permission_arn: some(ROLE), ..to_s3() },
            "InvalidParameter: DeliverLogsPermissionArn is not applicable for s3 delivery",
        ),
        (
            CreateFlowLogs { log_destination: None, ..to_s3() },
            "InvalidParameter: LogDestination can't be empty if LogGroupName is not provided.",
        ),
        (
            CreateFlowLogs { log_destination_type: some("paper"), ..good() },
            "InvalidParameterValue: Value (paper)",
        ),
        (
            CreateFlowLogs { log_format: some("${srcaddr} "), ..good() },
            "InvalidParameterValue: 1 validation error detected: Value '${srcaddr} ' at 'logFormat' has an invalid format",
        ),
        (
            CreateFlowLogs { log_format: some("${weather}"), ..good() },
            "InvalidParameterValue: 1 validation error",
        ),
        (
            CreateFlowLogs { log_format: some("${tgw-id}"), ..good() },
            "InvalidParameterValue: 1 validation error",
        ),
        (tags_of("instance", &[]), "InvalidParameterValue: TagKeys of instance"),
        (tags_of("instance", &["a", "b", "c"]), "InvalidParameterValue: TagKeys of instance"),
        (tags_of("vpc", &["a"]), "InvalidParameterValue: Value (vpc)"),
        (
            CreateFlowLogs { resource_ids: vec!["vpc-00000000000000001".into()], ..good() },
            "InvalidVpcID.NotFound: The vpc ID 'vpc-00000000000000001' does not exist",
        ),
        (
            CreateFlowLogs { resource_ids: vec![subnet.clone()], ..good() },
            "InvalidVpcID.Malformed: Invalid id",
        ),
        (
            CreateFlowLogs {
                resource_type: some("Subnet"),
                resource_ids: vec!["subnet-00000000000000001".into()],
                ..good()
            },
            "InvalidSubnetID.NotFound: The subnet ID",
        ),
        (
            CreateFlowLogs {
                resource_type: some("NetworkInterface"),
                resource_ids: vec!["eni-00000000000000001".into()],
                ..good()
            },
            "InvalidNetworkInterfaceID.NotFound: The networkInterface ID",
        ),
    ] {
        let fault = world.fault(|cx| create(cx, &request));
        assert!(fault.starts_with(expected), "{fault}\nexpected {expected}");
    }
    assert_eq!(world.run(|cx| select(cx, &[])).unwrap(), []);
}

#[test]
fn the_same_flow_log_is_not_made_twice() {
    let (world, vpc, _) = world();
    world.run(|cx| create(cx, &good("VPC", &[&vpc]))).unwrap();
    let by_arn =
        CreateFlowLogs { log_group_name: None, log_destination: some(GROUP), ..good("VPC", &[&vpc]) };
    for (request, expected) in [
        (good("VPC", &[&vpc]), "FlowLogAlreadyExists"),
        (by_arn, "FlowLogAlreadyExists"),
        (CreateFlowLogs { traffic_type: some("REJECT"), ..good("VPC", &[&vpc]) }, "ok"),
        (CreateFlowLogs { log_group_name: some("other"), ..good("VPC", &[&vpc]) }, "ok"),
        (CreateFlowLogs { log_format: some("${srcaddr}"), ..good("VPC", &[&vpc]) }, "ok"),
        (CreateFlowLogs { max_aggregation_interval_s: Some(60), ..good("VPC", &[&vpc]) }, "ok"),
    ] {
        let fault = world.fault(|cx| create(cx, &request));
        assert!(fault.starts_with(expected), "{fault}: {request:?}");
    }
    for n in 5..250 {
        let request = CreateFlowLogs { log_group_name: Some(format!("g{n}")), ..good("VPC", &[&vpc]) };
        world.run(|cx| create(cx, &request)).unwrap();
    }
    let one_more = CreateFlowLogs { log_group_name: some("last"), ..good("VPC", &[&vpc]) };
    assert!(world.fault(|cx| create(cx, &one_more)).starts_with("FlowLogsLimitExceeded"));
}

#[test]
fn a_request_succeeds_as_far_as_it_can_and_only_once_per_token() {
    let (world, vpc, _) = world();
    let unknown = "vpc-00000000000000001";
    world
        .run(|cx| {
            let request = CreateFlowLogs {
                client_token: some("t"),
                ..good("VPC", &[unknown, &vpc, "vpc-00000000000000002"])
            };
            let made = create(cx, &request)?;
            assert_eq!(made.flow_log_ids.len(), 1);
            let failed: Vec<(&str, &str)> = made
                .unsuccessful
                .iter()
                .map(|item| (item.resource_id.as_str(), item.code.as_str()))
                .collect();
            assert_eq!(
                failed,
                [(unknown, "InvalidVpcID.NotFound"), ("vpc-00000000000000002", "InvalidVpcID.NotFound")]
            );
            assert_eq!(create(cx, &request)?, made);
            let other = CreateFlowLogs { traffic_type: some("REJECT"), ..request };
            let mismatch = create(cx, &other).unwrap_err().to_string();
            assert!(mismatch.starts_with("IdempotentParameterMismatch"), "{mismatch}");
            assert_eq!(select(cx, &[])?.len(), 1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn deleting_takes_those_that_are_there() {
    let (world, vpc, _) = world();
    let made = world.run(|cx| create(cx, &good("VPC", &[&vpc]))).unwrap();
    let (id, unknown) = (made.flow_log_ids[0].as_str(), "fl-00000000000000001");
    let malformed = "InvalidParameterValue: 1 validation error detected: Value 'fl-x' at 'flowLogId'";
    assert!(world.fault(|cx| delete(cx, &[id, "fl-x"])).starts_with(malformed));
    assert!(world.fault(|cx| select(cx, &["fl-x"])).starts_with(malformed));
    assert_eq!(
        world.fault(|cx| select(cx, &[id, unknown])),
        "InvalidFlowLogId.NotFound: These flow log ids in the input list are not found: [TotalCount: 1] \
         fl-00000000000000001"
    );
    for ids in [[id, unknown], [unknown, unknown]] {
        let left = world.run(|cx| delete(cx, &ids)).unwrap();
        let left: Vec<_> = left.iter().map(|item| (item.resource_id.as_str(), item.code.as_str())).collect();
        assert_eq!(left, [(unknown, "InvalidFlowLogId.NotFound")]);
    }
    assert_eq!(world.run(|cx| select(cx, &[])).unwrap(), []);
}

#[test]
fn delivery_status_is_written_when_it_changes() {
    let (world, vpc, _) = world();
    let id = world.run(|cx| create(cx, &good("VPC", &[&vpc]))).unwrap().flow_log_ids.remove(0);
    let gone: FlowLogId = "fl-00000000000000001".parse().unwrap();
    for (id, outcome, writes) in [
        (&id, Ok(()), 0),
        (&id, Err(DeliveryError::AccessError), 1),
        (&id, Err(DeliveryError::AccessError), 0),
        (&id, Err(DeliveryError::RateLimited), 1),
        (&id, Ok(()), 1),
        (&gone, Err(DeliveryError::UnknownError), 0),
    ] {
        let before = world.run(|cx| cx.tx.generation()).unwrap();
        world.run(|cx| set_delivery_status(cx, id, outcome)).unwrap();
        assert_eq!(world.run(|cx| cx.tx.generation()).unwrap() - before, writes, "{outcome:?}");
        let kept = world.run(|cx| select(cx, &[])).unwrap().remove(0).delivery_error;
        assert_eq!(kept, if *id == gone { None } else { outcome.err() });
    }
}

const STREAM: &str = "arn:aws:firehose:us-east-1:123456789012:deliverystream/flows";

#[test]
fn buckets_and_streams_are_checked_whole() {
    let (world, vpc, _) = world();
    let some = |text: &str| Some(text.to_owned());
    let to = |kind: &str, arn: &str| CreateFlowLogs {
        log_group_name: None,
        deliver_logs_permission_arn: None,
        log_destination_type: some(kind),
        log_destination: some(arn),
        ..good("VPC", &[&vpc])
    };
    let s3 = |arn: &str| to("s3", arn);
    let firehose = |arn: &str| to("kinesis-data-firehose", arn);
    let options = |file_format: Option<&str>| {
        let file_format = file_format.map(str::to_owned);
        Some(DestinationOptionsRequest { file_format, ..Default::default() })
    };
    let elsewhere = "arn:aws:firehose:us-east-1:210987654321:deliverystream/flows";
    let lent = "arn:aws:iam::210987654321:role/AWSLogDeliveryFirehoseCrossAccountRoleX";
    for (request, expected) in [
        (s3("arn:aws:s3:::bucket"), "ok"),
        (s3("arn:aws:s3:::bucket/"), "FlowLogAlreadyExists"),
        (CreateFlowLogs { destination_options: options(None), ..s3("arn:aws:s3:::bucket") }, "ok"),
        (s3("arn:aws:s3:::bucket/a/b/"), "ok"),
        (
            s3("arn:aws:s3:::bucket/AWSLogs/"),
            "InvalidParameter: LogDestination: arn:aws:s3:::bucket/AWSLogs/ names",
        ),
        (
            s3("arn:aws:s3:::Bucket"),
            "InvalidParameter: LogDestination: arn:aws:s3:::Bucket is not the ARN of a bucket",
        ),
        (s3("arn:aws:s3:::-b-"), "InvalidParameter: LogDestination: arn:aws:s3:::-b- is not"),
        (
            s3("arn:aws:s3:us-east-1::bucket"),
            "InvalidParameter: LogDestination: arn:aws:s3:us-east-1::bucket is not",
        ),
        (
            s3("arn:aws-cn:s3:::bucket"),
            "InvalidParameter: LogDestination: arn:aws-cn:s3:::bucket is not in the partition aws",
        ),
        (s3("bucket"), "InvalidParameter: LogDestination: bucket is not the ARN of a bucket"),
        (
            CreateFlowLogs { deliver_cross_account_role: some(lent), ..s3("arn:aws:s3:::bucket") },
            "InvalidParameter: DeliverCrossAccountRole is not applicable for s3 delivery",
        ),
        (
            CreateFlowLogs { destination_options: options(Some("csv")), ..s3("arn:aws:s3:::bucket") },
            "InvalidParameterValue: Value (csv) for parameter fileFormat",
        ),
        (CreateFlowLogs { destination_options: options(Some("parquet")), ..s3("arn:aws:s3:::bucket") }, "ok"),
        (firehose(STREAM), "ok"),
        (firehose(STREAM), "FlowLogAlreadyExists"),
        (
            firehose("arn:aws:firehose:us-east-1:123456789012:stream/x"),
            "InvalidParameter: LogDestination: arn",
        ),
        (
            CreateFlowLogs { destination_options: options(None), ..firehose(STREAM) },
            "InvalidParameter: DestinationOptions can only",
        ),
        (
            CreateFlowLogs { log_destination: None, ..firehose(STREAM) },
            "InvalidParameter: LogDestination can't",
        ),
        (firehose(elsewhere), "InvalidParameter: When providing a role for cross-account delivery, both"),
        (
            CreateFlowLogs { deliver_logs_permission_arn: some(ROLE), ..firehose(elsewhere) },
            "InvalidParameter: When providing a role for cross-account delivery, both",
        ),
        (
            CreateFlowLogs {
                deliver_logs_permission_arn: some(ROLE),
                deliver_cross_account_role: some("arn:aws:iam::210987654321:role/other"),
                ..firehose(elsewhere)
            },
            "InvalidParameter: DeliverCrossAccountRole: 'arn:aws:iam::210987654321:role/other' must be",
        ),
        (
            CreateFlowLogs {
                deliver_logs_permission_arn: some(ROLE),
                deliver_cross_account_role: some(lent),
                ..firehose(elsewhere)
            },
            "ok",
        ),
    ] {
        let outcome = world.fault(|cx| create(cx, &request));
        assert!(outcome.starts_with(expected), "{request:?}: {outcome}");
    }
    let orders = world.run(|cx| crate::orders::orders(cx.tx)).unwrap();
    let mut places: Vec<String> = orders
        .flow_logs
        .into_iter()
        .map(|order| match order.destination {
            weir_types::orders::Destination::S3 { bucket, prefix, file_format, .. } => {
                format!("{bucket} '{prefix}' {}", file_format.as_str())
            }
            weir_types::orders::Destination::KinesisDataFirehose { stream, roles } => {
                let roles: Vec<&str> = roles.iter().map(|role| role.resource.as_str()).collect();
                format!("{} {}", stream.account, roles.join(", "))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "123456789012 role/aws-service-role/delivery.logs.amazonaws.com/AWSServiceRoleForLogDelivery",
            "210987654321 role/flows, role/AWSLogDeliveryFirehoseCrossAccountRoleX",
            "bucket '' parquet",
            "bucket '' plain-text",
            "bucket '' plain-text",
            "bucket 'a/b/' plain-text",
        ]
    );
}

#[test]
fn what_weir_does_not_have_is_refused_after_its_parameters() {
    let (world, ..) = world();
    let ask = |kind: &str, traffic: Option<&str>, interval| CreateFlowLogs {
        traffic_type: traffic.map(str::to_owned),
        max_aggregation_interval_s: interval,
        ..good(kind, &["tgw-00000000000000001"])
    };
    for (request, expected) in [
        (
            ask("TransitGateway", None, None),
            "UnsupportedOperation: ResourceType TransitGateway is not supported",
        ),
        (
            ask("TransitGatewayAttachment", None, Some(60)),
            "UnsupportedOperation: ResourceType TransitGatewayAttachment",
        ),
        (ask("TransitGateway", Some("ALL"), None), "InvalidParameter: TrafficType is not applicable"),
        (ask("TransitGateway", None, Some(600)), "InvalidParameter: MaxAggregationInterval must be 60"),
        (
            CreateFlowLogs { resource_ids: vec!["tgw-1".into(); 26], ..ask("CoreNetwork", None, None) },
            "InvalidParameterValue: ResourceIds must have at most 25",
        ),
        (
            ask("RegionalNatGateway", Some("ALL"), None),
            "UnsupportedOperation: ResourceType RegionalNatGateway",
        ),
        (ask("Moon", Some("ALL"), None), "InvalidParameterValue: Value (Moon)"),
    ] {
        let outcome = world.fault(|cx| create(cx, &request));
        assert!(outcome.starts_with(expected), "{request:?}: {outcome}");
    }
}
