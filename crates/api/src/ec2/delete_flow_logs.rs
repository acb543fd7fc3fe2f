//! `DeleteFlowLogs`. Source: EC2 API, `DeleteFlowLogs`.

use super::unsuccessful;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::flow_log;

/// Flow logs in one request.
const LIMIT: usize = 1000;

/// Removes flow logs; their records stay.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let ids = parse(params)?;
    let resources: Vec<String> = ids.iter().map(|id| call.arn("ec2", format!("vpc-flow-log/{id}"))).collect();
    call.authorize_ec2(params, "ec2:DeleteFlowLogs", &resources, &[])?;
    let left = call.transact(|cx| flow_log::delete(cx, &ids))?;
    if call.services.settings.emulator && !left.is_empty() {
        // As emulators do: the others are gone all the same.
        return Err(flow_log::not_found(&ids).into());
    }
    let mut xml = Xml::new();
    unsuccessful::render(&mut xml, &left);
    Ok(xml)
}

fn parse(params: &Params) -> Result<Vec<&str>, ApiError> {
    let ids = params.list("FlowLogId");
    match ids.len() {
        0 => {
            let message = "The request must include the FlowLogIds parameter. Add the required parameter and \
                           retry the request.";
            Err(ApiError::new("MissingParameter", message))
        }
        1..=LIMIT => Ok(ids),
        _ => {
            Err(ApiError::new("InvalidParameterValue", format!("FlowLogIds must have at most {LIMIT} items")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_one_and_at_most_a_thousand() {
        for (count, code) in
            [(0, Some("MissingParameter")), (1000, None), (1001, Some("InvalidParameterValue"))]
        {
            let form: Vec<String> = (0..count).map(|n| format!("FlowLogId.{n}=fl-{n}")).collect();
            let params = Params::parse(form.join("&").as_bytes()).unwrap();
            assert_eq!(parse(&params).err().map(|error| error.code.into_owned()).as_deref(), code, "{count}");
        }
    }
}
