//! PutGroupPolicy: an inline policy of a group, new or replaced.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    let policy = required(params, "PolicyName")?;
    let document = required(params, "PolicyDocument")?;
    authorize::<Group>(call, "iam:PutGroupPolicy", name, &[])?;
    call.transact(|cx| inline_policy::put::<Group>(cx, name, policy, document))?;
    Ok(Xml::new())
}
