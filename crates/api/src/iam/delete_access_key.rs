//! DeleteAccessKey: a key is good for nothing any more.

use super::request::{authorize, required, user_or_caller};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, user_key};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = required(params, "AccessKeyId")?;
    let user = user_or_caller(call, params)?;
    authorize::<User>(call, "iam:DeleteAccessKey", &user, &[])?;
    call.transact(|cx| user_key::delete(cx, &user, id))?;
    Ok(Xml::new())
}
