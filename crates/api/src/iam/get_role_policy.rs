//! GetRolePolicy: the text of an inline policy of a role.

use super::request::{authorize, encoded, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let policy = required(params, "PolicyName")?;
    authorize::<Role>(call, "iam:GetRolePolicy", name, &[])?;
    let (name, document) = call.transact(|cx| inline_policy::get::<Role>(cx, name, policy))?;
    let mut xml = Xml::new();
    xml.text("RoleName", name).text("PolicyName", policy).text("PolicyDocument", encoded(&document));
    Ok(xml)
}
