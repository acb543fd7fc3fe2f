//! IAM policy documents and their evaluation, and SigV4 verification: who a
//! request comes from, and whether it may do what it asks.
//!
//! ```text
//! request ─▶ sigv4::parse ─▶ (caller looks up the access key) ─▶ sigv4::verify ─▶ Principal
//! Principal + action + resource + Context + Policies ─▶ evaluate ─▶ Decision
//! Principal + role + trust policy ─▶ may_assume_role ─▶ Decision
//! ```
//!
//! Not for: storing principals and policies, HTTP, or rendering responses. The
//! crate has no clock, randomness, files or sockets; instants are arguments.
//!
//! Source for the rules: IAM user guide, "Policy evaluation logic" and "IAM JSON
//! policy element reference"; "Create a signed AWS API request".

pub mod condition;
pub mod context;
pub mod decision;
pub mod document;
pub mod evaluate;
pub mod names;
pub mod pattern;
pub mod principal;
pub mod sealed;
pub mod secret;
pub mod sigv4;
pub mod trust;
pub mod variable;

pub use context::{Context, ContextValue};
pub use decision::{Decision, PolicyKind};
pub use document::{DocumentKind, Effect, PolicyDocument, PolicyError, PolicyQuota};
pub use evaluate::{NamedPolicy, Policies, Request, evaluate};
pub use principal::Principal;
pub use secret::{SecretAccessKey, SessionToken};
pub use trust::{AssumeRole, may_assume_role};
