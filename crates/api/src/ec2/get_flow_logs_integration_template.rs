//! `GetFlowLogsIntegrationTemplate`. Source: EC2 API,
//! `GetFlowLogsIntegrationTemplate`.

use super::taggable;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::flow_log::integration::{self, Integration};
use weir_types::time::UnixMillis;

/// Answers a CloudFormation template that makes a flow log in a bucket a table
/// of Athena.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (id, to) = (params.required("FlowLogId")?, params.required("ConfigDeliveryS3DestinationArn")?);
    let integrations = params.structure("IntegrateService").structs("AthenaIntegration");
    let integrations: Vec<Integration> = integrations.iter().map(parse).collect::<Result<_, _>>()?;
    if integrations.is_empty() {
        return Err(ApiError::missing_parameter("IntegrateService"));
    }
    call.authorize_ec2(params, "ec2:GetFlowLogsIntegrationTemplate", &[taggable::arn(call, id)], &[])?;
    let template = call.transact(|cx| integration::template(cx, id, to, &integrations))?;
    let mut xml = Xml::new();
    xml.text("result", template);
    Ok(xml)
}

fn parse(params: &Params) -> Result<Integration, ApiError> {
    Ok(Integration {
        result_arn: params.required("IntegrationResultS3DestinationArn")?.to_owned(),
        frequency: params.required("PartitionLoadFrequency")?.to_owned(),
        start: date(params, "PartitionStartDate")?,
        end: date(params, "PartitionEndDate")?,
    })
}

fn date(params: &Params, name: &str) -> Result<Option<UnixMillis>, ApiError> {
    let Some(text) = params.get(name) else { return Ok(None) };
    stamp::parse(text).map(Some).ok_or_else(|| {
        let message = format!("Value ({text}) for parameter {name} is invalid.");
        ApiError::new("InvalidParameterValue", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrations_are_read_whole() {
        let form = "IntegrationResultS3DestinationArn=arn:aws:s3:::r&PartitionLoadFrequency=none\
                    &PartitionStartDate=2026-10-01T00:00:00Z&PartitionEndDate=2026-10-02T00:00:00.000Z";
        let read = parse(&Params::parse(form.as_bytes()).unwrap()).unwrap();
        assert_eq!((read.result_arn.as_str(), read.frequency.as_str()), ("arn:aws:s3:::r", "none"));
        assert_eq!(read.end.unwrap().seconds() - read.start.unwrap().seconds(), 86_400);
        let bad = Params::parse(b"PartitionStartDate=yesterday").unwrap();
        assert_eq!(date(&bad, "PartitionStartDate").unwrap_err().code, "InvalidParameterValue");
    }
}
