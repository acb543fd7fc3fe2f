//! The body of a JSON 1.1 request: read or refused, never otherwise than
//! serde_json reads it, and every way to read a member.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use weir_api::protocol::json::{Members, parse};

fn read(members: Members<'_>, depth: usize) {
    for (name, value) in members.entries().take(64) {
        let is_null = value.is_null();
        assert_eq!(members.text(name).is_ok(), is_null || value.is_string());
        assert_eq!(members.boolean(name).is_ok(), is_null || value.is_boolean());
        assert_eq!(members.list(name).is_ok(), is_null || value.is_array());
        if let Ok(Some(texts)) = members.texts(name) {
            assert_eq!(texts.len(), value.as_array().map_or(0, Vec::len));
        }
        if let Ok(Some(number)) = members.integer(name) {
            assert!(value.is_number());
            assert!(value.as_i64().is_none_or(|exact| exact == number));
        }
        if let (Ok(Some(inner)), true) = (members.object(name), depth < 200) {
            read(inner, depth + 1);
        }
    }
}

fuzz_target!(|body: &[u8]| {
    let oracle = serde_json::from_slice::<Map<String, Value>>(body);
    match parse(body) {
        Ok(members) if body.is_empty() => assert!(members.is_empty()),
        Ok(members) => {
            read(Members::new(&members), 0);
            assert_eq!(Some(members), oracle.ok());
        }
        // Nothing of this size has too many values.
        Err(_) => assert!(oracle.is_err() || body.len() > 200_000),
    }
});
