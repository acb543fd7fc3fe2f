//! Main route tables. Each VPC has one, with a local route for each of its
//! blocks; there are no others, since Weir does not route.
//!
//! A table's id has the digits of its VPC's.
//!
//! Source: VPC user guide, "Route tables", "Main route table".

use crate::error::{ControlError, Result};
use crate::state::Cx;
use crate::vpc::Vpc;

/// The main route table of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    /// `rtb-…`
    pub id: String,
    /// The main association, `rtbassoc-…`.
    pub association: String,
    pub vpc: Vpc,
}

impl RouteTable {
    pub fn of(vpc: Vpc) -> Self {
        let with = |prefix: &str| vpc.id.as_str().replacen("vpc-", prefix, 1);
        Self { id: with("rtb-"), association: with("rtbassoc-"), vpc }
    }
}

/// Every route table, by id.
pub fn all(cx: Cx<'_>) -> Result<Vec<RouteTable>> {
    Ok(cx.tx.list::<Vpc>(cx.scope)?.into_iter().map(RouteTable::of).collect())
}

/// The route table with this id.
///
/// Errors: `InvalidRouteTableID.NotFound`.
pub fn find(cx: Cx<'_>, id: &str) -> Result<RouteTable> {
    let vpc = id.strip_prefix("rtb-").map(|digits| format!("vpc-{digits}"));
    let vpc = vpc.map(|id| cx.tx.get::<Vpc>(cx.scope, &id)).transpose()?.flatten();
    vpc.map(RouteTable::of).ok_or_else(|| {
        let message = format!("The routeTable ID '{id}' does not exist");
        ControlError::fault("InvalidRouteTableID.NotFound", message)
    })
}
