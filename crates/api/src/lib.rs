//! The AWS services on one endpoint.
//!
//! For: HTTP in, HTTP out. A request goes `verify SigV4 → service from the
//! credential scope → action from the service's table → authorize → apply →
//! render`. One folder a service, one file an action.
//!
//! Not for: what actions do (`control`, `logs`) and who may do what (`iam`).
//!
//! | service | folder | protocol |
//! |---|---|---|
//! | EC2 | [`ec2`] | EC2 query, XML |
//! | IAM, STS | [`iam`], [`sts`] | query, XML |
//! | CloudWatch Logs | [`logs`] | JSON 1.1 |
//! | S3 | [`objects`], in the crate `weir-objects` | REST, XML |
//! | CloudWatch metrics and alarms | [`cloudwatch`] | RPC v2 CBOR, JSON 1.0, query |
//! | Athena | [`athena`] | JSON 1.1 |
//! | Glue, its data catalog | [`glue`] | JSON 1.1 |
//! | Firehose | [`firehose`] | JSON 1.1 |
//! | Weir's own (attach, detach, list) | [`weir`] | JSON 1.1 |

pub mod athena;
pub mod authenticate;
pub mod authorize;
pub mod call;
pub mod cloudwatch;
pub mod dispatch;
pub mod ec2;
pub mod error;
pub mod firehose;
pub mod glue;
pub mod host;
pub mod iam;
pub mod insights;
pub mod intake;
pub mod logs;
pub mod objects;
pub mod protocol;
pub mod service;
pub mod sts;
#[cfg(test)]
pub(crate) mod testing;
pub mod weir;

pub use call::{Call, Outside, Services, Settings};
pub use dispatch::router;
pub use error::ApiError;
