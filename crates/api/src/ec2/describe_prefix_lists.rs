//! `DescribePrefixLists`. Source: EC2 API, `DescribePrefixLists`, `PrefixList`.

use super::filter::Filters;
use super::page;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::prefix_list::{self, AmazonList};
use weir_control::{ControlError, region};

const FILTERS: [&str; 2] = ["prefix-list-id", "prefix-list-name"];

/// Lists the prefix lists of AWS's own services.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribePrefixLists", &["*".to_owned()], &[])?;
    let ids = params.list("PrefixListId");
    let mut lists = call.transact(|cx| {
        region::ensure(cx)?;
        if let Some(unknown) = ids.iter().find(|id| !prefix_list::is_amazons(cx, id)) {
            let message = format!("The prefix list ID '{unknown}' does not exist");
            return Err(ControlError::fault("InvalidPrefixListId.NotFound", message));
        }
        Ok(prefix_list::amazons(cx))
    })?;
    lists.retain(|list| ids.is_empty() || ids.contains(&list.id.as_str()));
    lists.retain(|list| {
        filters.pass(&[], |filter| match filter {
            "prefix-list-id" => vec![list.id.to_string()],
            _ => vec![list.name.clone()],
        })
    });
    lists.sort_by(|a, b| a.id.cmp(&b.id));
    let (lists, next) = page::page(lists, params, 5..=1000, |list: &AmazonList| list.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("prefixListSet", lists, |item, list| {
        item.element("cidrSet", |_| {}).text("prefixListId", &list.id).text("prefixListName", &list.name);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}
