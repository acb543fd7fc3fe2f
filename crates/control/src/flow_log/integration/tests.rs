use super::*;
use crate::flow_log::{CreateFlowLogs, DestinationOptionsRequest, create};
use crate::test_world::{World, text, vpc};

const BUCKET: &str = "arn:aws:s3:::logs/site/";

fn flow_log(cx: Cx<'_>, format: &str, file_format: &str, hive: bool) -> Result<String> {
    let vpc = vpc(cx, false, "")?;
    let some = |text: &str| Some(text.to_owned());
    let request = CreateFlowLogs {
        resource_ids: vec![vpc.id.to_string()],
        resource_type: some("VPC"),
        traffic_type: some("ALL"),
        log_destination_type: some("s3"),
        log_destination: some(BUCKET),
        log_format: some(format),
        destination_options: Some(DestinationOptionsRequest {
            file_format: some(file_format),
            hive_compatible_partitions: Some(hive),
            per_hour_partition: Some(hive),
        }),
        ..CreateFlowLogs::default()
    };
    Ok(create(cx, &request)?.flow_log_ids[0].to_string())
}

fn daily() -> Integration {
    Integration {
        result_arn: "arn:aws:s3:::results".into(),
        frequency: "daily".into(),
        ..Integration::default()
    }
}

#[test]
fn a_template_has_table_workgroup_and_the_queries_that_fit() {
    World::new()
        .run(|cx| {
            let id = flow_log(cx, "${srcaddr} ${dstaddr} ${bytes} ${action}", "plain-text", false)?;
            let made = template(cx, &id, "arn:aws:s3:::templates/", &[daily()])?;
            let made: Value = serde_json::from_str(&made).unwrap();
            let all = &made["Resources"];
            let name = format!("{}daily", id.replace('-', ""));
            assert_eq!(
                all["VpcFlowLogsAthenaDatabase"]["Properties"]["DatabaseInput"]["Name"],
                format!("vpcflowlogsathenadatabase{}", id.replace('-', ""))
            );
            let table = &all["VpcFlowLogsTable0"]["Properties"]["TableInput"];
            assert_eq!(table["Name"], name);
            assert_eq!(
                table["StorageDescriptor"]["Columns"],
                json!([
                    {"Name": "srcaddr", "Type": "string"}, {"Name": "dstaddr", "Type": "string"},
                    {"Name": "bytes", "Type": "bigint"}, {"Name": "action", "Type": "string"},
                ])
            );
            assert_eq!(
                table["Parameters"]["storage.location.template"],
                "s3://logs/site/AWSLogs/123456789012/vpcflowlogs/us-east-1/${date}"
            );
            assert_eq!(table["Parameters"]["projection.date.range"], "1970/01/01,NOW");
            let workgroup = &all["VpcFlowLogsWorkGroup0"]["Properties"];
            assert_eq!(workgroup["Name"], format!("{name}workgroup"));
            let output = &workgroup["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"];
            assert_eq!(output, "s3://results/");
            let queries: Vec<&str> = all
                .as_object()
                .unwrap()
                .iter()
                .filter(|(_, one)| one["Type"] == "AWS::Athena::NamedQuery")
                .map(|(_, one)| one["Properties"]["Name"].as_str().unwrap())
                .collect();
            assert_eq!(
                queries,
                [
                    "VpcFlowLogsAcceptedTraffic",
                    "VpcFlowLogsRejectedTraffic",
                    "VpcFlowLogsTopTalkers",
                    "VpcFlowLogsTotalBytesTransferred",
                    "VpcFlowLogsTrafficFrmSrcAddr",
                    "VpcFlowLogsTrafficToDstAddr",
                ]
            );
            let sql = all["VpcFlowLogsAcceptedTraffic0"]["Properties"]["QueryString"].as_str().unwrap();
            assert!(sql.contains(&format!(".\"{name}\" WHERE action")), "{sql}");
            Ok(())
        })
        .unwrap();
}

#[test]
fn parquet_by_the_hour_in_hives_layout() {
    World::new()
        .run(|cx| {
            let id = flow_log(cx, "${dstport} ${packets}", "parquet", true)?;
            let days = Integration {
                frequency: "none".into(),
                start: Some(UnixMillis(-200_000_000)),
                end: Some(UnixMillis(-1)),
                ..daily()
            };
            let made = template(cx, &id, "arn:aws:s3:::templates/", &[days, daily()])?;
            let made: Value = serde_json::from_str(&made).unwrap();
            let table = &made["Resources"]["VpcFlowLogsTable0"]["Properties"]["TableInput"];
            assert_eq!(table["Name"], format!("{}none1969122919691231", id.replace('-', "")));
            assert_eq!(table["PartitionKeys"][1]["Name"], "hour");
            let parameters = &table["Parameters"];
            assert_eq!(
                parameters["projection.date.range"],
                "year=1969/month=12/day=29,year=1969/month=12/day=31"
            );
            assert_eq!(
                parameters["storage.location.template"],
                "s3://logs/site/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/${date}/hour=${hour}"
            );
            let format = table["StorageDescriptor"]["InputFormat"].as_str().unwrap();
            assert!(format.ends_with("MapredParquetInputFormat"));
            assert!(made["Resources"]["VpcFlowLogsTable1"].is_object());
            Ok(())
        })
        .unwrap();
}

#[test]
fn requests_that_cannot_be_met_say_why() {
    World::new()
        .run(|cx| {
            let id = flow_log(cx, "${srcaddr}", "plain-text", false)?;
            let (past, future) = (Some(UnixMillis(-1)), Some(UnixMillis(1)));
            let none = |start, end| Integration { frequency: "none".into(), start, end, ..daily() };
            for (config, integrations, expected) in [
                ("arn:aws:s3:::t", vec![daily()], "ok"),
                ("t", vec![daily()], "InvalidParameterValue: Value (t) for parameter ConfigDelivery"),
                ("arn:aws:s3:::t", vec![], "InvalidParameterValue: AthenaIntegrations must"),
                ("arn:aws:s3:::t", vec![daily(); 11], "InvalidParameterValue: AthenaIntegrations must"),
                (
                    "arn:aws:s3:::t",
                    vec![Integration { frequency: "hourly".into(), ..daily() }],
                    "InvalidParameterValue: Value (hourly) for parameter PartitionLoadFrequency",
                ),
                (
                    "arn:aws:s3:::t",
                    vec![Integration { result_arn: "arn:aws:sns:::x".into(), ..daily() }],
                    "InvalidParameterValue: Value (arn:aws:sns:::x) for parameter IntegrationResult",
                ),
                ("arn:aws:s3:::t", vec![none(past, None)], "InvalidParameter: PartitionStartDate and"),
                ("arn:aws:s3:::t", vec![none(past, future)], "InvalidParameter: PartitionStartDate and"),
                (
                    "arn:aws:s3:::t",
                    vec![none(Some(UnixMillis(-1)), Some(UnixMillis(-2)))],
                    "InvalidParameter: PartitionEndDate",
                ),
            ] {
                let outcome = text(template(cx, &id, config, &integrations));
                assert!(outcome.starts_with(expected), "{integrations:?}: {outcome}");
            }
            let unknown = text(template(cx, "fl-00000000000000001", "arn:aws:s3:::t", &[daily()]));
            assert!(unknown.starts_with("InvalidFlowLogId.NotFound"), "{unknown}");
            Ok(())
        })
        .unwrap();
}
