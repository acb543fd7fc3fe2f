//! A policy document of each kind: read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_iam::{DocumentKind, PolicyDocument};

fuzz_target!(|text: &str| {
    for kind in [DocumentKind::Identity, DocumentKind::Trust, DocumentKind::Resource] {
        if let Err(error) = PolicyDocument::parse(text, kind) {
            assert!(!error.to_string().is_empty());
        }
    }
});
