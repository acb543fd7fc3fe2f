//! Frames of `application/vnd.amazon.eventstream`.
//!
//! ```text
//! u32 length of all | u32 length of headers | u32 crc32 of the two
//! headers: u8 length, name, u8 7 (text), u16 length, text
//! payload | u32 crc32 of everything before
//! ```
//!
//! Source: smithy.io, "Amazon Event Stream specification".

/// One frame with text headers.
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        // Names and values are ours: short.
        block.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        block.extend(name.as_bytes());
        block.push(7);
        block.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        block.extend(value.as_bytes());
    }
    let total = (16 + block.len() + payload.len()) as u32;
    let mut out = Vec::with_capacity(total as usize);
    out.extend(total.to_be_bytes());
    out.extend((block.len() as u32).to_be_bytes());
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out.extend(block);
    out.extend(payload);
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

/// An event of a JSON protocol.
pub fn event(kind: &str, payload: &serde_json::Value) -> Vec<u8> {
    let headers = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.to_string().as_bytes())
}

/// The end of a stream by an exception of the model.
pub fn exception(kind: &str, message: &str) -> Vec<u8> {
    let headers =
        [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")];
    frame(&headers, serde_json::json!({ "message": message }).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample "payload_no_headers" and "payload_one_str_header" of the AWS SDKs' test vectors.
    #[test]
    fn frames_have_the_specified_bytes() {
        let frame = frame(&[], b"{'foo':'bar'}");
        assert_eq!(hex::encode(&frame), "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936");
        let frame = super::frame(&[("content-type", "application/json")], b"{'foo':'bar'}");
        assert_eq!(
            hex::encode(frame),
            "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e\
             7b27666f6f273a27626172277d8d9c08b1"
        );
    }
}
