//! Makes realistic flow log text, the same for the same arguments on every
//! machine: data for benchmarks and tests.
//!
//! ```text
//! flowgen --lines 20000000 [--format default|v5] [--seed 42] --plain FILE
//! flowgen --lines 20000000 [--format default|v5] [--files 40] --folder DIR
//! ```
//!
//! `--plain` writes one file with a header line; `--folder` writes a tree as S3
//! delivery lays it out, one object per five minutes, not compressed (pipe the
//! files through gzip for that).
//!
//! What is in it: 1,200 interfaces of 3 accounts and 60,000 outside addresses,
//! both picked by Zipf's law; 6 % IPv6; 8 % REJECT from 3,000 scanners; 0.7 %
//! NODATA and 0.1 % SKIPDATA; ICMP with ports 0; counts with a heavy tail.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use weir_flow::format::LogFormat;

/// The 29 fields of the Athena table in the AWS guide, in its order.
const V5: &str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} \
${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status} ${vpc-id} ${subnet-id} ${instance-id} \
${tcp-flags} ${type} ${pkt-srcaddr} ${pkt-dstaddr} ${region} ${az-id} ${sublocation-type} ${sublocation-id} \
${pkt-src-aws-service} ${pkt-dst-aws-service} ${flow-direction} ${traffic-path}";

/// Seconds: when the first file begins, a multiple of five minutes.
const EPOCH_S: i64 = 1_750_000_200;
const SLOT_S: i64 = 300;
const ACCOUNTS: [&str; 3] = ["123456789010", "210987654321", "004455667788"];
const SERVICES: [(u16, u64); 12] = [
    (443, 44),
    (53, 13),
    (80, 9),
    (5432, 6),
    (6379, 6),
    (3306, 5),
    (9092, 4),
    (8080, 4),
    (22, 3),
    (123, 2),
    (389, 2),
    (25, 2),
];

/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Picks small numbers far more often than large ones.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(count: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let mut steps: Vec<f64> = (1..=count)
            .map(|rank| {
                sum += 1.0 / (rank as f64).powf(exponent);
                sum
            })
            .collect();
        steps.iter_mut().for_each(|step| *step /= sum);
        Self(steps)
    }

    fn pick(&self, random: &mut Random) -> usize {
        let at = random.unit();
        self.0.partition_point(|step| *step < at).min(self.0.len() - 1)
    }
}

struct Host {
    ipv4: String,
    ipv6: String,
    /// `account-id interface-id`
    names: String,
    /// `vpc-id subnet-id instance-id`
    place: String,
    az_id: &'static str,
}

