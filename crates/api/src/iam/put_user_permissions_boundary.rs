//! PutUserPermissionsBoundary: the most that a user may be allowed, set by a managed policy.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    let arn = required(params, "PermissionsBoundary")?;
    let context = [("iam:PermissionsBoundary", arn)];
    authorize::<User>(call, "iam:PutUserPermissionsBoundary", name, &context)?;
    call.transact(|cx| attachment::put_boundary::<User>(cx, name, arn))?;
    Ok(Xml::new())
}
