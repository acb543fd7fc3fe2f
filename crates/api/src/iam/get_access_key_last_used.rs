//! GetAccessKeyLastUsed: when a user's key was last used, to five minutes.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, user_key};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = required(params, "AccessKeyId")?;
    let Some((user, key)) = call.transact(|cx| user_key::owner(cx, id))? else {
        call.authorize("iam:GetAccessKeyLastUsed", "*", &[])?;
        let message = format!("The Access Key with id {id} cannot be found.");
        return Err(ApiError::new("NoSuchEntity", message));
    };
    authorize::<User>(call, "iam:GetAccessKeyLastUsed", &user.identity.name, &[])?;
    let mut xml = Xml::new();
    xml.text("UserName", &user.identity.name).element("AccessKeyLastUsed", |xml| match &key.last_use {
        Some(last) => {
            xml.text("LastUsedDate", stamp::iso_seconds(last.at))
                .text("ServiceName", &last.service)
                .text("Region", &last.region);
        }
        None => {
            xml.text("ServiceName", "N/A").text("Region", "N/A");
        }
    });
    Ok(xml)
}
