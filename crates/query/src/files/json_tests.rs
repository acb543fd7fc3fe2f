use super::super::payload::tests::encode;
use super::JsonLines;
use std::io::Read;

fn lines(json: &str) -> Result<Vec<String>, String> {
    let mut text = String::new();
    JsonLines::new(json.as_bytes()).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[test]
fn every_envelope_gives_its_messages() {
    let subscription = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s",
        "subscriptionFilters":["message"],"logEvents":[{"id":"1","timestamp":1,"message":"a b"},
        {"id":"2","timestamp":1,"message":"c d"}]}"#;
    let encoded = encode(subscription);
    for (json, expected) in [
        (r#"{"events":[],"nextToken":"x"}"#.to_owned(), vec![]),
        (
            r#"{"events": [ {"timestamp": 1.5e3, "message": "a b", "ingestionTime": null}, {"message":"c"} ],
                "searchedLogStreams": [{"message": "no"}]}"#
                .to_owned(),
            vec!["a b", "c"],
        ),
        (subscription.to_owned(), vec!["a b", "c d"]),
        ("{\"message\":\"a b\\n\"}\n{\"message\":\"c\"}\n".to_owned(), vec!["a b", "c"]),
        (r#"{"message":"a"}{"message":"b"}"#.to_owned(), vec!["a", "b"]),
        (format!(r#"{{"awslogs":{{"data":"{encoded}"}}}}"#), vec!["a b", "c d"]),
        (
            format!(r#"{{"Records":[{{"Data":"{encoded}"}},{{"kinesis":{{"data":"{encoded}"}}}}]}}"#),
            vec!["a b", "c d", "a b", "c d"],
        ),
        (
            r#"{"results":[[{"field":"@timestamp","value":"x"},{"field":"@message","value":"a b"}]]}"#
                .to_owned(),
            vec!["a b"],
        ),
        (r#"["a b", {"message":"c"}]"#.to_owned(), vec!["a b", "c"]),
        (r#""a b""#.to_owned(), vec!["a b"]),
        (
            r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"CWL CONTROL MESSAGE"}]}"#.to_owned(),
            vec![],
        ),
        (r#"{"message":"a\"b\\c\/\u0041\ud83d\ude00\t"}"#.to_owned(), vec!["a\"b\\c/A😀\t"]),
    ] {
        assert_eq!(lines(&json).unwrap(), expected, "{json}");
    }
}

#[test]
fn what_is_no_envelope_says_where_and_why() {
    for (json, message) in [
        (r#"{"srcaddr":"10.0.0.1"}"#, "no log events: expected 'events', 'logEvents' or 'message'"),
        (r#"{"events":[{"message":"a"}"#, "it ends in the middle"),
        (r#"{"events":[{"message":"a"#, "it ends in the middle of a string"),
        (r#"{"events":]"#, "unexpected ']'"),
        (r#"{"message":"\x"}"#, "an unknown escape in a string"),
        (r#"{"message":"\u12g4"}"#, "\\u without four digits"),
        ("{<", "unexpected '<'"),
    ] {
        let error = lines(json).unwrap_err();
        assert!(error.ends_with(message), "{json}: {error}");
    }
    let deep = "[".repeat(100);
    assert!(lines(&deep).unwrap_err().ends_with("nested too deeply"));
}

#[test]
fn messages_that_cross_the_ends_of_chunks_stay_whole() {
    let message = "2 123456789010 eni-1 \\u0031 ".repeat(11);
    let json = format!(r#"{{"message":"{message}"}}"#).repeat(2000);
    let found = lines(&json).unwrap();
    assert_eq!(found.len(), 2000);
    assert!(found.iter().all(|line| *line == "2 123456789010 eni-1 1 ".repeat(11)));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"[\[\]{}:,"\\a-z0-9 ]{0,60}"#) {
        let _ = lines(&text);
    }
}
