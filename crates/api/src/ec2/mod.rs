//! EC2: VPCs, subnets, interfaces, security groups, network ACLs, flow logs.
//!
//! Wire: EC2 query protocol, version 2016-11-15. An action is a function from
//! parameters to the members of its answer; [`ACTIONS`] lists them all.

pub mod filter;
pub mod page;
pub mod tag_spec;

use crate::protocol::xml::Xml;
pub use crate::service::QueryAction as Action;

/// Every EC2 action, by name.
pub const ACTIONS: &[Action] = &[];

/// The API version that clients send.
pub const VERSION: &str = "2016-11-15";

/// The namespace of answers.
pub const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// `<return>true</return>`: the answer of actions without output.
pub fn done() -> Xml {
    let mut xml = Xml::new();
    xml.text("return", true);
    xml
}
