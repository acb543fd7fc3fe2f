//! DeleteAccountAlias: the account has its number only.

use super::request::required;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::alias;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "AccountAlias")?;
    call.authorize("iam:DeleteAccountAlias", "*", &[])?;
    call.transact(|cx| alias::delete(cx, name))?;
    Ok(Xml::new())
}
