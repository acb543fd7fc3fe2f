//! TagPolicy: tags for a managed policy.

use super::request::{authorize_policy, lent, request_tag_keys, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, managed_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    let tags = tags(params)?;
    authorize_policy(call, "iam:TagPolicy", arn, &lent(&request_tag_keys(&tags)))?;
    call.transact(|cx| iam_tag::set(cx, &managed_policy::get_to_change(cx, arn)?.id, &tags))?;
    Ok(Xml::new())
}
