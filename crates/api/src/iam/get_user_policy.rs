//! GetUserPolicy: the text of an inline policy of a user.

use super::request::{authorize, encoded, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    let policy = required(params, "PolicyName")?;
    authorize::<User>(call, "iam:GetUserPolicy", name, &[])?;
    let (name, document) = call.transact(|cx| inline_policy::get::<User>(cx, name, policy))?;
    let mut xml = Xml::new();
    xml.text("UserName", name).text("PolicyName", policy).text("PolicyDocument", encoded(&document));
    Ok(xml)
}
