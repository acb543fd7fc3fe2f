//! An XML answer with any text in it: well-formed, and the text comes back whole
//! but for characters that XML cannot hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quick_xml::Reader;
use quick_xml::events::Event;
use weir_api::protocol::xml::{Xml, is_xml};

fuzz_target!(|texts: Vec<String>| {
    let mut xml = Xml::new();
    xml.set("set", &texts, |item, text| {
        item.text("value", text).optional("none", None::<&str>);
    });
    let document = Xml::document("Response", Some("http://example.org/"), &xml);
    let mut reader = Reader::from_str(&document);
    let (mut read, mut depth) = (Vec::new(), 0);
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                depth += 1;
                if start.name().as_ref() == "value" {
                    read.push(String::new());
                }
            }
            Event::End(_) => depth -= 1,
            Event::Text(text) => {
                let text: &str = &text;
                assert!(!text.contains('\r'), "readers make a line feed of it");
                if depth == 4 {
                    read.last_mut().expect("a value").push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                let name = format!("&{};", &*reference);
                let text = quick_xml::escape::unescape(&name).expect("a known entity");
                read.last_mut().expect("a value").push_str(&text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    let expected: Vec<String> =
        texts.iter().map(|text| text.chars().filter(|c| is_xml(*c)).collect()).collect();
    assert_eq!(read, expected);
});
