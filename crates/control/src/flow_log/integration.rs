//! GetFlowLogsIntegrationTemplate: a CloudFormation template that makes the
//! flow logs in a bucket a table of Athena, with a workgroup and queries.
//!
//! Partitions are projected, so nothing has to load them: the load frequency
//! gives names, and whether the table ends with a day.
//!
//! Source: EC2 API, `GetFlowLogsIntegrationTemplate`; VPC user guide, "Query
//! flow logs using Amazon Athena".

use super::spec::{invalid, invalid_value};
use super::{FileFormat, FlowLog, FlowLogConfig, LogDestination, select};
use crate::error::{ControlError, Result};
use crate::state::Cx;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use weir_flow::field::{Field, ParquetType};
use weir_flow::format::LogFormat;
use weir_types::time::UnixMillis;

/// Integrations in one request. Source: EC2 API, `IntegrateServices`.
const LIMIT: usize = 10;

/// One item of `AthenaIntegration`.
#[derive(Debug, Clone, Default)]
pub struct Integration {
    pub result_arn: String,
    pub frequency: String,
    pub start: Option<UnixMillis>,
    pub end: Option<UnixMillis>,
}

/// The template, as JSON.
///
/// Errors: `InvalidFlowLogId.NotFound`, `InvalidParameter` for a flow log that
/// does not write to S3, `InvalidParameterValue`.
pub fn template(cx: Cx<'_>, id: &str, config_arn: &str, integrations: &[Integration]) -> Result<String> {
    crate::region::ensure(cx)?;
    bucket_path(config_arn, "ConfigDeliveryS3DestinationArn")?;
    if !(1..=LIMIT).contains(&integrations.len()) {
        return Err(invalid_value(format!("AthenaIntegrations must have 1 to {LIMIT} items")));
    }
    let flow_log = select(cx, &[id])?.pop().ok_or_else(|| super::not_found(&[id]))?;
    let LogDestination::S3 { arn, .. } = &flow_log.config.destination else {
        return Err(invalid(format!(
            "The flow log {id} publishes to {}. Only flow logs that publish to s3 can be integrated.",
            flow_log.config.destination.kind()
        )));
    };
    let logs = bucket_path(arn, "LogDestination")?;
    let database = format!("vpcflowlogsathenadatabase{}", id.replace('-', ""));
    let mut resources = Map::new();
    resources.insert(
        "VpcFlowLogsAthenaDatabase".to_owned(),
        json!({
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": cx.scope.account, "DatabaseInput": {"Name": database}},
        }),
    );
    for (place, integration) in integrations.iter().enumerate() {
        let days = days(integration, cx.now)?;
        let results = bucket_path(&integration.result_arn, "IntegrationResultS3DestinationArn")?;
        let name = name(id, integration, &days);
        let table = table(cx, &flow_log, &database, &name, &logs, &days);
        resources.insert(format!("VpcFlowLogsTable{place}"), table);
        let workgroup = format!("{name}workgroup");
        resources.insert(
            format!("VpcFlowLogsWorkGroup{place}"),
            json!({
                "Type": "AWS::Athena::WorkGroup",
                "Properties": {
                    "Name": workgroup,
                    "RecursiveDeleteOption": true,
                    "WorkGroupConfiguration": {
                        "ResultConfiguration": {"OutputLocation": format!("s3://{results}/")},
                    },
                },
            }),
        );
        for (title, what, sql) in queries(&flow_log.config, &database, &name) {
            resources.insert(
                format!("VpcFlowLogs{title}{place}"),
                json!({
                    "Type": "AWS::Athena::NamedQuery",
                    "DependsOn": [format!("VpcFlowLogsTable{place}"), format!("VpcFlowLogsWorkGroup{place}")],
                    "Properties": {
                        "Name": format!("VpcFlowLogs{title}"),
                        "Description": what,
                        "Database": database,
                        "WorkGroup": workgroup,
                        "QueryString": sql,
                    },
                }),
            );
        }
    }
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Athena over the VPC flow log {id}"),
        "Resources": resources,
    });
    serde_json::to_string_pretty(&template)
        .map_err(|error| ControlError::fault("InternalError", error.to_string()))
}

/// `bucket/folder` of a bucket's ARN, without a slash at the end.
fn bucket_path(text: &str, parameter: &str) -> Result<String> {
    let path = text.split(':').nth(5).filter(|_| text.starts_with("arn:") && text.contains(":s3:::"));
    match path.map(|path| path.trim_end_matches('/')).filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.to_owned()),
        None => Err(invalid_value(format!("Value ({text}) for parameter {parameter} is invalid."))),
    }
}

/// First and last day of a table as `yyyy/MM/dd`; `NOW` for an open end.
struct Days {
    first: String,
    last: String,
}

