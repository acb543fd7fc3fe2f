//! `CreateFlowLogs`. Source: EC2 API, `CreateFlowLogs`.

use super::log_bucket::{self, DELIVERY_SERVICE, Delivery};
use super::{log_stream, tag_spec, taggable, unsuccessful};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use weir_control::flow_log::{self, CreateFlowLogs, Created, DestinationOptionsRequest, TagFieldRequest};

/// The service that delivers flow logs, as trust policies name it.
const SERVICE: &str = "vpc-flow-logs.amazonaws.com";

/// Makes a flow log for each resource of the request.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let mut request = parse(params)?;
    if call.services.settings.emulator {
        // Suites made for emulators write `Reject`.
        request.traffic_type = request.traffic_type.map(|text| text.to_ascii_uppercase());
    }
    let mut resources = vec![call.arn("ec2", "vpc-flow-log/*")];
    resources.extend(request.resource_ids.iter().map(|id| taggable::arn(call, id)));
    call.authorize_ec2(params, "ec2:CreateFlowLogs", &resources, &[])?;
    request.check(&call.scope)?;
    if let Some(role) = &request.deliver_logs_permission_arn {
        let service = match request.log_destination_type.as_deref() {
            Some("kinesis-data-firehose") => DELIVERY_SERVICE,
            _ => SERVICE,
        };
        let outside = call.services.settings.outside;
        let is_outside = if service == SERVICE { outside.logs } else { outside.firehose };
        check_role(call, role, service, is_outside)?;
    }
    let delivery = match log_bucket::check(call, &request)? {
        Delivery::Ready => log_stream::check(call, &request)?,
        other => other,
    };
    let created = match delivery {
        Delivery::Refused(created) => created,
        Delivery::Ready => call.transact(|cx| flow_log::create(cx, &request))?,
        Delivery::Prepare { scope, stream } => {
            let created = call.transact(|cx| flow_log::create(cx, &request))?;
            log_stream::prepare(call, &scope, &stream)?;
            created
        }
        Delivery::Permit { bucket, grant } => {
            let created = call.transact(|cx| flow_log::create(cx, &request))?;
            log_bucket::permit(call, &bucket, &grant)?;
            created
        }
    };
    let token = match &request.client_token {
        Some(token) => token.clone(),
        None => random_token()?,
    };
    Ok(render(&created, &token))
}

fn parse(params: &Params) -> Result<CreateFlowLogs, ApiError> {
    let text = |name: &str| params.get(name).map(str::to_owned);
    let tag_fields = params.structs("TagFieldSpecification").into_iter().map(|item| {
        let tag_keys = item.list("TagKey").into_iter().map(str::to_owned).collect();
        Ok(TagFieldRequest { resource_type: item.required("ResourceType")?.to_owned(), tag_keys })
    });
    Ok(CreateFlowLogs {
        client_token: text("ClientToken"),
        resource_ids: params.list("ResourceId").into_iter().map(str::to_owned).collect(),
        resource_type: text("ResourceType"),
        traffic_type: text("TrafficType"),
        log_destination_type: text("LogDestinationType"),
        log_destination: text("LogDestination"),
        log_group_name: text("LogGroupName"),
        deliver_logs_permission_arn: text("DeliverLogsPermissionArn"),
        deliver_cross_account_role: text("DeliverCrossAccountRole"),
        log_format: text("LogFormat"),
        max_aggregation_interval_s: params.integer("MaxAggregationInterval")?,
        destination_options: destination_options(params)?,
        tag_fields: tag_fields.collect::<Result<_, ApiError>>()?,
        tags: tag_spec::parse(params, "vpc-flow-log")?,
    })
}

fn destination_options(params: &Params) -> Result<Option<DestinationOptionsRequest>, ApiError> {
    let options = params.structure("DestinationOptions");
    if options.is_empty() {
        return Ok(None);
    }
    Ok(Some(DestinationOptionsRequest {
        file_format: options.get("FileFormat").map(str::to_owned),
        hive_compatible_partitions: options.boolean("HiveCompatiblePartitions")?,
        per_hour_partition: options.boolean("PerHourPartition")?,
    }))
}

