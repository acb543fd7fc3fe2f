//! DeleteUserPermissionsBoundary: a user is bounded no longer.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    authorize::<User>(call, "iam:DeleteUserPermissionsBoundary", name, &[])?;
    call.transact(|cx| attachment::delete_boundary::<User>(cx, name))?;
    Ok(Xml::new())
}
