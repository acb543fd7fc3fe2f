//! DeleteServiceLinkedRole: begins a deletion, which is done at once.

use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::service_linked_role;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize_role(call, "iam:DeleteServiceLinkedRole", name, &[])?;
    let task = call.transact(|cx| service_linked_role::delete(cx, name))?;
    let mut xml = Xml::new();
    xml.text("DeletionTaskId", task);
    Ok(xml)
}
