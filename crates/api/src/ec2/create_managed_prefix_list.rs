//! `CreateManagedPrefixList`. Source: EC2 API, `CreateManagedPrefixList`.

use super::{prefix_list as answer, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::prefix_list::{self, CreatePrefixList};

/// Makes a prefix list.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let request = CreatePrefixList {
        name: params.required("PrefixListName")?.to_owned(),
        family: params.required("AddressFamily")?.to_owned(),
        max_entries: params.required("MaxEntries").and_then(|_| params.integer("MaxEntries"))?.unwrap_or(0),
        entries: answer::entries(params, "Entry")?,
        client_token: params.get("ClientToken").map(str::to_owned),
        is_lax: call.services.settings.emulator,
        tags: tag_spec::parse(params, "prefix-list")?,
    };
    let resource = call.arn("ec2", "prefix-list/*");
    call.authorize_ec2(params, "ec2:CreateManagedPrefixList", &[resource], &[])?;
    let list = call.transact(|cx| prefix_list::create(cx, &request))?;
    let mut xml = Xml::new();
    xml.element("prefixList", |item| answer::render(item, &list, None, &request.tags, &call.scope));
    Ok(xml)
}
