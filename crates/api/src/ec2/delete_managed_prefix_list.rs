//! `DeleteManagedPrefixList`. Source: EC2 API, `DeleteManagedPrefixList`.

use super::prefix_list as answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::prefix_list;

/// Removes a prefix list that no rule names.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("PrefixListId")?;
    let resource = call.arn("ec2", format!("prefix-list/{id}"));
    call.authorize_ec2(params, "ec2:DeleteManagedPrefixList", &[resource], &[])?;
    let list = call.transact(|cx| prefix_list::delete(cx, id))?;
    let mut xml = Xml::new();
    xml.element("prefixList", |item| {
        answer::render(item, &list, Some("delete-complete"), &[], &call.scope);
    });
    Ok(xml)
}
