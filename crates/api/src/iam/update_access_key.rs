//! UpdateAccessKey: a key becomes active or inactive.

use super::request::{authorize, one_of, required, user_or_caller};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, user_key};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = required(params, "AccessKeyId")?;
    required(params, "Status")?;
    let status = one_of(params, "Status", &["Active", "Inactive"])?;
    let user = user_or_caller(call, params)?;
    authorize::<User>(call, "iam:UpdateAccessKey", &user, &[])?;
    call.transact(|cx| user_key::set_active(cx, &user, id, status == Some("Active")))?;
    Ok(Xml::new())
}
