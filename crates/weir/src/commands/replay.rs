//! `weir replay`

use super::HintExt;
use super::parse::kind;
use super::reading::log_format;
use crate::records::engine::Job;
use crate::records::format::{Found, Framing};
use crate::records::inputs::{self, Input, Place};
use crate::records::meter::{Buffers, Meter};
use crate::records::output::{Output, Target};
use crate::records::plan::{Kind, Plan, Worker, admit_condition};
use crate::records::progress::Progress;
use crate::records::source::{Block, Opened};
use crate::replay::count::{Counted, Totals, count_all};
use crate::replay::input::{Piece, read_all};
use crate::replay::summary::summary;
use crate::replay::vpc;
use anyhow::{Context, Result, anyhow};
use std::io::{self, IsTerminal};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use weir_flow::columns::Counts;
use weir_flow::condition::Condition;
use weir_flow::format::LogFormat;
use weir_flow::render::Extras;
use weir_flow::text::write_record;
use weir_flow::window::records;
use weir_replay::{Us, View};
use weir_types::id::EniId;
use weir_types::net::IpNet;

/// Turn packet captures into flow log records, without root and without a server
///
/// Reads pcap and pcapng, plain, gzip or zstd, from files or a pipe. Several
/// files are one capture, in the order given. Windows are those of the packets'
/// own times.
///
/// Without --vpc nothing is known of rules: every packet is ACCEPT, and each
/// interface of the capture is one network interface with an id made from its
/// name. With --vpc security groups and network ACLs say what would have been
/// accepted: give what 'aws ec2 describe-network-interfaces',
/// 'describe-security-groups' and 'describe-network-acls' print, from AWS, from
/// Weir, or written by hand.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Captures (files, folders, globs, or - for standard input): pcap or pcapng, told by content
    #[arg(value_name = "FILES")]
    inputs: Vec<String>,
    /// JSON as 'aws ec2 describe-…' prints it: interfaces, security groups, network ACLs, subnets
    #[arg(long, value_name = "RULES.json")]
    vpc: Vec<PathBuf>,
    /// Seconds of a window, which begins at a multiple of it
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    interval: u32,
    /// What to write [default: by the ending of --to, else a table on a terminal and JSON in a pipe]
    #[arg(long, short, value_enum)]
    output: Option<Kind>,
    /// File to write, or an existing folder [default: standard output]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// LogFormat of the records [default: the default format]
    #[arg(long, value_name = "LOGFORMAT")]
    format: Option<String>,
    /// Only records for which this holds, such as 'dstport in (22, 3389) and action = REJECT'
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// Address, CIDR block or MAC address that is "us": packets from it are egress, to it ingress, others are left out
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', conflicts_with = "vpc")]
    interface: Vec<String>,
    /// Network interface that all records name
    #[arg(long, value_name = "ENI", conflicts_with = "vpc")]
    interface_id: Option<String>,
    /// Account that records name
    #[arg(long, default_value = "123456789012")]
    account: String,
    /// Region that records name
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Flows of a window that are told apart (64 bytes each); packets of more give SKIPDATA
    #[arg(long, value_name = "FLOWS", default_value = "4194304", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    max_flows: u32,
    /// Only the fields of the records, without names and times for people
    #[arg(long)]
    raw: bool,
    /// No line of names before CSV and text
    #[arg(long)]
    no_header: bool,
    /// No summary and no progress bar on stderr
    #[arg(long, short)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  weir replay capture.pcap
  sudo tcpdump -i eth0 -w - | weir replay - --interface 192.0.2.10
  weir replay ring*.pcap.gz --interval 600 --to flows.parquet
  weir replay capture.pcapng --output text --format '${srcaddr} ${dstaddr} ${dstport} ${bytes} ${flow-direction}'
  weir replay capture.pcap --vpc interfaces.json --vpc groups.json --vpc acls.json --where 'action = REJECT'
  weir replay capture.pcap --output none

Exit codes: 0 all good, 1 some packets were malformed or a capture ends in a packet, 2 an input or the command line was unusable.";

