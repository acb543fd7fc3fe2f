//! CreateAccessKey: the secret is told here and never again.

use super::request::{authorize, user_or_caller};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, user_key};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let user = user_or_caller(call, params)?;
    authorize::<User>(call, "iam:CreateAccessKey", &user, &[])?;
    let key = call.transact(|cx| user_key::create(cx, &user))?;
    let mut xml = Xml::new();
    xml.element("AccessKey", |xml| {
        xml.text("UserName", &user)
            .text("AccessKeyId", &key.id)
            .text("Status", "Active")
            .text("SecretAccessKey", key.secret.expose())
            .text("CreateDate", stamp::iso_seconds(call.now));
    });
    Ok(xml)
}
