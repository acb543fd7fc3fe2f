//! ListPolicyTags: the tags of a managed policy in key order.

use super::page;
use super::request::{authorize_policy, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, managed_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    authorize_policy(call, "iam:ListPolicyTags", arn, &[])?;
    let tags = call.transact(|cx| match managed_policy::get(cx, arn)? {
        policy if policy.is_aws() => Ok(Vec::new()),
        policy => iam_tag::of(cx, &policy.id),
    })?;
    page::render_tags(tags, params)
}
