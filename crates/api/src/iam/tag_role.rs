//! TagRole: tags for a role.

use super::request::{authorize, lent, request_tag_keys, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, iam_tag, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let tags = tags(params)?;
    authorize::<Role>(call, "iam:TagRole", name, &lent(&request_tag_keys(&tags)))?;
    call.transact(|cx| iam_tag::set(cx, &identity::get::<Role>(cx, name)?.identity.id, &tags))?;
    Ok(Xml::new())
}
