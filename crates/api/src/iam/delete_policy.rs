//! DeletePolicy: a managed policy that nobody has goes.

use super::request::{authorize_policy, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::managed_policy;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    authorize_policy(call, "iam:DeletePolicy", arn, &[])?;
    call.transact(|cx| managed_policy::delete(cx, arn))?;
    Ok(Xml::new())
}
