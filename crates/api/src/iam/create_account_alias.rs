//! CreateAccountAlias: another name for the account, instead of the one it has.

use super::request::required;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::alias;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "AccountAlias")?;
    call.authorize("iam:CreateAccountAlias", "*", &[])?;
    call.transact(|cx| alias::create(cx, name))?;
    Ok(Xml::new())
}
