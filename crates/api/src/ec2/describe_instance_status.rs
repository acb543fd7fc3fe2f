//! `DescribeInstanceStatus`. Source: EC2 API, `DescribeInstanceStatus`,
//! `InstanceStatus`.

use super::filter::Filters;
use super::instance::{self, Shown};
use super::page;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;

const FILTERS: [&str; 4] =
    ["availability-zone", "availability-zone-id", "instance-state-code", "instance-state-name"];

/// Lists the states of instances. They run as long as interfaces are attached.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeInstanceStatus", &["*".to_owned()], &[])?;
    let found = instance::select(call, params, &filters)?;
    let (found, next) = page::page(found, params, 5..=1000, |shown: &Shown| shown.instance.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("instanceStatusSet", found, |item, shown| {
        item.text("instanceId", &shown.instance.id);
        if let Some(primary) = shown.primary() {
            item.text("availabilityZone", &primary.interface.az);
            item.text("availabilityZoneId", &primary.interface.az_id);
        }
        item.element("instanceState", |state| {
            state.text("code", 16).text("name", "running");
        });
        for name in ["instanceStatus", "systemStatus"] {
            item.element(name, |status| {
                status.text("status", "not-applicable").element("details", |_| {});
            });
        }
    });
    xml.optional("nextToken", next);
    Ok(xml)
}
