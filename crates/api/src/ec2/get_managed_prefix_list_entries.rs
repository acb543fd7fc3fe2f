//! `GetManagedPrefixListEntries`. Source: EC2 API, `GetManagedPrefixListEntries`.

use super::page;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::prefix_list::{self, Entry};

/// Lists the entries of a version of a prefix list, by block.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (id, version) = (params.required("PrefixListId")?, params.integer("TargetVersion")?);
    let resource = call.arn("ec2", format!("prefix-list/{id}"));
    call.authorize_ec2(params, "ec2:GetManagedPrefixListEntries", &[resource], &[])?;
    let mut entries = call.transact(|cx| prefix_list::entries(cx, id, version))?;
    entries.sort_by(|a, b| a.cidr.cmp(&b.cidr));
    let (entries, next) = page::page(entries, params, 1..=100, |entry: &Entry| entry.cidr.as_str())?;
    let mut xml = Xml::new();
    xml.set("entrySet", entries, |item, entry| {
        item.text("cidr", &entry.cidr).optional("description", entry.description.as_ref());
    });
    xml.optional("nextToken", next);
    Ok(xml)
}
