//! GetAccessKeyInfo: the account of an access key.

use crate::call::Call;
use crate::error::ApiError;
use crate::iam::request::required;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Owner, access_key};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = required(params, "AccessKeyId")?;
    call.authorize("sts:GetAccessKeyInfo", "*", &[])?;
    let key = call.transact(|cx| access_key::find(cx.tx, id))?;
    let account = match key.map(|key| key.owner) {
        Some(Owner::Root { account } | Owner::User { account, .. }) => account,
        Some(Owner::Session(session)) => session.subject.account().to_owned(),
        // Any credentials are the account's in emulator mode.
        _ if call.services.settings.emulator => call.scope.account.clone(),
        _ => {
            let message = format!("The access key {id} is not known here");
            return Err(ApiError::new("ValidationError", message));
        }
    };
    let mut xml = Xml::new();
    xml.text("Account", account);
    Ok(xml)
}
