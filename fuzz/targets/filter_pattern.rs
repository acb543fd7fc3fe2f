//! A filter pattern and a message: compiled or refused; a match that promises a
//! literal has it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_logs::pattern::Pattern;

fuzz_target!(|input: (&str, &str)| {
    let (text, message) = input;
    let Ok(pattern) = Pattern::parse(text) else { return };
    let matches = pattern.matches(message);
    assert_eq!(pattern.extract(message).is_some(), matches);
    if let (true, Some(literal)) = (matches, pattern.literal()) {
        assert!(message.contains(literal));
    }
});
