//! ListUserTags: the tags of a user in key order.

use super::page;
use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, iam_tag, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    authorize::<User>(call, "iam:ListUserTags", name, &[])?;
    let tags = call.transact(|cx| iam_tag::of(cx, &identity::get::<User>(cx, name)?.identity.id))?;
    page::render_tags(tags, params)
}
