//! UntagPolicy: tags of a managed policy go by their keys.

use super::request::{authorize_policy, required, tag_keys};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, managed_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    let keys = tag_keys(params)?;
    let context: Vec<(&str, &str)> = keys.iter().map(|key| ("aws:TagKeys", *key)).collect();
    authorize_policy(call, "iam:UntagPolicy", arn, &context)?;
    call.transact(|cx| iam_tag::remove(cx, &managed_policy::get_to_change(cx, arn)?.id, &keys))?;
    Ok(Xml::new())
}
