//! Made-up flow logs, the same at every run: about the mix of a busy account
//! (6 % IPv6, 8 % REJECT, 0.8 % NODATA and SKIPDATA, some AWS services).

use std::fmt::Write;
use weir_flow::format::LogFormat;

/// All fields of versions 2 to 5, in the order of AWS's table definition for Athena.
pub const V5: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
    start end action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id \
    sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path";

/// SplitMix64. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

/// Lines of the default format, or of [`V5`], without a header.
pub fn lines(count: usize, is_v5: bool) -> (LogFormat, String) {
    let format = if is_v5 { LogFormat::from_header(V5) } else { LogFormat::parse(LogFormat::DEFAULT) }
        .expect("a format");
    let mut rng = Rng(42);
    let mut out = String::with_capacity(count * if is_v5 { 260 } else { 120 });
    for i in 0..count as u64 {
        line(&mut rng, i, is_v5, &mut out);
        out.push('\n');
    }
    (format, out)
}

fn line(rng: &mut Rng, i: u64, is_v5: bool, out: &mut String) {
    let host = rng.below(1200);
    let mut id = Rng(host);
    let (eni, instance) = (id.next() >> 4, id.next() >> 4);
    let start = 1_750_000_200 + i / 2_000 + rng.below(20);
    let end = start + 20 + rng.below(40);
    let version = if is_v5 { 5 } else { 2 };
    let account = ["123456789010", "210987654321", "004455667788"][(host % 3) as usize];
    let place = format!(
        "vpc-{:017x} subnet-{:017x} i-{instance:017x}",
        host % 3 + 0xabc0_0000,
        host % 24 + 0xaaa0_0000
    );
    let _ = write!(out, "{version} {account} eni-{eni:017x} ");
    let sort = rng.below(1000);
    if sort < 8 {
        let status = if sort < 7 { "NODATA" } else { "SKIPDATA" };
        let _ = write!(out, "- - - - - - - {start} {end} - {status}");
        if is_v5 {
            let _ = write!(out, " {place} - - - - us-east-1 use1-az{} - - - - - -", host % 6 + 1);
        }
        return;
    }
    let is_v6 = rng.below(100) < 6;
    let is_reject = rng.below(1000) < 85;
    let me = if is_v6 {
        format!(
            "2600:1f18:4000:{:x}:{:x}:{:x}:{:x}:{:x}",
            host % 24 + 256,
            eni >> 48,
            eni >> 32 & 0xffff,
            eni >> 16 & 0xffff,
            eni & 0xffff
        )
    } else {
        format!("10.{}.{}.{}", host % 3, host % 96, host % 250 + 4)
    };
    let peer = if is_v6 {
        format!("2a0{}:{:x}:{:x}::{:x}", rng.below(10), rng.below(65536), rng.below(65536), rng.below(65536))
    } else {
        format!("{}.{}.{}.{}", 11 + rng.below(212), rng.below(256), rng.below(256), rng.below(256))
    };
    let is_ingress = is_reject || rng.below(2) == 0;
    let (src, dst) = if is_ingress { (&peer, &me) } else { (&me, &peer) };
    let service_port = [443, 443, 443, 80, 53, 5432, 3306, 6379, 22, 123, 9092, 8080][rng.below(12) as usize];
    let ephemeral = 32768 + rng.below(28232);
    let protocol = match service_port {
        53 | 123 => 17,
        _ if rng.below(80) == 0 => 1,
        _ => 6,
    };
    let (src_port, dst_port) = match protocol {
        1 => (0, 0),
        _ if is_reject || is_ingress => (ephemeral, service_port),
        _ => (service_port, ephemeral),
    };
    let packets =
        if is_reject { 1 + rng.below(3) } else { 1 + rng.below(12) * (1 + rng.below(40) * rng.below(40)) };
    let bytes = packets * (40 + rng.below(if is_reject { 24 } else { 1460 }));
    let action = if is_reject { "REJECT" } else { "ACCEPT" };
    let _ = write!(
        out,
        "{src} {dst} {src_port} {dst_port} {protocol} {packets} {bytes} {start} {end} {action} OK"
    );
    if is_v5 {
        let flags = if protocol == 6 { [2, 3, 18, 19, 1, 0, 6, 7][rng.below(8) as usize] } else { 0 };
        let kind = if is_v6 { "IPv6" } else { "IPv4" };
        let service = ["-", "-", "-", "S3", "AMAZON"][rng.below(5) as usize];
        let (src_service, dst_service) = if is_ingress { (service, "-") } else { ("-", service) };
        let (direction, path) = if is_ingress {
            ("ingress", "-")
        } else {
            ("egress", ["1", "7", "8", "4"][rng.below(4) as usize])
        };
        let _ = write!(
            out,
            " {place} {flags} {kind} {src} {dst} us-east-1 use1-az{} - - {src_service} {dst_service} {direction} {path}",
            host % 6 + 1
        );
    }
}
