//! Managed prefix lists, as their actions read and answer them.

use super::tag_spec;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::Scope;
use weir_control::prefix_list::{AmazonList, Entry, PrefixList};

/// Reads a list of entries with descriptions: `Entry.N`, `AddEntry.N`.
pub fn entries(params: &Params, name: &str) -> Result<Vec<Entry>, ApiError> {
    let entry = |item: Params| {
        let description = item.get("Description").map(str::to_owned);
        Ok(Entry { cidr: item.required("Cidr")?.to_owned(), description })
    };
    params.structs(name).into_iter().map(entry).collect()
}

/// Writes the members of a `ManagedPrefixList`. `state` is for one that is gone.
pub fn render(
    xml: &mut Xml,
    list: &PrefixList,
    state: Option<&str>,
    tags: &[(String, String)],
    scope: &Scope,
) {
    let complete = format!("{}-complete", list.last);
    xml.text("prefixListId", &list.id).text("addressFamily", &list.family);
    xml.text("state", state.unwrap_or(&complete)).text("prefixListArn", arn(scope, list.id.as_str()));
    xml.text("prefixListName", &list.name).text("maxEntries", list.max_entries);
    xml.text("version", list.version);
    tag_spec::render(xml, tags);
    xml.text("ownerId", &scope.account);
}

/// The same of a list of AWS's own.
pub fn render_amazons(xml: &mut Xml, list: &AmazonList, scope: &Scope) {
    let mut arn = scope.arn("ec2", format!("prefix-list/{}", list.id));
    arn.account = "aws".to_owned();
    xml.text("prefixListId", &list.id).text("addressFamily", "IPv4").text("state", "create-complete");
    xml.text("prefixListArn", arn).text("prefixListName", &list.name);
    tag_spec::render(xml, &[]);
    xml.text("ownerId", "AWS");
}

fn arn(scope: &Scope, id: &str) -> String {
    scope.arn("ec2", format!("prefix-list/{id}")).to_string()
}
