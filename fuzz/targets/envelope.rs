//! Log events in JSON, plain or as a base64 payload: read or refused, and what
//! is read does not depend on how the input is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::{self, Read};

// The modules alone: their crate links DataFusion, which need not be built here.
#[allow(dead_code)]
#[path = "../../crates/query/src/files/json.rs"]
mod json;
#[allow(dead_code)]
#[path = "../../crates/query/src/files/payload.rs"]
mod payload;

/// Gives one byte at a time.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(into.len()).min(1);
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn lines(source: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    json::JsonLines::new(source).take(1 << 20).read_to_end(&mut out).ok().map(|_| out)
}

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(lines(bytes), lines(Dribble(bytes)));
    let _ = payload::decode(bytes).is_ok();
});
