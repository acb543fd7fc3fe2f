//! ListInstanceProfiles: the instance profiles below a path, without their tags.

use super::list_instance_profiles_for_role::render;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::instance_profile;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let prefix = params.get("PathPrefix").unwrap_or("/");
    let resource = instance_profile::arn(&call.scope, prefix, "").to_string();
    call.authorize("iam:ListInstanceProfiles", &resource, &[])?;
    let profiles = call.transact(|cx| instance_profile::list(cx, prefix))?;
    render(call, params, &profiles)
}
