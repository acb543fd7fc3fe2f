//! RemoveUserFromGroup: a membership ends.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, group};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    let user = required(params, "UserName")?;
    authorize::<Group>(call, "iam:RemoveUserFromGroup", name, &[])?;
    call.transact(|cx| group::remove_user(cx, name, user))?;
    Ok(Xml::new())
}
