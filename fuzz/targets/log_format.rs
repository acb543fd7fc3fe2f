//! A LogFormat template and a header line: read or refused; a header that is
//! written is read again as the same format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_flow::format::LogFormat;

fuzz_target!(|text: &str| {
    for format in [LogFormat::parse(text), LogFormat::from_header(text)].into_iter().flatten() {
        assert_eq!(LogFormat::from_header(&format.header()).as_ref(), Ok(&format));
        assert_eq!(LogFormat::parse(&format.to_string()).as_ref(), Ok(&format));
    }
});
