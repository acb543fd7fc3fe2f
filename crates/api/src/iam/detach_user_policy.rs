//! DetachUserPolicy: a managed policy goes from a user.

use super::request::{authorize_attachment, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    let policy_arn = required(params, "PolicyArn")?;
    authorize_attachment::<User>(call, "iam:DetachUserPolicy", name, policy_arn)?;
    call.transact(|cx| attachment::detach::<User>(cx, name, policy_arn))?;
    Ok(Xml::new())
}
