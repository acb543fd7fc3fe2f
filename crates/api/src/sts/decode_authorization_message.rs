//! DecodeAuthorizationMessage: what a denial of EC2 was about.

use crate::authorize::message;
use crate::call::Call;
use crate::error::ApiError;
use crate::iam::request::required;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let encoded = required(params, "EncodedMessage")?;
    call.authorize("sts:DecodeAuthorizationMessage", "*", &[])?;
    let text = message::decode(call.services, encoded)?
        .ok_or_else(|| ApiError::new("InvalidAuthorizationMessageException", "Message is not valid"))?;
    let mut xml = Xml::new();
    xml.text("DecodedMessage", text);
    Ok(xml)
}