struct World {
    hosts: Vec<Host>,
    by_host: Zipf,
    outside: Vec<String>,
    by_outside: Zipf,
    outside_v6: Vec<String>,
    scanners: Vec<String>,
    by_scanner: Zipf,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut r = Random(seed);
        let public = |r: &mut Random| loop {
            let first = 1 + r.below(222);
            if first != 10 && first != 127 {
                break format!("{first}.{}.{}.{}", r.below(256), r.below(256), r.below(256));
            }
        };
        let hosts = (0..1_200u64)
            .map(|n| {
                let (account, subnet) = ((n % 3) as usize, n % 24);
                let instance = if r.below(10) < 7 { format!("i-{:017x}", r.next() >> 4) } else { "-".into() };
                Host {
                    ipv4: format!("10.{account}.{}.{}", subnet * 4 + r.below(4), 4 + r.below(250)),
                    ipv6: format!(
                        "2600:1f18:{:x}:{:x}::{:x}",
                        0x4000 + account,
                        0x100 + subnet,
                        1 + r.below(0xffff)
                    ),
                    names: format!("{} eni-{:017x}", ACCOUNTS[account], r.next() >> 4),
                    place: format!(
                        "vpc-{:017x} subnet-{:017x} {instance}",
                        0xabc_0000 + account,
                        0xaaa_0000 + subnet
                    ),
                    az_id: ["use1-az1", "use1-az4", "use1-az6"][(subnet % 3) as usize],
                }
            })
            .collect();
        let outside = (0..60_000).map(|_| public(&mut r)).collect();
        let outside_v6 = (0..8_000)
            .map(|_| format!("2a0{:x}:{:x}::{:x}", r.below(10), 1 + r.below(0xffff), 1 + r.below(0xffff)))
            .collect();
        let scanners = (0..3_000).map(|_| public(&mut r)).collect();
        Self {
            hosts,
            by_host: Zipf::new(1_200, 0.9),
            outside,
            by_outside: Zipf::new(60_000, 1.1),
            outside_v6,
            scanners,
            by_scanner: Zipf::new(3_000, 1.0),
        }
    }

    /// Appends one line without its end.
    fn line(&self, r: &mut Random, v5: bool, start_s: i64, out: &mut String) -> std::fmt::Result {
        let host = &self.hosts[self.by_host.pick(r)];
        let (version, end_s) = (if v5 { 5 } else { 2 }, start_s + 20 + r.below(40) as i64);
        let kind = r.below(1000);
        if kind < 8 {
            let status = if kind < 7 { "NODATA" } else { "SKIPDATA" };
            write!(out, "{version} {} - - - - - - - {start_s} {end_s} - {status}", host.names)?;
            if v5 {
                write!(out, " {} - - - - us-east-1 {} - - - - - -", host.place, host.az_id)?;
            }
            return Ok(());
        }
        let v6 = r.below(100) < 6;
        let own = if v6 { &host.ipv6 } else { &host.ipv4 };
        let high_port = 32_768 + r.below(28_000) as u16;
        let (peer, protocol, own_port, peer_port, ingress);
        let reject = r.below(1000) < 85;
        if reject {
            peer = if v6 {
                &self.outside_v6[r.below(400) as usize]
            } else {
                &self.scanners[self.by_scanner.pick(r)]
            };
            protocol = if r.below(10) < 9 { 6 } else { 17 };
            let target = [22, 23, 3389, 445, 5900, 9200, 2375][r.below(7) as usize];
            own_port = if r.below(2) == 0 { target } else { 1 + r.below(65_534) as u16 };
            peer_port = high_port;
            ingress = true;
        } else {
            peer = match r.below(100) {
                0..=44 => {
                    let other = &self.hosts[self.by_host.pick(r)];
                    if v6 { &other.ipv6 } else { &other.ipv4 }
                }
                _ if v6 => &self.outside_v6[r.below(8_000) as usize],
                _ => &self.outside[self.by_outside.pick(r)],
            };
            let mut at = r.below(100);
            let service = SERVICES.iter().find(|(_, share)| {
                let found = at < *share;
                at = at.saturating_sub(*share);
                found
            });
            let service = service.map_or(443, |(port, _)| *port);
            protocol = match service {
                _ if r.below(100) == 0 => 1,
                53 | 123 => 17,
                _ => 6,
            };
            (own_port, peer_port) = if r.below(10) < 6 { (high_port, service) } else { (service, high_port) };
            ingress = r.below(2) == 0;
        }
        let (own_port, peer_port) = if protocol == 1 { (0, 0) } else { (own_port, peer_port) };
        let largest = if r.below(3) == 0 { 1_448 } else { 300 };
        let (packets, per_packet) = if reject {
            (1 + r.below(3), 40 + 4 * r.below(6))
        } else {
            (1 + (r.unit().powi(6) * 20_000.0) as u64 + r.below(12), 52 + r.below(largest))
        };
        let ((src, src_port), (dst, dst_port)) =
            if ingress { ((peer, peer_port), (own, own_port)) } else { ((own, own_port), (peer, peer_port)) };
        let (bytes, action) = (packets * per_packet, if reject { "REJECT" } else { "ACCEPT" });
        write!(
            out,
            "{version} {} {src} {dst} {src_port} {dst_port} {protocol} {packets} {bytes} {start_s} {end_s} {action} OK",
            host.names
        )?;
        if v5 {
            let flags = if protocol == 6 { [2, 3, 18, 19, 1, 0, 6, 7][r.below(8) as usize] } else { 0 };
            let kind = if v6 { "IPv6" } else { "IPv4" };
            let (direction, path) =
                if ingress { ("ingress", "-") } else { ("egress", ["1", "8", "7"][r.below(3) as usize]) };
            write!(
                out,
                " {} {flags} {kind} {src} {dst} us-east-1 {} - - - - {direction} {path}",
                host.place, host.az_id
            )?;
        }
        Ok(())
    }
}

