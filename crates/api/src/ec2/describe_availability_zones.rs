//! `DescribeAvailabilityZones`. Source: EC2 API, `DescribeAvailabilityZones`,
//! `AvailabilityZone`.

use super::filter::Filters;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::region::{self, Zone};

/// Filters on what only local and Wavelength zones, or zones in trouble, have:
/// nothing passes them.
const ABSENT: [&str; 4] = ["group-long-name", "message", "parent-zone-id", "parent-zone-name"];

const FILTERS: [&str; 8] = [
    "group-name",
    "network-border-group",
    "opt-in-status",
    "region-name",
    "state",
    "zone-id",
    "zone-name",
    "zone-type",
];

/// Lists the zones of the caller's region.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &[&FILTERS[..], &ABSENT].concat())?;
    call.authorize_ec2(params, "ec2:DescribeAvailabilityZones", &["*".to_owned()], &[])?;
    call.transact(region::ensure)?;
    let region = call.scope.region.as_str();
    let zones = region::zones(region);
    let (names, ids) = (params.list("ZoneName"), params.list("ZoneId"));
    for (kind, wanted, of) in [
        ("availability-zone", &names, (|zone| &zone.name) as fn(&Zone) -> &String),
        ("availability-zone-id", &ids, |zone| &zone.id),
    ] {
        if let Some(unknown) = wanted.iter().find(|text| !zones.iter().any(|zone| of(zone) == **text)) {
            let message = format!("Invalid {kind}: [{unknown}]");
            return Err(ApiError::new("InvalidParameterValue", message));
        }
    }
    let found = zones
        .iter()
        .filter(|zone| names.is_empty() || names.contains(&zone.name.as_str()))
        .filter(|zone| ids.is_empty() || ids.contains(&zone.id.as_str()))
        .filter(|zone| filters.pass(&[], |filter| values(zone, region, filter)));
    let mut xml = Xml::new();
    xml.set("availabilityZoneInfo", found, |item, zone| render(item, zone, region));
    Ok(xml)
}

fn values(zone: &Zone, region: &str, filter: &str) -> Vec<String> {
    let value = match filter {
        "group-name" => Some(format!("{region}-zg-1")),
        "network-border-group" | "region-name" => Some(region.to_owned()),
        "opt-in-status" => Some("opt-in-not-required".to_owned()),
        "state" => Some("available".to_owned()),
        "zone-id" => Some(zone.id.clone()),
        "zone-name" => Some(zone.name.clone()),
        "zone-type" => Some("availability-zone".to_owned()),
        _ => None,
    };
    value.into_iter().collect()
}

fn render(xml: &mut Xml, zone: &Zone, region: &str) {
    xml.text("zoneName", &zone.name).text("zoneId", &zone.id).text("zoneState", "available");
    xml.text("regionName", region).text("groupName", format!("{region}-zg-1"));
    xml.text("networkBorderGroup", region).text("zoneType", "availability-zone");
    xml.text("optInStatus", "opt-in-not-required").set("messageSet", Vec::<&str>::new(), |_, _| {});
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_shown_with_all_members() {
        let zone = Zone { name: "us-east-1a".to_owned(), id: "use1-az1".to_owned() };
        let mut xml = Xml::new();
        render(&mut xml, &zone, "us-east-1");
        assert_eq!(
            xml.as_str(),
            "<zoneName>us-east-1a</zoneName><zoneId>use1-az1</zoneId><zoneState>available</zoneState>\
             <regionName>us-east-1</regionName><groupName>us-east-1-zg-1</groupName>\
             <networkBorderGroup>us-east-1</networkBorderGroup><zoneType>availability-zone</zoneType>\
             <optInStatus>opt-in-not-required</optInStatus><messageSet/>"
        );
        for filter in FILTERS {
            assert_eq!(values(&zone, "us-east-1", filter).len(), 1, "{filter}");
        }
    }
}
