//! Weir: VPC Flow Logs for networks you run yourself.
//!
//! The binary's inside: one file a command in [`commands`], the host's agent in
//! [`agent`], the server that joins it with the AWS services in [`server`], what
//! reads files of records in [`records`], captures to records in [`replay`], SQL
//! over records in [`query`].

pub mod agent;
pub mod athena;
pub mod aws_ranges;
mod client;
pub mod commands;
pub mod demo;
pub mod destinations;
pub mod event_stream;
pub mod home;
mod insights;
pub mod listen;
pub mod observe;
pub mod outward;
pub mod query;
pub mod records;
pub mod replay;
pub mod server;
mod streams;
