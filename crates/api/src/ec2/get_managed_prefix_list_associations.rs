//! `GetManagedPrefixListAssociations`. Source: EC2 API,
//! `GetManagedPrefixListAssociations`.

use super::page;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::prefix_list;

/// Lists the security groups whose rules name a prefix list.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("PrefixListId")?;
    let resource = call.arn("ec2", format!("prefix-list/{id}"));
    call.authorize_ec2(params, "ec2:GetManagedPrefixListAssociations", &[resource], &[])?;
    let groups = call.transact(|cx| prefix_list::referencing(cx, &prefix_list::find(cx, id)?.id))?;
    let (groups, next) = page::page(groups, params, 5..=255, |group| group.as_str())?;
    let mut xml = Xml::new();
    xml.set("prefixListAssociationSet", groups, |item, group| {
        item.text("resourceId", group).text("resourceOwner", &call.scope.account);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}
