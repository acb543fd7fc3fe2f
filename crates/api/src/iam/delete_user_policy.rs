//! DeleteUserPolicy: an inline policy of a user goes.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    let policy = required(params, "PolicyName")?;
    authorize::<User>(call, "iam:DeleteUserPolicy", name, &[])?;
    call.transact(|cx| inline_policy::delete::<User>(cx, name, policy))?;
    Ok(Xml::new())
}
