//! GetPolicy: a managed policy without its document.

use super::request::{authorize_policy, required};
use super::shape::{self, Usage};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::attachment::Entities;
use weir_control::principal::{iam_tag, managed_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    authorize_policy(call, "iam:GetPolicy", arn, &[])?;
    let (policy, usage, tags) = call.transact(|cx| {
        let policy = managed_policy::get(cx, arn)?;
        let usage = Usage::of(&Entities::all(cx)?, &policy);
        let tags = if policy.is_aws() { Vec::new() } else { iam_tag::of(cx, &policy.id)? };
        Ok((policy, usage, tags))
    })?;
    let mut xml = Xml::new();
    xml.element("Policy", |xml| {
        shape::managed_policy(xml, &policy, usage);
        xml.optional("Description", policy.description.as_deref());
        xml.list("Tags", "member", &tags, shape::tag);
    });
    Ok(xml)
}