fn days(integration: &Integration, now: UnixMillis) -> Result<Days> {
    let frequency = integration.frequency.as_str();
    if !["none", "daily", "weekly", "monthly"].contains(&frequency) {
        return Err(invalid_value(format!(
            "Value ({frequency}) for parameter PartitionLoadFrequency is invalid."
        )));
    }
    let (start, end) = (integration.start, integration.end);
    if frequency == "none" && (start.is_none() || end.is_none()) {
        return Err(invalid(
            "PartitionStartDate and PartitionEndDate are required if PartitionLoadFrequency is none.",
        ));
    }
    let in_future = |date: Option<UnixMillis>| date.is_some_and(|date| date > now);
    if frequency == "none" && (in_future(start) || in_future(end)) {
        return Err(invalid("PartitionStartDate and PartitionEndDate must be in the past."));
    }
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        return Err(invalid("PartitionEndDate must not be before PartitionStartDate."));
    }
    Ok(Days { first: day(start.unwrap_or(now)), last: end.map_or_else(|| "NOW".to_owned(), day) })
}

/// `2026/11/01`
fn day(at: UnixMillis) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{:04}/{:02}/{:02}", at.year(), u8::from(at.month()), at.day())
}

/// `<fl-id><frequency><start><end>`, in characters that a table's name may have.
fn name(id: &str, integration: &Integration, days: &Days) -> String {
    let part = |given: Option<UnixMillis>, day: &str| match given {
        Some(_) => day.replace('/', ""),
        None => String::new(),
    };
    let id = id.replace('-', "");
    let (start, end) = (part(integration.start, &days.first), part(integration.end, &days.last));
    format!("{id}{}{start}{end}", integration.frequency)
}

