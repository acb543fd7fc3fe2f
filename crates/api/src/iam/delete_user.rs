//! DeleteUser: refused while the user has keys, policies or groups.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, user};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    authorize::<User>(call, "iam:DeleteUser", name, &[])?;
    call.transact(|cx| user::delete(cx, name))?;
    Ok(Xml::new())
}
