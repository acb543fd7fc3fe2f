//! UntagInstanceProfile: tags of an instance profile go by their keys.

use super::request::{authorize_profile, required, tag_keys};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, instance_profile};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    let keys = tag_keys(params)?;
    let context: Vec<(&str, &str)> = keys.iter().map(|key| ("aws:TagKeys", *key)).collect();
    authorize_profile(call, "iam:UntagInstanceProfile", name, &context)?;
    call.transact(|cx| iam_tag::remove(cx, &instance_profile::get(cx, name)?.id, &keys))?;
    Ok(Xml::new())
}
