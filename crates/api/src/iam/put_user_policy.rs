//! PutUserPolicy: an inline policy of a user, new or replaced.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    let policy = required(params, "PolicyName")?;
    let document = required(params, "PolicyDocument")?;
    authorize::<User>(call, "iam:PutUserPolicy", name, &[])?;
    call.transact(|cx| inline_policy::put::<User>(cx, name, policy, document))?;
    Ok(Xml::new())
}
