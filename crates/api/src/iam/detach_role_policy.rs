//! DetachRolePolicy: a managed policy goes from a role.

use super::request::{authorize_attachment, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let policy_arn = required(params, "PolicyArn")?;
    authorize_attachment::<Role>(call, "iam:DetachRolePolicy", name, policy_arn)?;
    call.transact(|cx| attachment::detach::<Role>(cx, name, policy_arn))?;
    Ok(Xml::new())
}
