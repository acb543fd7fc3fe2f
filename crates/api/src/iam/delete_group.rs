//! DeleteGroup: refused while the group has members or policies.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, group};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    authorize::<Group>(call, "iam:DeleteGroup", name, &[])?;
    call.transact(|cx| group::delete(cx, name))?;
    Ok(Xml::new())
}