pub fn run(args: Args) -> Result<ExitCode> {
    let inputs = inputs::find(&args.inputs)?;
    let target = Target::of(args.to.as_deref());
    let kind = kind(args.output, &target)?;
    target.check(inputs.get(..1).unwrap_or_default(), kind)?;
    let format = match &args.format {
        Some(text) => log_format(text).context("--format")?,
        None => LogFormat::default(),
    };
    let condition =
        args.condition.as_deref().map(|text| Condition::parse(text).context("--where")).transpose()?;
    admit_condition(condition.as_ref(), format.fields())?;
    let view = view(&args)?;
    let plan = plan(&args, kind, &format, condition);
    let interval_s = NonZeroU32::new(args.interval).context("--interval 0")?;

    let meter = Arc::new(Meter::default());
    let is_on_terminal = target == Target::Stdout && io::stdout().is_terminal();
    let progress = Progress::new(&inputs, &meter, is_on_terminal, args.quiet);
    let width = comfy_table::Table::new().width().filter(|_| is_on_terminal && args.format.is_none());
    let output = Output::new(target, plan.clone(), !args.no_header, width.map(usize::from));
    let opened = opened(&inputs, &format);
    let buffers = Buffers::default();
    let (piece_to, piece_from) = sync_channel::<Piece>(4);
    let (counted_to, counted_from) = sync_channel::<Counted>(8);
    let mut writer = Writer::new(plan, format, opened, output, &progress);
    let (done, totals) = thread::scope(|scope| {
        let buffers = &buffers;
        scope.spawn(|| {
            // Dropped at the end, so that whoever receives sees the end.
            let to = piece_to;
            read_all(inputs, &meter, buffers, &to);
        });
        let max_flows = args.max_flows as usize;
        let counting = scope.spawn(move || {
            let (from, to) = (piece_from, counted_to);
            count_all(interval_s, max_flows, view, &from, buffers, &to)
        });
        let done = writer.write_all(&counted_from);
        drop(counted_from);
        (done, counting.join())
    });
    done?;
    let totals = totals.map_err(|_| anyhow!("the counting thread broke off"))?;
    writer.finish(&totals, args.quiet)
}

fn view(args: &Args) -> Result<View> {
    if !args.vpc.is_empty() {
        return Ok(View::of_vpc(vpc::read(&args.vpc, &args.account, &args.region).context("--vpc")?));
    }
    let only: Option<EniId> =
        args.interface_id.as_deref().map(str::parse).transpose().context("--interface-id")?;
    Ok(View::of_capture(&args.account, &args.region, only, us(&args.interface).context("--interface")?))
}

fn us(texts: &[String]) -> Result<Us> {
    let mut us = Us::default();
    for text in texts {
        if let Ok(net) = text.parse::<IpNet>() {
            us.nets.push(net);
        } else if let Ok(address) = text.parse::<std::net::IpAddr>() {
            us.nets.push(address.into());
        } else if let Some(mac) = mac(text) {
            us.macs.push(mac);
        } else {
            return Err(anyhow!("'{text}' is neither an address, nor a CIDR block, nor a MAC address"))
                .hint("such as 192.0.2.10, 10.0.0.0/16 or 02:00:5e:10:00:01");
        }
    }
    Ok(us)
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let octets: Vec<u8> = text
        .split([':', '-'])
        .map(|part| u8::from_str_radix(part, 16).ok().filter(|_| part.len() == 2))
        .collect::<Option<_>>()?;
    octets.try_into().ok()
}

fn plan(args: &Args, kind: Kind, format: &LogFormat, condition: Option<Condition>) -> Plan {
    let has_extras = !args.raw && matches!(kind, Kind::Json | Kind::Table);
    Plan {
        kind,
        fields: Some(format.fields().to_vec()),
        is_of_first_input: false,
        format: Some(format.clone()),
        condition,
        extras: if has_extras { Extras::ALL } else { Extras::NONE },
        is_strict: false,
        buffers: Arc::default(),
    }
}

/// All records come from one "input": the capture that the files are together.
fn opened(inputs: &[Input], format: &LogFormat) -> Arc<Opened> {
    let input = inputs.first().cloned().unwrap_or(Input {
        place: Place::Stdin,
        bytes: None,
        relative: PathBuf::from("stdin"),
    });
    let text = Some(Found { framing: Framing::None, format: format.clone() });
    Arc::new(Opened { input, fields: format.fields().to_vec(), text })
}

