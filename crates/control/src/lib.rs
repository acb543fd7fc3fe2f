//! The control plane: VPC resources, flow logs and principals, and the state
//! they rest in.
//!
//! For: what an action of the AWS API does to the account, as functions over
//! one transaction ([`Tx`]). Knows AWS's words, rules, limits and error codes.
//!
//! Not for: HTTP, XML, signatures, who may call what (that is `api` and
//! `iam`). Nothing here reads a clock: `now` is in [`Cx`].
//!
//! Invariant: one action is one transaction; it is applied whole or not at all.

pub mod address;
pub mod address_pool;
pub mod athena;
pub mod attachment;
pub mod catalog;
pub mod cidr;
pub mod client_token;
pub mod delivery_stream;
pub mod error;
pub mod flow_log;
pub mod instance;
pub mod interface_index;
pub mod ipv6_address;
pub mod lookup;
pub mod network_acl;
pub mod network_interface;
pub mod observed;
pub mod orders;
pub mod prefix_list;
pub mod principal;
pub mod random;
pub mod region;
pub mod route_table;
pub mod rules;
pub mod secondary_address;
pub mod security_group;
pub mod state;
pub mod subnet;
pub mod subnet_cidr;
pub mod tags;
pub mod vpc;
pub mod vpc_cidr;

pub use error::{ControlError, Result};
pub use state::{Cx, Resource, Scope, State, Tx};

#[cfg(test)]
mod test_world;

#[cfg(test)]
mod network_tests;
