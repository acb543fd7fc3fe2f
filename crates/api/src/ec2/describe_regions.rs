//! `DescribeRegions`. Source: EC2 API, `DescribeRegions`, `Region`.

use super::filter::Filters;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::region::{self, OptIn};
use weir_types::arn::partition_of;

const FILTERS: [&str; 3] = ["endpoint", "opt-in-status", "region-name"];

/// Lists the regions of the caller's partition; those that ask for opt-in only
/// if they were used, were named or `AllRegions` is given.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    let all_regions = params.boolean("AllRegions")?.unwrap_or(false);
    call.authorize_ec2(params, "ec2:DescribeRegions", &["*".to_owned()], &[])?;
    let all = call.transact(|cx| {
        region::ensure(cx)?;
        region::list(cx)
    })?;
    let wanted = params.list("RegionName");
    if let Some(unknown) = wanted.iter().find(|name| !all.iter().any(|(known, _)| known == *name)) {
        let message = format!("Invalid region provided: [{unknown}]");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let found = all
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.contains(&name.as_str()))
        .filter(|(_, opt_in)| all_regions || !wanted.is_empty() || *opt_in != OptIn::NotOptedIn)
        .filter(|(name, opt_in)| filters.pass(&[], |filter| values(name, *opt_in, filter)));
    let mut xml = Xml::new();
    xml.set("regionInfo", found, |item, (name, opt_in)| render(item, name, *opt_in));
    Ok(xml)
}

fn values(name: &str, opt_in: OptIn, filter: &str) -> Vec<String> {
    let value = match filter {
        "endpoint" => Some(endpoint(name)),
        "opt-in-status" => Some(opt_in.as_str().to_owned()),
        "region-name" => Some(name.to_owned()),
        _ => None,
    };
    value.into_iter().collect()
}

/// AWS's endpoint of the region: clients of Weir have theirs by a setting.
fn endpoint(name: &str) -> String {
    let suffix = if partition_of(name) == "aws-cn" { ".cn" } else { "" };
    format!("ec2.{name}.amazonaws.com{suffix}")
}

fn render(xml: &mut Xml, name: &str, opt_in: OptIn) {
    xml.text("regionName", name).text("regionEndpoint", endpoint(name)).text("optInStatus", opt_in.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_shown_with_its_endpoint() {
        let mut xml = Xml::new();
        render(&mut xml, "cn-north-1", OptIn::NotRequired);
        assert_eq!(
            xml.as_str(),
            "<regionName>cn-north-1</regionName><regionEndpoint>ec2.cn-north-1.amazonaws.com.cn</regionEndpoint>\
             <optInStatus>opt-in-not-required</optInStatus>"
        );
        for filter in FILTERS {
            assert_eq!(values("us-east-1", OptIn::OptedIn, filter).len(), 1, "{filter}");
        }
    }
}
