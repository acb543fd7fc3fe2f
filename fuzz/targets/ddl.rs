//! Athena's statements: read or refused, and the texts in what is read are texts
//! of the statement.
#![no_main]

use libfuzzer_sys::fuzz_target;

// The module alone: its crate links DataFusion, which need not be built here.
#[path = "../../crates/query/src/ddl/mod.rs"]
#[allow(dead_code)]
mod ddl;

use ddl::{Statement, parse};

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(statement) => {
            let (kind, detail) = statement.kind();
            assert!(!kind.as_str().is_empty() && !detail.is_empty());
            if let Statement::Query(query) | Statement::CreateView { query, .. } = &statement {
                assert!(text.contains(query.as_str()) && !query.is_empty());
            }
            if let Statement::CreateTable(table) = &statement {
                assert!(!table.columns.is_empty());
            }
        }
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1);
            assert!(error.line <= text.matches('\n').count() + 1);
        }
    }
});
