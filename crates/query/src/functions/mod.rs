//! SQL functions beside DataFusion's own, with Trino's names and meanings: one
//! file for each family. A function of ours takes the place of DataFusion's of
//! the same name, where that means something else.
//!
//! Source: Trino documentation, "Functions and operators".

mod aggregates;
mod checked;
mod collections;
pub(crate) mod datetime;
mod durations;
mod encoding;
mod format;
mod hash;
mod higher;
pub mod ip;
mod json;
mod maps;
mod math;
mod scalar;
mod text;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;

use datafusion::prelude::SessionContext;

/// Makes Trino's known to a session.
pub fn register_trino(session: &SessionContext) {
    let families = [
        collections::functions(),
        datetime::functions(),
        durations::functions(),
        encoding::functions(),
        format::functions(),
        ip::functions(session),
        json::functions(),
        maps::functions(),
        math::functions(),
        text::functions(),
    ];
    for function in families.into_iter().flatten() {
        session.register_udf(function);
    }
    for function in higher::functions() {
        session.register_higher_order_function(function);
    }
    for function in aggregates::functions() {
        session.register_udaf(function);
    }
    checked::register(session);
}
