//! TagUser: tags for a user.

use super::request::{authorize, lent, request_tag_keys, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, iam_tag, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    let tags = tags(params)?;
    authorize::<User>(call, "iam:TagUser", name, &lent(&request_tag_keys(&tags)))?;
    call.transact(|cx| iam_tag::set(cx, &identity::get::<User>(cx, name)?.identity.id, &tags))?;
    Ok(Xml::new())
}
