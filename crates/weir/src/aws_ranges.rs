//! `ip-ranges.json` as AWS publishes it, for the fields `pkt-src-aws-service`
//! and `pkt-dst-aws-service`.
//!
//! Source: VPC user guide, "AWS IP address ranges".

use anyhow::Context;
use serde::Deserialize;
use std::path::Path;
use weir_flow::surroundings::AwsRanges;
use weir_types::net::IpNet;

#[derive(Deserialize)]
struct File {
    prefixes: Vec<Ipv4Prefix>,
    #[serde(default)]
    ipv6_prefixes: Vec<Ipv6Prefix>,
}

#[derive(Deserialize)]
struct Ipv4Prefix {
    ip_prefix: IpNet,
    service: String,
}

#[derive(Deserialize)]
struct Ipv6Prefix {
    ipv6_prefix: IpNet,
    service: String,
}

/// Reads the file.
pub fn read(path: &Path) -> anyhow::Result<AwsRanges> {
    let json = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&json).with_context(|| format!("{} is not AWS's ip-ranges.json", path.display()))
}

fn parse(json: &str) -> serde_json::Result<AwsRanges> {
    let File { prefixes, ipv6_prefixes } = serde_json::from_str(json)?;
    let ipv4 = prefixes.into_iter().map(|range| (range.ip_prefix, range.service));
    let ipv6 = ipv6_prefixes.into_iter().map(|range| (range.ipv6_prefix, range.service));
    Ok(ipv4.chain(ipv6).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_form_is_read() {
        let ranges = parse(
            r#"{"syncToken": "1", "createDate": "2026-11-01-00-00-00",
                "prefixes": [{"ip_prefix": "52.216.0.0/15", "region": "us-east-1", "service": "S3",
                              "network_border_group": "us-east-1"}],
                "ipv6_prefixes": [{"ipv6_prefix": "2600:9000::/28", "region": "GLOBAL",
                                   "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}]}"#,
        )
        .unwrap();
        for (address, service) in
            [("52.217.0.1", Some("S3")), ("2600:9000::1", Some("CLOUDFRONT")), ("::1", None)]
        {
            assert_eq!(ranges.service(address.parse().unwrap()), service, "{address}");
        }
        assert!(parse("{}").is_err());
    }
}
