//! GetUser: a user, or the caller.

use super::request::{authorize, user_or_caller};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, iam_tag, identity};
use weir_iam::Principal;
use weir_types::time::UnixMillis;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    if let (None, Principal::Root { account }) = (params.get("UserName"), &call.principal) {
        call.authorize("iam:GetUser", &call.principal.arn(), &[])?;
        let mut xml = Xml::new();
        xml.element("User", |xml| {
            xml.text("UserId", account)
                .text("Arn", call.principal.arn())
                .text("CreateDate", stamp::iso_seconds(UnixMillis(0)));
        });
        return Ok(xml);
    }
    let name = user_or_caller(call, params)?;
    authorize::<User>(call, "iam:GetUser", &name, &[])?;
    let (user, tags) = call.transact(|cx| {
        let user: User = identity::get(cx, &name)?;
        let tags = iam_tag::of(cx, &user.identity.id)?;
        Ok((user, tags))
    })?;
    let mut xml = Xml::new();
    xml.element("User", |xml| shape::user(xml, &user, &tags));
    Ok(xml)
}
