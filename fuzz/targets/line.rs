//! A line of flow log text: whatever it holds, it is read or refused, and what
//! is read is written back byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_flow::format::LogFormat;
use weir_flow::text::parse_line;

fuzz_target!(|line: &str| {
    if line.contains('\n') {
        return;
    }
    if let Ok(record) = parse_line(&LogFormat::default(), 1, line) {
        let mut again = String::new();
        record.write(&mut again);
        assert_eq!(again, line);
    }
});
