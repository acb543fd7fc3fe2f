//! `DescribeInstances`. Source: EC2 API, `DescribeInstances`, `Instance`.

use super::filter::Filters;
use super::instance::{self, FILTERS, Shown};
use super::{describe_network_interfaces as interfaces, page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp::iso_millis;
use crate::protocol::xml::Xml;

/// Lists instances: hosts with attached interfaces, a reservation each. What
/// EC2 knows of a machine beyond its interfaces is left out.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeInstances", &["*".to_owned()], &[])?;
    let found = instance::select(call, params, &filters)?;
    let (found, next) = page::page(found, params, 5..=1000, |shown: &Shown| shown.instance.id.as_str())?;
    let account = &call.scope.account;
    let mut xml = Xml::new();
    xml.set("reservationSet", found, |item, shown| {
        item.text("reservationId", shown.instance.id.as_str().replacen("i-", "r-", 1));
        item.text("ownerId", account).element("groupSet", |_| {});
        item.set("instancesSet", [&shown], |item, shown| render(item, shown, account));
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

fn render(xml: &mut Xml, shown: &Shown, account: &str) {
    xml.text("instanceId", &shown.instance.id).element("instanceState", |state| {
        state.text("code", 16).text("name", "running");
    });
    xml.text("launchTime", iso_millis(shown.instance.since));
    if let Some(primary) = shown.primary() {
        let interface = &primary.interface;
        xml.element("placement", |place| {
            place.text("availabilityZone", &interface.az).text("availabilityZoneId", &interface.az_id);
            place.text("tenancy", "default");
        });
        xml.text("subnetId", &interface.subnet).text("vpcId", &interface.vpc);
        xml.optional("privateIpAddress", interface.primary_ipv4());
        xml.text("sourceDestCheck", interface.source_dest_check);
        interfaces::render_groups(xml, primary);
    }
    xml.set("networkInterfaceSet", &shown.interfaces, |item, one| interfaces::render(item, one, account));
    tag_spec::render(xml, &shown.tags);
}
