//! DetachGroupPolicy: a managed policy goes from a group.

use super::request::{authorize_attachment, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    let policy_arn = required(params, "PolicyArn")?;
    authorize_attachment::<Group>(call, "iam:DetachGroupPolicy", name, policy_arn)?;
    call.transact(|cx| attachment::detach::<Group>(cx, name, policy_arn))?;
    Ok(Xml::new())
}
