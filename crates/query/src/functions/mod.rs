//! SQL functions beside DataFusion's own, with Trino's names and meanings: one
//! file for each family. A function of ours takes the place of DataFusion's of
//! the same name, where that means something else.
//!
//! Source: Trino documentation, "Functions and operators".

mod collections;
pub(crate) mod datetime;
mod encoding;
pub mod ip;
mod math;
mod scalar;
mod text;

#[cfg(test)]
mod tests;

use datafusion::prelude::SessionContext;

/// Makes Trino's known to a session.
pub fn register_trino(session: &SessionContext) {
    let families = [
        collections::functions(),
        datetime::functions(),
        encoding::functions(),
        ip::functions(session),
        math::functions(),
        text::functions(),
    ];
    for function in families.into_iter().flatten() {
        session.register_udf(function);
    }
}