/// Text that is turned into columns at once.
const TEXT_BYTES: usize = 1 << 20;

/// Takes what was counted and writes records.
struct Writer<'a> {
    plan: Plan,
    format: LogFormat,
    opened: Arc<Opened>,
    output: Output,
    progress: &'a Progress,
    begun: Instant,
    worker: Worker,
    text: String,
    counts: Counts,
    matched: Option<u64>,
    inputs: u64,
    failed: u64,
    cut_off: u64,
}

impl<'a> Writer<'a> {
    fn new(
        plan: Plan,
        format: LogFormat,
        opened: Arc<Opened>,
        output: Output,
        progress: &'a Progress,
    ) -> Self {
        Self {
            matched: plan.condition.is_some().then_some(0),
            plan,
            format,
            opened,
            output,
            progress,
            begun: Instant::now(),
            worker: Worker::default(),
            text: String::new(),
            counts: Counts::default(),
            inputs: 0,
            failed: 0,
            cut_off: 0,
        }
    }

    fn write_all(&mut self, from: &Receiver<Counted>) -> Result<()> {
        self.output.begin(&self.opened)?;
        loop {
            self.progress.update();
            let counted = match from.recv_timeout(Duration::from_millis(200)) {
                Ok(counted) => counted,
                Err(RecvTimeoutError::Timeout) => {
                    // Somebody may be waiting at the end of a pipe.
                    self.flush()?;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            };
            match counted {
                Counted::Begin(_) => self.inputs += 1,
                Counted::Samples(window, facts, samples) => {
                    for record in records(window, &facts, &samples) {
                        write_record(&self.format, &record, &mut self.text);
                        self.text.push('\n');
                    }
                    if self.text.len() >= TEXT_BYTES {
                        self.flush()?;
                    }
                }
                Counted::Failed(error) => {
                    self.failed += 1;
                    self.progress.suspend(|| super::print_error(&error));
                }
                Counted::CutOff(error) => {
                    self.cut_off += 1;
                    self.progress.suspend(|| super::print_error(&error));
                }
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let length = self.text.len();
        let block = Block::Text(std::mem::take(&mut self.text).into_bytes(), length);
        let parsed = self.plan.process(&mut self.worker, &self.opened, &block);
        if let Block::Text(bytes, _) = block
            && let Ok(text) = String::from_utf8(bytes)
        {
            self.text = text;
            self.text.clear();
        }
        self.counts += parsed.counts;
        if let Some(matched) = &mut self.matched {
            *matched += parsed.rows;
        }
        self.output.write(parsed.output?)
    }

    fn finish(&mut self, totals: &Totals, is_quiet: bool) -> Result<ExitCode> {
        let is_usable = totals.counts.packets > 0 || self.failed == 0;
        if is_usable {
            self.output.finish()?;
        }
        self.progress.finish();
        if !is_quiet && is_usable {
            let summary = summary(totals, self.counts, self.matched, self.inputs, self.failed);
            eprintln!("{summary}{}", self.progress.rate(self.begun));
        }
        Ok(ExitCode::from(match (self.failed, totals.counts.malformed + self.cut_off) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 2,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn us_is_addresses_blocks_and_macs() {
        let texts = ["192.0.2.10", "10.0.0.0/16", "2001:db8::1", "02:00:5e:10:00:01", "02-00-5E-10-00-02"];
        let us = us(&texts.map(str::to_owned)).unwrap();
        let nets: Vec<String> = us.nets.iter().map(ToString::to_string).collect();
        assert_eq!(nets, ["192.0.2.10/32", "10.0.0.0/16", "2001:db8::1/128"]);
        assert_eq!(us.macs, [[2, 0, 0x5e, 0x10, 0, 1], [2, 0, 0x5e, 0x10, 0, 2]]);
        for wrong in ["eth0", "02:00:5e:10:00", "02:00:5e:10:00:1", "10.0.0.0/33", ""] {
            assert!(super::us(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