/// The lines of one five-minute slot, header first.
fn slot(
    world: &World,
    options: &Options,
    number: u64,
    lines: u64,
    header: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    let mut random = Random(options.seed ^ (number + 1).wrapping_mul(0xd1b5_4a32_d192_ed03));
    let begin_s = EPOCH_S + SLOT_S * number as i64;
    let mut text = String::new();
    if header {
        writeln!(to, "{}", options.format.header())?;
    }
    for line in 0..lines {
        let start_s = begin_s + (line as i64 * SLOT_S) / lines as i64 + random.below(20) as i64 - 10;
        text.clear();
        world.line(&mut random, options.v5, start_s, &mut text).map_err(io::Error::other)?;
        text.push('\n');
        to.write_all(text.as_bytes())?;
    }
    Ok(())
}

struct Options {
    lines: u64,
    files: u64,
    seed: u64,
    v5: bool,
    format: LogFormat,
    plain: Option<PathBuf>,
    folder: Option<PathBuf>,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self {
            lines: 1_000_000,
            files: 40,
            seed: 42,
            v5: false,
            format: LogFormat::default(),
            plain: None,
            folder: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            let number = || value.parse().map_err(|_| format!("{name}: '{value}' is not a number"));
            match name.as_str() {
                "--lines" => options.lines = number()?,
                "--files" => options.files = number()?.max(1),
                "--seed" => options.seed = number()?,
                "--plain" => options.plain = Some(value.into()),
                "--folder" => options.folder = Some(value.into()),
                "--format" if value == "v5" => {
                    options.v5 = true;
                    options.format = LogFormat::parse(V5).map_err(|error| error.to_string())?;
                }
                "--format" if value == "default" => {}
                _ => return Err(format!("{name} {value} is not understood")),
            }
        }
        Ok(options)
    }

    fn lines_of(&self, number: u64) -> u64 {
        self.lines / self.files + u64::from(number < self.lines % self.files)
    }
}

fn write_plain(world: &World, options: &Options, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for number in 0..options.files {
        slot(world, options, number, options.lines_of(number), number == 0, &mut file)?;
    }
    file.flush()
}

fn write_folder(world: &World, options: &Options, folder: &Path) -> io::Result<()> {
    for number in 0..options.files {
        let begin_s = EPOCH_S + SLOT_S * number as i64;
        let (day, minute) = ((begin_s / 86_400) - (EPOCH_S / 86_400), begin_s % 86_400 / 60);
        // 2025-06-15 is the day of EPOCH_S; nobody makes more than two weeks.
        let day = 15 + day;
        let dir = folder.join(format!("AWSLogs/{}/vpcflowlogs/us-east-1/2025/06/{day:02}", ACCOUNTS[0]));
        fs::create_dir_all(&dir)?;
        let hash = Random(options.seed ^ number).next() as u32;
        let name = format!(
            "{}_vpcflowlogs_us-east-1_fl-0123456789abcdef0_202506{day:02}T{:02}{:02}Z_{hash:08x}.log",
            ACCOUNTS[0],
            minute / 60,
            minute % 60
        );
        let mut file = BufWriter::with_capacity(1 << 20, File::create(dir.join(name))?);
        slot(world, options, number, options.lines_of(number), true, &mut file)?;
        file.flush()?;
    }
    Ok(())
}

fn main() -> Result<(), String> {
    let options = Options::read()?;
    let world = World::new(options.seed);
    if let Some(path) = &options.plain {
        write_plain(&world, &options, path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if let Some(folder) = &options.folder {
        write_folder(&world, &options, folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    if options.plain.is_none() && options.folder.is_none() {
        return Err("nothing to write: give --plain FILE or --folder DIR".into());
    }
    Ok(())
}
