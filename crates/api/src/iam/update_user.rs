//! UpdateUser: another name or path for a user.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, identity, user};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    let new_name = params.get("NewUserName");
    let new_path = params.get("NewPath");
    authorize::<User>(call, "iam:UpdateUser", name, &[])?;
    // The caller must be allowed to have the user under its new ARN as well.
    let target = identity::arn::<User>(&call.scope, new_path.unwrap_or("/"), new_name.unwrap_or(name));
    call.authorize("iam:UpdateUser", &target.to_string(), &[])?;
    call.transact(|cx| user::update(cx, name, new_name, new_path))?;
    Ok(Xml::new())
}
