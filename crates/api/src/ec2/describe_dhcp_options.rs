//! `DescribeDhcpOptions`. Source: EC2 API, `DescribeDhcpOptions`, `DhcpOptions`.

use super::filter::Filters;
use super::tag_spec;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{ControlError, region, tags};

const FILTERS: [&str; 4] = ["dhcp-options-id", "key", "owner-id", "value"];

/// Lists the DHCP options of the region: its one default set.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeDhcpOptions", &["*".to_owned()], &[])?;
    let ids = params.list("DhcpOptionsId");
    let (id, tags) = call.transact(|cx| {
        let id = region::ensure(cx)?.dhcp_options;
        if let Some(unknown) = ids.iter().find(|given| **given != id.as_str()) {
            let message = format!("The dhcpOption ID '{unknown}' does not exist");
            return Err(ControlError::fault("InvalidDhcpOptionID.NotFound", message));
        }
        let tags = tags::of(cx, id.as_str())?;
        Ok((id, tags))
    })?;
    // Source: VPC user guide, "DHCP option sets": what the default set has.
    let region = &call.scope.region;
    let domain = match region.as_str() {
        "us-east-1" => "ec2.internal".to_owned(),
        _ => format!("{region}.compute.internal"),
    };
    let options = [("domain-name", domain), ("domain-name-servers", "AmazonProvidedDNS".to_owned())];
    let passes = filters.pass(&tags, |filter| match filter {
        "dhcp-options-id" => vec![id.to_string()],
        "key" => options.iter().map(|(key, _)| (*key).to_owned()).collect(),
        "owner-id" => vec![call.scope.account.clone()],
        _ => options.iter().map(|(_, value)| value.clone()).collect(),
    });
    let mut xml = Xml::new();
    xml.set("dhcpOptionsSet", passes.then_some(&id), |item, id| {
        item.text("dhcpOptionsId", id).text("ownerId", &call.scope.account);
        item.set("dhcpConfigurationSet", &options, |item, (key, value)| {
            item.text("key", key).set("valueSet", [value], |item, value| {
                item.text("value", value);
            });
        });
        tag_spec::render(item, &tags);
    });
    Ok(xml)
}
