//! ListInstanceProfileTags: the tags of an instance profile in key order.

use super::page;
use super::request::{authorize_profile, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, instance_profile};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    authorize_profile(call, "iam:ListInstanceProfileTags", name, &[])?;
    let tags = call.transact(|cx| iam_tag::of(cx, &instance_profile::get(cx, name)?.id))?;
    page::render_tags(tags, params)
}
