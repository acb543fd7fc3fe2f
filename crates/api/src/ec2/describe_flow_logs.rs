//! `DescribeFlowLogs`. Source: EC2 API, `DescribeFlowLogs`, `FlowLog`.

use super::filter::Filters;
use super::{page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp::iso_millis;
use crate::protocol::xml::Xml;
use weir_control::flow_log::{self, FlowLog, LogDestination};
use weir_control::{region, tags};

const FILTERS: [&str; 6] = [
    "deliver-log-status",
    "flow-log-id",
    "log-destination-type",
    "log-group-name",
    "resource-id",
    "traffic-type",
];

/// Lists flow logs.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeFlowLogs", &["*".to_owned()], &[])?;
    let (all, mut tags) = call.transact(|cx| {
        region::ensure(cx)?;
        let ids = params.list("FlowLogId");
        let found = match call.services.settings.emulator {
            false => flow_log::select_narrowed(cx, &ids, &filters.narrowing())?,
            // As emulators do: ids that nothing has are left out.
            true => {
                let mut all = flow_log::select(cx, &[])?;
                all.retain(|log| ids.is_empty() || ids.contains(&log.id.as_str()));
                all
            }
        };
        let tags = tags::of_each(cx, found.iter().map(|log| log.id.as_str()))?;
        Ok((found, tags))
    })?;
    let shown = all.into_iter().map(|flow_log| {
        let tags = tags.remove(flow_log.id.as_str()).unwrap_or_default();
        (flow_log, tags)
    });
    let found = shown.filter(|(flow_log, tags)| filters.pass(tags, |name| values(flow_log, name))).collect();
    let (flow_logs, next) = page::page(found, params, 1..=1000, |(log, _): &(FlowLog, _)| log.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("flowLogSet", flow_logs, |item, (flow_log, tags)| render(item, &flow_log, &tags));
    xml.optional("nextToken", next);
    Ok(xml)
}

fn values(flow_log: &FlowLog, filter: &str) -> Vec<String> {
    let destination = &flow_log.config.destination;
    let value = match filter {
        "deliver-log-status" => Some(status(flow_log).to_owned()),
        "flow-log-id" => Some(flow_log.id.to_string()),
        "log-destination-type" => Some(destination.kind().to_owned()),
        "log-group-name" => destination.log_group().map(str::to_owned),
        "resource-id" => Some(flow_log.resource.clone()),
        "traffic-type" => Some(flow_log.config.traffic_type.to_string()),
        _ => None,
    };
    value.into_iter().collect()
}

fn status(flow_log: &FlowLog) -> &'static str {
    if flow_log.delivery_error.is_some() { "FAILED" } else { "SUCCESS" }
}

