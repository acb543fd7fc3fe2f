//! GetCallerIdentity: needs no permission, and no policy can deny it.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

pub fn run(call: &Call<'_>, _: &Params) -> Result<Xml, ApiError> {
    let arn = call.principal.arn();
    let mut xml = Xml::new();
    // A service has neither id nor account of its own; it gets its name and the
    // account it calls for.
    xml.text("UserId", call.principal.user_id().as_deref().unwrap_or(&arn))
        .text("Account", &call.scope.account)
        .text("Arn", &arn);
    Ok(xml)
}
