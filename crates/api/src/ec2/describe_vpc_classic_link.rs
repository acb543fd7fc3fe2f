//! `DescribeVpcClassicLink`. Source: EC2 API, `DescribeVpcClassicLink`; EC2 user
//! guide, "EC2-Classic", which is no more.

use super::filter::Filters;
use super::tag_spec;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc::{self, Vpc};
use weir_control::{region, tags};

/// Lists VPCs, of which none is linked to EC2-Classic.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &["is-classic-link-enabled"])?;
    call.authorize_ec2(params, "ec2:DescribeVpcClassicLink", &["*".to_owned()], &[])?;
    let vpcs = call.transact(|cx| {
        region::ensure(cx)?;
        let vpcs: Vec<Vpc> = vpc::FAULTS.select(cx, &params.list("VpcId"))?;
        vpcs.into_iter()
            .map(|vpc| Ok((vpc.id.clone(), tags::of(cx, vpc.id.as_str())?)))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let shown = vpcs.into_iter().filter(|(_, tags)| filters.pass(tags, |_| vec!["false".to_owned()]));
    let mut xml = Xml::new();
    xml.set("vpcSet", shown, |item, (vpc, tags)| {
        item.text("classicLinkEnabled", false);
        tag_spec::render(item, &tags);
        item.text("vpcId", vpc);
    });
    Ok(xml)
}
