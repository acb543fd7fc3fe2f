//! DeleteGroupPolicy: an inline policy of a group goes.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    let policy = required(params, "PolicyName")?;
    authorize::<Group>(call, "iam:DeleteGroupPolicy", name, &[])?;
    call.transact(|cx| inline_policy::delete::<Group>(cx, name, policy))?;
    Ok(Xml::new())
}
