//! Buckets named by the `Host` header: virtual-hosted-style requests.
//!
//! ```text
//! bucket.s3.us-east-1.amazonaws.com   bucket.s3.amazonaws.com   bucket.s3.anything:4566
//! bucket.localhost:4566
//! ```
//!
//! Every other name is the server's own, and the bucket stands in the path.
//!
//! Source: S3 user guide, "Virtual hosting of general purpose buckets".

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The bucket that a `Host` names.
pub fn bucket_of(host: &str) -> Option<&str> {
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
    let by_label =
        [".s3.", ".s3-"].iter().filter_map(|label| name.split_once(label)).map(|(bucket, _)| bucket);
    let bucket = by_label.min_by_key(|bucket| bucket.len()).or_else(|| name.strip_suffix(".localhost"))?;
    // `s3.localhost` is a name of the server.
    (!bucket.is_empty() && bucket != "s3" && !bucket.starts_with("s3.")).then_some(bucket)
}

/// For the service.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        Ok(match bucket_of(host) {
            Some(bucket) => VirtualHost::new(host).with_bucket(bucket),
            None => VirtualHost::new(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_their_buckets() {
        for (host, expected) in [
            ("b.s3.us-east-1.amazonaws.com", Some("b")),
            ("b.s3.amazonaws.com:443", Some("b")),
            ("b.s3-eu-west-1.amazonaws.com", Some("b")),
            ("a.b.s3.weir.test:4566", Some("a.b")),
            ("my-bucket.localhost:4566", Some("my-bucket")),
            ("s3.us-east-1.amazonaws.com", None),
            ("s3.localhost:4566", None),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("[::1]:4566", None),
            ("weir.example.com", None),
            ("", None),
        ] {
            assert_eq!(bucket_of(host), expected, "{host}");
        }
    }
}
