//! Requests of an emulator's clients, whose keys nobody knows: the signature is
//! taken off, and with it the chunks that it signs.
//!
//! ```text
//! aws-chunked:  SIZE[;chunk-signature=…]\r\n BYTES \r\n … 0[;…]\r\n trailer: value\r\n \r\n     SIZE in hexadecimal
//! ```
//!
//! Source: S3 API, "Signature calculations for the Authorization header:
//! transferring a payload in multiple chunks".

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use s3s::Body;

/// The largest body that is unwrapped: it is in memory meanwhile.
const MAX_BYTES: usize = 256 << 20;

/// The same request without a signature. The body of one without chunks is not read.
pub(super) async fn unsigned(request: Request<Body>) -> Result<Request<Body>, String> {
    let (mut parts, body) = request.into_parts();
    let is_chunked = parts
        .headers
        .get("x-amz-content-sha256")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("STREAMING-"));
    for name in
        ["authorization", "x-amz-content-sha256", "x-amz-security-token", "x-amz-decoded-content-length"]
    {
        parts.headers.remove(name);
    }
    strip_query(&mut parts.uri);
    if !is_chunked {
        return Ok(Request::from_parts(parts, body));
    }
    let limited = http_body_util::Limited::new(body, MAX_BYTES);
    let text = limited.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let (bytes, trailers) = unwrap(text)?;
    parts.headers.remove("x-amz-trailer");
    parts.headers.extend(trailers);
    parts.headers.insert("content-length", bytes.len().into());
    // The chunks were the last encoding; what is left is the object's own.
    let own = parts.headers.get("content-encoding").and_then(|value| value.to_str().ok()).map(|value| {
        let others = value.split(',').map(str::trim).filter(|name| *name != "aws-chunked");
        others.collect::<Vec<_>>().join(",")
    });
    parts.headers.remove("content-encoding");
    if let Some(own) = own.filter(|own| !own.is_empty()).and_then(|own| own.parse().ok()) {
        parts.headers.insert("content-encoding", own);
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// The parameters of a presigned URL.
fn strip_query(uri: &mut http::Uri) {
    let Some(query) = uri.query() else { return };
    let is_of_signature = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let signing =
            ["algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token"];
        name.strip_prefix("x-amz-").is_some_and(|rest| signing.contains(&rest))
            || ["awsaccesskeyid", "signature", "expires"].contains(&name.as_str())
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_of_signature(pair)).collect();
    let path =
        if kept.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), kept.join("&")) };
    if let Ok(stripped) = path.parse() {
        *uri = stripped;
    }
}

/// The bytes of all chunks, and the trailing checksum headers.
fn unwrap(mut text: Bytes) -> Result<(Bytes, HeaderMap), String> {
    let mut bytes = BytesMut::with_capacity(text.len());
    loop {
        let line = take_line(&mut text).ok_or("a chunk without its size")?;
        let size = line.split(|&byte| byte == b';').next().unwrap_or_default();
        let size =
            std::str::from_utf8(size).ok().and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let size = size.ok_or("a chunk's size is not a number")?;
        if size == 0 {
            break;
        }
        if size.checked_add(2).is_none_or(|whole| whole > text.len()) {
            return Err("a chunk is cut off".to_owned());
        }
        bytes.extend_from_slice(&text.split_to(size));
        text.advance(2);
    }
    let mut trailers = HeaderMap::new();
    while let Some(line) = take_line(&mut text).filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if let Some((name, value)) = line.split_once(':')
            && let (Ok(name), Ok(value)) = (name.trim().parse::<http::HeaderName>(), value.trim().parse())
            && name.as_str().starts_with("x-amz-checksum-")
        {
            trailers.insert(name, value);
        }
    }
    Ok((bytes.freeze(), trailers))
}

fn take_line(text: &mut Bytes) -> Option<Bytes> {
    let end = text.windows(2).position(|pair| pair == b"\r\n")?;
    let line = text.split_to(end);
    text.advance(2);
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_become_one_body() {
        for (text, body, trailer) in [
            ("5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\n\r\n", "hello", None),
            (
                "a\r\n0123456789\r\n1\r\nx\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
                "0123456789x",
                Some("AAAAAA=="),
            ),
            ("0\r\n\r\n", "", None),
            ("0\r\nauthorization:x\r\n\r\n", "", None),
        ] {
            let (bytes, trailers) = unwrap(Bytes::from(text)).unwrap();
            assert_eq!(bytes, body);
            let found = trailers.get("x-amz-checksum-crc32").map(|value| value.to_str().unwrap());
            assert_eq!((found, trailers.len()), (trailer, usize::from(trailer.is_some())));
        }
        for text in ["", "5\r\nhel", "x\r\n\r\n", "ffffffffffffffff\r\n\r\n", "5"] {
            assert!(unwrap(Bytes::from(text)).is_err(), "{text:?}");
        }
    }
}