fn table(cx: Cx<'_>, flow_log: &FlowLog, database: &str, name: &str, logs: &str, days: &Days) -> Value {
    let config = &flow_log.config;
    let options = match &config.destination {
        LogDestination::S3 { options, .. } => *options,
        _ => None,
    };
    let (hive, hourly) =
        options.map_or((false, false), |all| (all.hive_compatible_partitions, all.per_hour_partition));
    let parquet = options.is_some_and(|options| options.file_format == FileFormat::Parquet);
    let (account, region) = (&cx.scope.account, &cx.scope.region);
    // The day is one key whose format has the slashes, or Hive's names, of the path.
    let root = match hive {
        false => format!("s3://{logs}/AWSLogs/{account}/vpcflowlogs/{region}"),
        true => format!(
            "s3://{logs}/AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}"
        ),
    };
    let day_format = if hive { "'year='yyyy'/month='MM'/day='dd" } else { "yyyy/MM/dd" };
    let bound = |day: &str| match (hive, day.split('/').collect::<Vec<_>>().as_slice()) {
        (true, [year, month, day]) => format!("year={year}/month={month}/day={day}"),
        _ => day.to_owned(),
    };
    let mut location = format!("{root}/${{date}}");
    let mut keys = vec![json!({"Name": "date", "Type": "string"})];
    let mut parameters = json!({
        "EXTERNAL": "TRUE",
        "skip.header.line.count": "1",
        "projection.enabled": "true",
        "projection.date.type": "date",
        "projection.date.format": day_format,
        "projection.date.range": format!("{},{}", bound(&days.first), bound(&days.last)),
    });
    if hourly {
        keys.push(json!({"Name": "hour", "Type": "string"}));
        location.push_str(if hive { "/hour=${hour}" } else { "/${hour}" });
        parameters["projection.hour.type"] = json!("integer");
        parameters["projection.hour.range"] = json!("00,23");
        parameters["projection.hour.digits"] = json!("2");
    }
    parameters["storage.location.template"] = json!(location);
    let (serde, input, output) = match parquet {
        true => (
            json!({"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}),
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        ),
        false => (
            json!({
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"field.delim": " ", "serialization.format": " "},
            }),
            "org.apache.hadoop.mapred.TextInputFormat",
            "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        ),
    };
    let columns: Vec<Value> = fields(config)
        .iter()
        .map(|field| json!({"Name": field.column(), "Type": athena_type(*field)}))
        .collect();
    json!({
        "Type": "AWS::Glue::Table",
        "DependsOn": "VpcFlowLogsAthenaDatabase",
        "Properties": {
            "CatalogId": account,
            "DatabaseName": database,
            "TableInput": {
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "PartitionKeys": keys,
                "Parameters": parameters,
                "StorageDescriptor": {
                    "Columns": columns,
                    "Location": root,
                    "InputFormat": input,
                    "OutputFormat": output,
                    "SerdeInfo": serde,
                },
            },
        },
    })
}

fn fields(config: &FlowLogConfig) -> Vec<Field> {
    LogFormat::parse(&config.log_format).map(|format| format.fields().to_vec()).unwrap_or_default()
}

fn athena_type(field: Field) -> &'static str {
    match field.parquet_type() {
        ParquetType::Int32 => "int",
        ParquetType::Int64 => "bigint",
        ParquetType::String => "string",
    }
}

/// Title, description, SQL with `TABLE` for the table's name. Those whose
/// columns the format has are made.
const QUERIES: [(&str, &str, &str, &[&str]); 16] = [
    ("AcceptedTraffic", "Accepted flows", "SELECT * FROM TABLE WHERE action = 'ACCEPT'", &["action"]),
    (
        "AdminPortTraffic",
        "Flows to ports of administration",
        "SELECT srcaddr, dstaddr, dstport, SUM(bytes) AS bytes FROM TABLE \
         WHERE dstport IN (20, 21, 22, 23, 3389, 5900, 5985, 5986) \
         GROUP BY srcaddr, dstaddr, dstport ORDER BY bytes DESC",
        &["srcaddr", "dstaddr", "dstport", "bytes"],
    ),
    ("IPv4Traffic", "IPv4 flows", "SELECT * FROM TABLE WHERE type = 'IPv4'", &["type"]),
    ("IPv6Traffic", "IPv6 flows", "SELECT * FROM TABLE WHERE type = 'IPv6'", &["type"]),
    (
        "RejectedTCPTraffic",
        "Rejected TCP flows",
        "SELECT * FROM TABLE WHERE action = 'REJECT' AND protocol = 6",
        &["action", "protocol"],
    ),
    ("RejectedTraffic", "Rejected flows", "SELECT * FROM TABLE WHERE action = 'REJECT'", &["action"]),
    (
        "SshRdpTraffic",
        "SSH and RDP flows",
        "SELECT * FROM TABLE WHERE dstport IN (22, 3389) OR srcport IN (22, 3389)",
        &["srcport", "dstport"],
    ),
    (
        "TopTalkers",
        "The 50 pairs of addresses with the most bytes",
        "SELECT srcaddr, dstaddr, SUM(bytes) AS bytes FROM TABLE \
         GROUP BY srcaddr, dstaddr ORDER BY bytes DESC LIMIT 50",
        &["srcaddr", "dstaddr", "bytes"],
    ),
    (
        "TopTalkersPacketLevel",
        "The 50 pairs of packets' addresses with the most bytes",
        "SELECT pkt_srcaddr, pkt_dstaddr, SUM(bytes) AS bytes FROM TABLE \
         GROUP BY pkt_srcaddr, pkt_dstaddr ORDER BY bytes DESC LIMIT 50",
        &["pkt_srcaddr", "pkt_dstaddr", "bytes"],
    ),
    (
        "TopTalkingInstances",
        "The 50 instances with the most bytes",
        "SELECT instance_id, SUM(bytes) AS bytes FROM TABLE \
         GROUP BY instance_id ORDER BY bytes DESC LIMIT 50",
        &["instance_id", "bytes"],
    ),
    (
        "TopTalkingSubnets",
        "The 50 subnets with the most bytes",
        "SELECT subnet_id, SUM(bytes) AS bytes FROM TABLE GROUP BY subnet_id ORDER BY bytes DESC LIMIT 50",
        &["subnet_id", "bytes"],
    ),
    (
        "TopTCPTraffic",
        "TCP flows by bytes",
        "SELECT * FROM TABLE WHERE protocol = 6 ORDER BY bytes DESC LIMIT 50",
        &["protocol", "bytes"],
    ),
    (
        "TotalBytesTransferred",
        "The 50 pairs of addresses with the most bytes that were accepted",
        "SELECT srcaddr, dstaddr, SUM(bytes) AS bytes FROM TABLE WHERE action = 'ACCEPT' \
         GROUP BY srcaddr, dstaddr ORDER BY bytes DESC LIMIT 50",
        &["srcaddr", "dstaddr", "bytes", "action"],
    ),
    (
        "TotalBytesTransferredPacketLevel",
        "The 50 pairs of packets' addresses with the most bytes that were accepted",
        "SELECT pkt_srcaddr, pkt_dstaddr, SUM(bytes) AS bytes FROM TABLE WHERE action = 'ACCEPT' \
         GROUP BY pkt_srcaddr, pkt_dstaddr ORDER BY bytes DESC LIMIT 50",
        &["pkt_srcaddr", "pkt_dstaddr", "bytes", "action"],
    ),
    ("TrafficFrmSrcAddr", "Flows from an address", "SELECT * FROM TABLE WHERE srcaddr = ?", &["srcaddr"]),
    ("TrafficToDstAddr", "Flows to an address", "SELECT * FROM TABLE WHERE dstaddr = ?", &["dstaddr"]),
];

fn queries(config: &FlowLogConfig, database: &str, table: &str) -> Vec<(&'static str, &'static str, String)> {
    let columns: Vec<&str> = fields(config).iter().map(|field| field.column()).collect();
    let there = QUERIES.into_iter().filter(|(.., needed)| needed.iter().all(|name| columns.contains(name)));
    let named = format!("\"{database}\".\"{table}\"");
    there.map(|(title, what, sql, _)| (title, what, sql.replace("TABLE", &named))).collect()
}

#[cfg(test)]
mod tests;