/// The members of a `FlowLog`.
fn render(xml: &mut Xml, flow_log: &FlowLog, tags: &[(String, String)]) {
    let config = &flow_log.config;
    let (arn, role, cross_account_role, options) = match &config.destination {
        LogDestination::CloudWatchLogs { arn, role, cross_account_role, .. } => {
            (arn.clone(), Some(role), cross_account_role.as_ref(), None)
        }
        LogDestination::S3 { arn, options } => (Some(arn.clone()), None, None, *options),
        LogDestination::KinesisDataFirehose { arn, role, cross_account_role } => {
            (Some(arn.to_string()), role.as_ref(), cross_account_role.as_ref(), None)
        }
    };
    xml.text("creationTime", iso_millis(flow_log.created));
    xml.optional("deliverLogsErrorMessage", flow_log.delivery_error.map(|error| error.as_str()));
    xml.optional("deliverLogsPermissionArn", role).optional("deliverCrossAccountRole", cross_account_role);
    xml.text("deliverLogsStatus", status(flow_log)).text("flowLogId", &flow_log.id);
    xml.text("flowLogStatus", "ACTIVE").optional("logGroupName", config.destination.log_group());
    xml.text("resourceId", &flow_log.resource).text("trafficType", config.traffic_type);
    xml.text("logDestinationType", config.destination.kind()).optional("logDestination", arn);
    xml.text("logFormat", &config.log_format);
    tag_spec::render(xml, tags);
    xml.text("maxAggregationInterval", config.max_aggregation_interval_s);
    if let Some(options) = options {
        xml.element("destinationOptions", |item| {
            item.text("fileFormat", options.file_format.as_str());
            item.text("hiveCompatiblePartitions", options.hive_compatible_partitions);
            item.text("perHourPartition", options.per_hour_partition);
        });
    }
    if !config.tag_fields.is_empty() {
        xml.set("tagFieldSpecificationSet", &config.tag_fields, |item, field| {
            item.text("resourceType", &field.resource_type);
            item.element("tagKeySet", |keys| {
                for key in &field.keys {
                    keys.text("item", key);
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::flow_log::{DestinationOptions, FileFormat, FlowLogConfig, TagField};
    use weir_types::flow_log::{DeliveryError, TrafficType};
    use weir_types::time::UnixMillis;

    fn flow_log() -> FlowLog {
        FlowLog {
            id: "fl-0123456789abcdef0".parse().unwrap(),
            resource: "vpc-0123456789abcdef0".to_owned(),
            config: FlowLogConfig {
                traffic_type: TrafficType::All,
                destination: LogDestination::CloudWatchLogs {
                    log_group: "flows".to_owned(),
                    arn: None,
                    role: "arn:aws:iam::123456789012:role/r".parse().unwrap(),
                    cross_account_role: None,
                },
                log_format: "${srcaddr}".to_owned(),
                max_aggregation_interval_s: 600,
                tag_fields: Vec::new(),
            },
            created: UnixMillis(1_580_816_773_831),
            delivery_error: None,
        }
    }

    #[test]
    fn every_filter_has_a_value() {
        for filter in FILTERS {
            assert_eq!(values(&flow_log(), filter).len(), 1, "{filter}");
        }
    }

    #[test]
    fn a_flow_log_by_name_that_works() {
        let mut xml = Xml::new();
        render(&mut xml, &flow_log(), &[]);
        assert_eq!(
            xml.as_str(),
            "<creationTime>2020-02-04T11:46:13.831Z</creationTime>\
             <deliverLogsPermissionArn>arn:aws:iam::123456789012:role/r</deliverLogsPermissionArn>\
             <deliverLogsStatus>SUCCESS</deliverLogsStatus><flowLogId>fl-0123456789abcdef0</flowLogId>\
             <flowLogStatus>ACTIVE</flowLogStatus><logGroupName>flows</logGroupName>\
             <resourceId>vpc-0123456789abcdef0</resourceId><trafficType>ALL</trafficType>\
             <logDestinationType>cloud-watch-logs</logDestinationType><logFormat>${srcaddr}</logFormat><tagSet/>\
             <maxAggregationInterval>600</maxAggregationInterval>"
        );
    }

    #[test]
    fn a_flow_log_by_arn_that_fails() {
        let mut flow_log = flow_log();
        flow_log.delivery_error = Some(DeliveryError::AccessError);
        flow_log.config.tag_fields =
            vec![TagField { resource_type: "instance".into(), keys: vec!["Name".into()] }];
        let LogDestination::CloudWatchLogs { arn, cross_account_role, .. } = &mut flow_log.config.destination
        else {
            panic!()
        };
        *arn = Some("arn:aws:logs:us-east-1:123456789012:log-group:flows".to_owned());
        *cross_account_role = Some("arn:aws:iam::210987654321:role/x".parse().unwrap());
        let mut xml = Xml::new();
        render(&mut xml, &flow_log, &[]);
        for part in [
            "<deliverLogsErrorMessage>Access error</deliverLogsErrorMessage>",
            "<deliverLogsStatus>FAILED</deliverLogsStatus>",
            "<deliverCrossAccountRole>arn:aws:iam::210987654321:role/x</deliverCrossAccountRole>",
            "<logGroupName>flows</logGroupName>",
            "<logDestination>arn:aws:logs:us-east-1:123456789012:log-group:flows</logDestination>",
            "<tagFieldSpecificationSet><item><resourceType>instance</resourceType><tagKeySet><item>Name</item>\
             </tagKeySet></item></tagFieldSpecificationSet>",
        ] {
            assert!(xml.as_str().contains(part), "{part}\n{}", xml.as_str());
        }
    }

    #[test]
    fn a_flow_log_to_a_bucket() {
        let mut flow_log = flow_log();
        flow_log.config.destination = LogDestination::S3 {
            arn: "arn:aws:s3:::b/f/".to_owned(),
            options: Some(DestinationOptions {
                file_format: FileFormat::Parquet,
                hive_compatible_partitions: true,
                per_hour_partition: false,
            }),
        };
        let mut xml = Xml::new();
        render(&mut xml, &flow_log, &[]);
        for part in [
            "<logDestinationType>s3</logDestinationType><logDestination>arn:aws:s3:::b/f/</logDestination>",
            "<destinationOptions><fileFormat>parquet</fileFormat><hiveCompatiblePartitions>true\
             </hiveCompatiblePartitions><perHourPartition>false</perHourPartition></destinationOptions>",
        ] {
            assert!(xml.as_str().contains(part), "{part}\n{}", xml.as_str());
        }
        for absent in ["logGroupName", "deliverLogsPermissionArn"] {
            assert!(!xml.as_str().contains(absent), "{absent}");
        }
        assert_eq!(values(&flow_log, "log-destination-type"), ["s3"]);
    }
}
