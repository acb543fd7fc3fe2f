//! `ModifyManagedPrefixList`. Source: EC2 API, `ModifyManagedPrefixList`.

use super::{prefix_list as answer, unsupported};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::prefix_list::{self, ModifyPrefixList};
use weir_control::tags;

/// Changes name, size or entries of a prefix list.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    unsupported::refuse(params, &["IpamPrefixListResolverSyncEnabled"])?;
    let remove = params.structs("RemoveEntry").into_iter();
    let request = ModifyPrefixList {
        id: params.required("PrefixListId")?.to_owned(),
        current_version: params.integer("CurrentVersion")?,
        name: params.get("PrefixListName").map(str::to_owned),
        max_entries: params.integer("MaxEntries")?,
        add: answer::entries(params, "AddEntry")?,
        remove: remove.map(|item| item.required("Cidr").map(str::to_owned)).collect::<Result<_, _>>()?,
        is_lax: call.services.settings.emulator,
    };
    let resource = call.arn("ec2", format!("prefix-list/{}", request.id));
    call.authorize_ec2(params, "ec2:ModifyManagedPrefixList", &[resource], &[])?;
    let (list, tags) =
        call.transact(|cx| Ok((prefix_list::modify(cx, &request)?, tags::of(cx, &request.id)?)))?;
    let mut xml = Xml::new();
    xml.element("prefixList", |item| answer::render(item, &list, None, &tags, &call.scope));
    Ok(xml)
}
