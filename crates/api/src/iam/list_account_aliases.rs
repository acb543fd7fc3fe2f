//! ListAccountAliases: the alias of the account, if it has one.

use super::page;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::alias;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    call.authorize("iam:ListAccountAliases", "*", &[])?;
    let names = call.transact(alias::list)?;
    page::render_names(names, params, "AccountAliases")
}
