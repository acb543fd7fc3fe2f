//! GetSessionToken: temporary credentials of a user for itself. They are good
//! for everything but IAM, and of STS for AssumeRole and GetCallerIdentity.

use super::shape::{credentials, long_term_caller, session_of};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::session;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let duration_s = params.integer("DurationSeconds")?;
    let user = long_term_caller(call, "GetSessionToken")?;
    if params.get("SerialNumber").is_some() || params.get("TokenCode").is_some() {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        return Err(ApiError::new("AccessDenied", message).with_status(403));
    }
    let key = call.transact(|cx| session::session_token(cx, user.as_deref(), duration_s))?;
    let mut xml = Xml::new();
    credentials(&mut xml, &key, session_of(&key)?);
    Ok(xml)
}
