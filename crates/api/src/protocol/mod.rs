//! Wire formats: how requests are read and answers written, without knowing
//! any action.

pub mod json;
pub mod query;
pub mod stamp;
pub mod xml;
