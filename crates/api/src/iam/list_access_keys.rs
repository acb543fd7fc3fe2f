//! ListAccessKeys: the keys of a user, without their secrets.

use super::page;
use super::request::{authorize, user_or_caller};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, user_key};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let user = user_or_caller(call, params)?;
    authorize::<User>(call, "iam:ListAccessKeys", &user, &[])?;
    let keys = call.transact(|cx| user_key::list(cx, &user))?;
    let page = page::page_in_order(keys, params, |key| &key.id)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "AccessKeyMetadata", |xml, key| {
        xml.text("UserName", &user)
            .text("AccessKeyId", &key.id)
            .text("Status", if key.is_active { "Active" } else { "Inactive" })
            .optional("CreateDate", key.created.map(stamp::iso_seconds));
    });
    Ok(xml)
}
