//! GetServiceLinkedRoleDeletionStatus: deletions of service-linked roles succeed at once.

use super::request::required;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{identity, service_linked_role};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let task = required(params, "DeletionTaskId")?;
    let role = task.strip_prefix("task/").and_then(|rest| rest.rsplit_once('/')).unwrap_or((task, "")).0;
    let arn = identity::iam_arn(&call.scope, &format!("role/{role}")).to_string();
    call.authorize("iam:GetServiceLinkedRoleDeletionStatus", &arn, &[])?;
    call.transact(|cx| service_linked_role::deletion(cx, task))?;
    let mut xml = Xml::new();
    xml.text("Status", "SUCCEEDED");
    Ok(xml)
}
