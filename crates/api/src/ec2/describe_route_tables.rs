//! `DescribeRouteTables`. Source: EC2 API, `DescribeRouteTables`, `RouteTable`.

use super::filter::Filters;
use super::{page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::route_table::{self, RouteTable};
use weir_control::{region, tags};
use weir_types::net::IpNet;

/// Filters on routes and associations that no table here has.
const ABSENT: [&str; 12] = [
    "association.gateway-id",
    "association.subnet-id",
    "route.destination-prefix-list-id",
    "route.egress-only-internet-gateway-id",
    "route.instance-id",
    "route.nat-gateway-id",
    "route.transit-gateway-id",
    "route.vpc-peering-connection-id",
    "route.carrier-gateway-id",
    "route.local-gateway-id",
    "route.network-interface-id",
    "route.core-network-arn",
];

const FILTERS: [&str; 11] = [
    "association.main",
    "association.route-table-association-id",
    "association.route-table-id",
    "owner-id",
    "route-table-id",
    "route.destination-cidr-block",
    "route.destination-ipv6-cidr-block",
    "route.gateway-id",
    "route.origin",
    "route.state",
    "vpc-id",
];

type Tagged = (RouteTable, Vec<(String, String)>);

/// Lists route tables: the main one of each VPC.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &[&FILTERS[..], &ABSENT].concat())?;
    call.authorize_ec2(params, "ec2:DescribeRouteTables", &["*".to_owned()], &[])?;
    let ids = params.list("RouteTableId");
    let all: Vec<Tagged> = call.transact(|cx| {
        region::ensure(cx)?;
        for id in &ids {
            route_table::find(cx, id)?;
        }
        let mut all = route_table::all(cx)?;
        all.retain(|table| ids.is_empty() || ids.contains(&table.id.as_str()));
        all.into_iter().map(|table| Ok((table.clone(), tags::of(cx, &table.id)?))).collect()
    })?;
    let account = &call.scope.account;
    let pass = |(table, tags): &Tagged| filters.pass(tags, |name| values(table, name, account));
    let found = all.into_iter().filter(pass).collect();
    let (tables, next) = page::page(found, params, 5..=100, |(table, _): &Tagged| table.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("routeTableSet", tables, |item, (table, tags)| render(item, &table, &tags, account));
    xml.optional("nextToken", next);
    Ok(xml)
}

fn values(table: &RouteTable, filter: &str, account: &str) -> Vec<String> {
    let blocks = |wanted: fn(&IpNet) -> bool| {
        table.vpc.cidrs().iter().filter(|block| wanted(block)).map(ToString::to_string).collect()
    };
    match filter {
        "association.main" => vec!["true".to_owned()],
        "association.route-table-association-id" => vec![table.association.clone()],
        "association.route-table-id" | "route-table-id" => vec![table.id.clone()],
        "owner-id" => vec![account.to_owned()],
        "route.destination-cidr-block" => blocks(|block| matches!(block, IpNet::V4(_))),
        "route.destination-ipv6-cidr-block" => blocks(|block| matches!(block, IpNet::V6(_))),
        "route.gateway-id" => vec!["local".to_owned()],
        "route.origin" => vec!["CreateRouteTable".to_owned()],
        "route.state" => vec!["active".to_owned()],
        "vpc-id" => vec![table.vpc.id.to_string()],
        _ => Vec::new(),
    }
}

fn render(xml: &mut Xml, table: &RouteTable, tags: &[(String, String)], account: &str) {
    xml.text("routeTableId", &table.id).text("vpcId", &table.vpc.id).text("ownerId", account);
    xml.set("routeSet", table.vpc.cidrs(), |item, block| {
        let name = match block {
            IpNet::V4(_) => "destinationCidrBlock",
            IpNet::V6(_) => "destinationIpv6CidrBlock",
        };
        item.text(name, block).text("gatewayId", "local").text("state", "active");
        item.text("origin", "CreateRouteTable");
    });
    xml.set("associationSet", [&table.association], |item, id| {
        item.text("routeTableAssociationId", id).text("routeTableId", &table.id).text("main", true);
        item.element("associationState", |state| {
            state.text("state", "associated");
        });
    });
    xml.element("propagatingVgwSet", |_| {});
    tag_spec::render(xml, tags);
}