/// Whether the caller may hand the role to the service, and there is such a
/// role. A role that does not trust the service or may not write shows at
/// delivery, as `Access error` of the flow log; so does one that is to be assumed
/// outside. An emulator takes any role: suites made for emulators make none.
///
/// Errors: `UnauthorizedOperation`, `InvalidParameter`.
/// Source: VPC user guide, "IAM role for publishing flow logs to CloudWatch
/// Logs", "Troubleshoot VPC Flow Logs".
fn check_role(call: &Call<'_>, role: &str, service: &str, is_outside: bool) -> Result<(), ApiError> {
    call.pass_role(role, service)?;
    if is_outside || call.services.settings.emulator || call.role_exists(role)? {
        return Ok(());
    }
    let message = format!("Unable to assume given IAM role: '{role}'");
    Err(ApiError::new("InvalidParameter", message))
}

/// What AWS answers to a request without a client token: 32 bytes in base 64.
fn random_token() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
    Ok(STANDARD.encode(bytes))
}

fn render(created: &Created, token: &str) -> Xml {
    let mut xml = Xml::new();
    unsuccessful::render(&mut xml, &created.unsuccessful);
    xml.text("clientToken", token);
    xml.element("flowLogIdSet", |list| {
        for id in &created.flow_log_ids {
            list.text("item", id);
        }
    });
    xml
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::flow_log::Unsuccessful;

    #[test]
    fn parameters() {
        let form = "ResourceType=VPC&TrafficType=ALL&ResourceId.1=vpc-1&ResourceId.2=vpc-2&LogGroupName=g\
                    &DeliverLogsPermissionArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr\
                    &MaxAggregationInterval=60&LogFormat=%24%7Bversion%7D%20\
                    &TagFieldSpecification.1.ResourceType=instance&TagFieldSpecification.1.TagKey.1=Name\
                    &DestinationOptions.FileFormat=parquet&TagSpecification.1.ResourceType=vpc-flow-log\
                    &TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v";
        let request = parse(&Params::parse(form.as_bytes()).unwrap()).unwrap();
        assert_eq!(request.resource_ids, ["vpc-1", "vpc-2"]);
        assert_eq!(request.log_format.as_deref(), Some("${version} "));
        assert_eq!(request.max_aggregation_interval_s, Some(60));
        let parquet =
            DestinationOptionsRequest { file_format: Some("parquet".to_owned()), ..Default::default() };
        assert_eq!(request.destination_options, Some(parquet));
        assert_eq!(request.tag_fields[0].tag_keys, ["Name"]);
        assert_eq!(request.tags, [("k".to_owned(), "v".to_owned())]);
        for form in [
            "MaxAggregationInterval=ten",
            "TagSpecification.1.ResourceType=vpc",
            "DestinationOptions.PerHourPartition=yes",
        ] {
            assert!(parse(&Params::parse(form.as_bytes()).unwrap()).is_err(), "{form}");
        }
    }

    #[test]
    fn answers_hold_what_was_made_and_what_was_not() {
        let created = Created {
            flow_log_ids: vec!["fl-0123456789abcdef0".parse().unwrap()],
            unsuccessful: vec![Unsuccessful {
                resource_id: "vpc-1".to_owned(),
                code: "InvalidVpcID.NotFound".to_owned(),
                message: "no".to_owned(),
            }],
        };
        assert_eq!(
            render(&created, "t=").as_str(),
            "<unsuccessful><item><error><code>InvalidVpcID.NotFound</code><message>no</message></error>\
             <resourceId>vpc-1</resourceId></item></unsuccessful><clientToken>t=</clientToken>\
             <flowLogIdSet><item>fl-0123456789abcdef0</item></flowLogIdSet>"
        );
        let none = Created { flow_log_ids: Vec::new(), unsuccessful: Vec::new() };
        assert_eq!(render(&none, "t").as_str(), "<unsuccessful/><clientToken>t</clientToken><flowLogIdSet/>");
        assert_eq!(random_token().unwrap().len(), 44);
    }
}
