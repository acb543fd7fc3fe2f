//! `DescribeManagedPrefixLists`. Source: EC2 API, `DescribeManagedPrefixLists`,
//! `ManagedPrefixList`.

use super::filter::Filters;
use super::{page, prefix_list as answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::prefix_list::{self, AmazonList, PrefixList};
use weir_control::{region, tags};

const FILTERS: [&str; 3] = ["owner-id", "prefix-list-id", "prefix-list-name"];

/// A list of the account with its tags, or one of AWS.
enum Shown {
    Own(PrefixList, Vec<(String, String)>),
    Amazons(AmazonList),
}

impl Shown {
    fn id(&self) -> &str {
        match self {
            Self::Own(list, _) => list.id.as_str(),
            Self::Amazons(list) => list.id.as_str(),
        }
    }
}

/// Lists prefix lists, AWS's own among them.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeManagedPrefixLists", &["*".to_owned()], &[])?;
    let ids = params.list("PrefixListId");
    let all = call.transact(|cx| {
        region::ensure(cx)?;
        let wanted = |id: &str| ids.is_empty() || ids.contains(&id);
        let mut amazons = prefix_list::amazons(cx);
        amazons.retain(|list| wanted(list.id.as_str()));
        let own: Vec<&str> = ids.iter().copied().filter(|id| !prefix_list::is_amazons(cx, id)).collect();
        let own: Vec<PrefixList> = match own.is_empty() && !ids.is_empty() {
            true => Vec::new(),
            false => prefix_list::FAULTS.select(cx, &own)?,
        };
        let mut all: Vec<Shown> = amazons.into_iter().map(Shown::Amazons).collect();
        for list in own {
            let tags = tags::of(cx, list.id.as_str())?;
            all.push(Shown::Own(list, tags));
        }
        all.sort_by(|a, b| a.id().cmp(b.id()));
        Ok(all)
    })?;
    let account = &call.scope.account;
    let pass = |shown: &Shown| {
        let (owner, name, tags) = match shown {
            Shown::Own(list, tags) => (account.as_str(), &list.name, tags.as_slice()),
            Shown::Amazons(list) => ("AWS", &list.name, [].as_slice()),
        };
        filters.pass(tags, |filter| {
            vec![match filter {
                "owner-id" => owner.to_owned(),
                "prefix-list-id" => shown.id().to_owned(),
                _ => name.clone(),
            }]
        })
    };
    let found = all.into_iter().filter(pass).collect();
    let (lists, next) = page::page(found, params, 1..=100, Shown::id)?;
    let mut xml = Xml::new();
    xml.set("prefixListSet", lists, |item, shown| match &shown {
        Shown::Own(list, tags) => answer::render(item, list, None, tags, &call.scope),
        Shown::Amazons(list) => answer::render_amazons(item, list, &call.scope),
    });
    xml.optional("nextToken", next);
    Ok(xml)
}
