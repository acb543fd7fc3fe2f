//! A Logs Insights query and a message: read or refused, the place of what is
//! wrong being in the text; fields of the message that are looked for are those
//! that it has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_logs::insights::Query;
use weir_logs::insights::discover::{Discovery, RecordFormat, Wanted};

fuzz_target!(|input: (&str, &str, &str)| {
    let (text, format, message) = input;
    let names = match Query::parse(text) {
        Ok(query) => query.event_fields(),
        Err(error) => {
            assert!(error.start <= error.end && error.end <= text.chars().count(), "{error:?}");
            return;
        }
    };
    let discovery = Discovery::new([RecordFormat::new(format)]);
    let all = discovery.fields(message);
    let mut found = vec![None; names.len()];
    discovery.find(message, &mut Wanted::new(names.clone()), &mut found);
    for (name, value) in names.iter().zip(&found) {
        assert_eq!(value.is_some(), all.iter().any(|(known, _)| known == name), "{name}");
    }
});
