//! UntagUser: tags of a user go by their keys.

use super::request::{authorize, required, tag_keys};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, iam_tag, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    let keys = tag_keys(params)?;
    let context: Vec<(&str, &str)> = keys.iter().map(|key| ("aws:TagKeys", *key)).collect();
    authorize::<User>(call, "iam:UntagUser", name, &context)?;
    call.transact(|cx| iam_tag::remove(cx, &identity::get::<User>(cx, name)?.identity.id, &keys))?;
    Ok(Xml::new())
}
