//! A condition and a line: read or refused; a match that promises a literal
//! has it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_flow::condition::Condition;
use weir_flow::format::LogFormat;
use weir_flow::text::parse_line;

fuzz_target!(|input: (&str, &str)| {
    let (text, line) = input;
    let Ok(condition) = Condition::parse(text) else { return };
    let format = LogFormat::default();
    let Ok(bound) = condition.bind(&format) else { return };
    let Ok(record) = parse_line(&format, 1, line) else { return };
    if let (true, Some(literal)) = (bound.matches(&record), condition.literal()) {
        assert!(line.contains(&literal));
    }
});
