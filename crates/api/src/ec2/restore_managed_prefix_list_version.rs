//! `RestoreManagedPrefixListVersion`. Source: EC2 API,
//! `RestoreManagedPrefixListVersion`.

use super::prefix_list as answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{prefix_list, tags};

/// Gives a prefix list the entries of an earlier version.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("PrefixListId")?;
    let version = |name: &str| {
        params.required(name)?;
        Ok::<_, ApiError>(params.integer(name)?.unwrap_or(0))
    };
    let (previous, current) = (version("PreviousVersion")?, version("CurrentVersion")?);
    let resource = call.arn("ec2", format!("prefix-list/{id}"));
    call.authorize_ec2(params, "ec2:RestoreManagedPrefixListVersion", &[resource], &[])?;
    let (list, tags) =
        call.transact(|cx| Ok((prefix_list::restore(cx, id, previous, current)?, tags::of(cx, id)?)))?;
    let mut xml = Xml::new();
    xml.element("prefixList", |item| answer::render(item, &list, None, &tags, &call.scope));
    Ok(xml)
}
