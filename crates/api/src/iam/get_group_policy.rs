//! GetGroupPolicy: the text of an inline policy of a group.

use super::request::{authorize, encoded, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    let policy = required(params, "PolicyName")?;
    authorize::<Group>(call, "iam:GetGroupPolicy", name, &[])?;
    let (name, document) = call.transact(|cx| inline_policy::get::<Group>(cx, name, policy))?;
    let mut xml = Xml::new();
    xml.text("GroupName", name).text("PolicyName", policy).text("PolicyDocument", encoded(&document));
    Ok(xml)
}
