//! TagInstanceProfile: tags for an instance profile.

use super::request::{authorize_profile, lent, request_tag_keys, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, instance_profile};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "InstanceProfileName")?;
    let tags = tags(params)?;
    authorize_profile(call, "iam:TagInstanceProfile", name, &lent(&request_tag_keys(&tags)))?;
    call.transact(|cx| iam_tag::set(cx, &instance_profile::get(cx, name)?.id, &tags))?;
    Ok(Xml::new())
}
