//! Words of the domain as plain data: what every other crate of Weir agrees on.
//!
//! For: AWS resource ids and ARNs ([`id`], [`arn`]), addresses, ports and
//! protocols ([`net`]), security group and network ACL rules as an agent needs
//! them ([`rule`]), flow log vocabulary ([`flow_log`]), units of metrics
//! ([`metric`]), instants ([`time`]) and the orders that a host receives from the control plane ([`orders`]).
//!
//! Not for: behaviour. Nothing here opens a socket or a file, reads a clock or
//! draws a random number; time and randomness are arguments.

pub mod arn;
pub mod flow_log;
pub mod id;
pub mod metric;
pub mod net;
pub mod orders;
pub mod rule;
pub mod time;
