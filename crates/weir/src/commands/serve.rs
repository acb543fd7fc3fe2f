//! `weir serve`

use super::HintExt;
use crate::agent::Excluded;
use crate::destinations::DeliverTo;
use crate::home::{Home, RootAccessKey, default_dir};
use crate::listen::Limits;
use crate::observe::{Rule, Target, Wanted};
use crate::outward::Choices;
use crate::server::{self, Clients, Config, DeliveryChoices, Ready, SPOOL_MAX_BYTES};
use anyhow::{Context, Result, bail};
use std::io::{IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use weir_capture::Sizes;
use weir_flow::surroundings::AwsRanges;

/// Serve EC2, CloudWatch Logs, IAM and STS on one endpoint, and capture on this host
///
/// At the first start it makes the account and a root access key, which it
/// shows once; 'eval "$(weir env)"' points AWS clients at it. Without root
/// everything works but capture, which takes CAP_BPF, CAP_NET_ADMIN and
/// CAP_PERFMON, and CAP_SYS_ADMIN for devices in other network namespaces. All
/// other capabilities are given up at the start.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4566", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Where everything is kept [default: /var/lib/weir for root, else ~/.local/share/weir]
    #[arg(long, env = "WEIR_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the account's resources are kept: a PostgreSQL database, which several servers may share [default: SQLite in the data folder]
    #[arg(
        long,
        env = "WEIR_STATE",
        value_name = "postgres://USER@HOST:PORT/DATABASE",
        conflicts_with = "emulator",
        hide_env_values = true
    )]
    state: Option<String>,
    /// Id of the account that this server is, twelve digits
    #[arg(long, default_value = "123456789012", value_name = "ID")]
    account_id: String,
    /// Region that 'weir env' names
    #[arg(long, default_value = "us-east-1", value_name = "REGION")]
    region: String,
    /// Watch a device of this host: makes a network interface for it if there is none; its traffic stays as it is; may be given more than once
    ///
    /// 'eth0' must be there. A pattern watches devices as they appear, within a
    /// second: 'veth*', 'tap*', 'docker*'. So do devices of other network
    /// namespaces, those of 'ip netns' and of Docker by a pattern of their
    /// names: 'ns:web*/eth0', and that of a process: 'pid:4711/eth0'.
    #[arg(long, value_name = "DEVICE|PATTERN", verbatim_doc_comment)]
    observe: Vec<Target>,
    /// As --observe with a pattern, but Weir's own rules decide: mode 'evaluate' drops nothing, 'enforce' does; may be given more than once
    #[arg(long, value_name = "PATTERN=MODE")]
    attach: Vec<Rule>,
    /// Record also what flow logs never show in evaluate and enforce mode: DNS to the VPC's resolver, metadata, Time Sync, DHCP, licence activation, the VPC's router
    #[arg(long)]
    capture_excluded: bool,
    /// A resolver of this network, whose DNS is not recorded as that of the VPC's own is not; may be given more than once
    #[arg(long, value_name = "ADDRESS", conflicts_with = "capture_excluded")]
    resolver: Vec<IpAddr>,
    /// What happens on this host's devices when the server is stopped: programs leave them, or stay at work until the next start
    #[arg(long, value_enum, default_value = "detach", value_name = "WHAT")]
    on_stop: OnStop,
    /// Let programs leave the devices also if the server is killed: packets pass unjudged and uncounted until the next start
    #[arg(long, conflicts_with = "on_stop")]
    no_pin: bool,
    /// AWS's ip-ranges.json, for the fields pkt-src-aws-service and pkt-dst-aws-service [default: they are '-']
    #[arg(long, value_name = "FILE")]
    aws_ip_ranges: Option<PathBuf>,
    /// Length of a capture window in seconds
    #[arg(long, default_value = "60", value_name = "SECONDS")]
    interval: NonZeroU32,
    /// Flows that can be counted in one window, on all interfaces together (about 340 bytes of kernel memory each)
    #[arg(long, default_value_t = Sizes::default().flows, value_name = "FLOWS")]
    max_flows: u32,
    /// Connections that can be tracked at once (about 170 bytes of kernel memory each)
    #[arg(long, default_value_t = Sizes::default().connections, value_name = "CONNECTIONS")]
    max_connections: u32,
    /// Everything in memory, any credentials accepted, POST /moto-api/reset empties it: for test suites made for AWS emulators
    #[arg(long)]
    emulator: bool,
    /// A command that alarms may run as 'exec:PATH'; may be given more than once [default: none]
    #[arg(long, value_name = "PATH", value_parser = command)]
    allow_alarm_command: Vec<PathBuf>,
    /// Where subscription filters reach a service: lambda=URL, kinesis=URL or firehose=URL; may be given more than once
    #[arg(long, value_name = "SERVICE=URL", value_parser = endpoint)]
    subscription_endpoint: Vec<(String, String)>,
    /// How long a subscription's events are tried before they go to the dead-letter file
    #[arg(long, default_value_t = 86_400.0, value_parser = seconds, value_name = "SECONDS")]
    subscription_patience: f64,
    /// Where flow logs' records go instead of this server: s3=URL, logs=URL or firehose=URL, or 'aws' for the URL; may be given more than once
    ///
    /// 's3=aws' is AWS itself, in the flow log's region; a URL is any compatible
    /// store. The AWS credentials of the environment are used, found as the AWS
    /// CLI finds them: with S3 and Firehose as they are, with CloudWatch Logs to
    /// assume the flow log's role.
    #[arg(long, value_name = "SERVICE=URL")]
    deliver_to: Vec<DeliverTo>,
    /// How often records are published to S3, at most every five minutes; objects are named by five-minute slots all the same
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=300), value_name = "SECONDS")]
    s3_publish_every: u32,
    /// Encryption that flow logs' objects in S3 ask for: AES256 or aws:kms [default: the bucket's]
    #[arg(long, value_name = "ALGORITHM")]
    s3_encryption: Option<String>,
    /// The key for --s3-encryption aws:kms
    #[arg(long, value_name = "ARN", requires = "s3_encryption")]
    s3_kms_key_id: Option<String>,
    /// Bytes of records that may wait for their destinations; beyond them the oldest windows become SKIPDATA
    #[arg(long, default_value_t = SPOOL_MAX_BYTES, value_name = "BYTES")]
    max_spool: u64,
    /// Connections of clients at once; more are answered 503
    #[arg(long, hide = true, default_value_t = 512, value_name = "CONNECTIONS")]
    max_clients: usize,
    /// How long a client may take to send a header, to begin a body, or to take some of its answer
    #[arg(long, hide = true, default_value_t = 60.0, value_parser = seconds, value_name = "SECONDS")]
    client_timeout: f64,
    /// How log lines are written to stderr; RUST_LOG filters them
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnStop {
    Detach,
    Keep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("'{text}' is not a number of seconds"))?;
    if (0.001..=86_400.0).contains(&seconds) { Ok(seconds) } else { Err("from 0.001 to 86400".into()) }
}

fn command(text: &str) -> std::result::Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err("an absolute path".into()) }
}

fn endpoint(text: &str) -> std::result::Result<(String, String), String> {
    let (service, url) = text.split_once('=').unwrap_or_default();
    let known = ["lambda", "kinesis", "firehose"].contains(&service);
    if known && (url.starts_with("http://") || url.starts_with("https://")) {
        return Ok((service.to_owned(), url.to_owned()));
    }
    Err("lambda=URL, kinesis=URL or firehose=URL".into())
}

pub fn run(args: Args) -> Result<()> {
    if args.account_id.len() != 12 || !args.account_id.bytes().all(|b| b.is_ascii_digit()) {
        bail!("'{}' is not an account id: twelve digits", args.account_id);
    }
    if args.interval.get() > 600 {
        bail!("an interval of {} s is too long: AWS's longest is 600 s", args.interval);
    }
    start_logging(args.log_format);
    // Removed when the server has ended.
    let temporary = args
        .emulator
        .then(|| tempfile::Builder::new().prefix("weir-emulator-").tempdir())
        .transpose()
        .context("cannot make a temporary folder")?;
    let dir = match (&args.data_dir, &temporary) {
        (Some(dir), _) => dir.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => default_dir(),
    };
    let patience = Duration::from_secs_f64(args.client_timeout);
    let config = Config {
        listen: args.listen,
        home: Home::at(dir),
        state: args.state,
        account_id: args.account_id,
        region: args.region,
        interval_s: args.interval,
        sizes: Sizes { flows: args.max_flows, connections: args.max_connections, ..Sizes::default() },
        emulator: args.emulator,
        clients: Clients {
            limits: Limits { connections: args.max_clients, header: patience, answer: patience },
            body: patience,
        },
        outward: Choices {
            alarm_commands: args.allow_alarm_command,
            endpoints: args.subscription_endpoint.into_iter().collect(),
            give_up_after: Duration::from_secs_f64(args.subscription_patience),
        },
        aws_ranges: aws_ranges(args.aws_ip_ranges.as_deref())?,
        excluded: Excluded { nothing: args.capture_excluded, resolvers: args.resolver },
        pin: !args.no_pin && !args.emulator,
        keep: args.on_stop == OnStop::Keep,
        observe: wanted(args.observe, args.attach),
        delivery: DeliveryChoices {
            deliver_to: args.deliver_to,
            s3_period_s: args.s3_publish_every,
            s3_encryption: args.s3_encryption,
            s3_kms_key_id: args.s3_kms_key_id,
            spool_max_bytes: args.max_spool,
        },
        root_access_key: root_access_key_from_environment()?,
    };
    let listener = server::bind(config.listen)?;
    // Before there is another thread.
    weir_capture::privileges::give_up()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let home = config.home.clone();
    let emulator = config.emulator;
    runtime.block_on(server::run(config, listener, server::interrupted(), |ready| {
        announce(ready, &home, emulator);
    }))
}

fn wanted(observe: Vec<Target>, attach: Vec<Rule>) -> Wanted {
    let mut wanted = Wanted { devices: Vec::new(), rules: attach };
    for target in observe {
        match target {
            Target::Device(device) => wanted.devices.push(device),
            Target::Rule(rule) => wanted.rules.push(rule),
        }
    }
    wanted
}

fn aws_ranges(path: Option<&Path>) -> Result<Arc<AwsRanges>> {
    let Some(path) = path else { return Ok(Arc::default()) };
    let ranges = crate::aws_ranges::read(path)
        .hint("AWS publishes it at https://ip-ranges.amazonaws.com/ip-ranges.json")?;
    Ok(Arc::new(ranges))
}

fn root_access_key_from_environment() -> Result<Option<RootAccessKey>> {
    let get = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (get("WEIR_ROOT_ACCESS_KEY_ID"), get("WEIR_ROOT_SECRET_ACCESS_KEY")) {
        (Some(access_key_id), Some(secret_access_key)) => {
            Ok(Some(RootAccessKey { access_key_id, secret_access_key }))
        }
        (None, None) => Ok(None),
        _ => Err(anyhow::anyhow!("half a root access key is set"))
            .hint("set both WEIR_ROOT_ACCESS_KEY_ID and WEIR_ROOT_SECRET_ACCESS_KEY"),
    }
}

fn start_logging(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,aws=warn,hyper=warn,s3s=off"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
}

/// Data on stdout: one line that says it is ready. Talk on stderr.
fn announce(ready: &Ready, home: &Home, emulator: bool) {
    if let Some(key) = &ready.new_root_access_key {
        eprintln!("The account's root access key, shown this once (kept in the data folder, mode 0600):");
        eprintln!("  AWS_ACCESS_KEY_ID={}", key.access_key_id);
        eprintln!("  AWS_SECRET_ACCESS_KEY={}", key.secret_access_key);
    }
    if let Some(reason) = &ready.no_capture {
        eprintln!("No capture on this host: {reason}");
    }
    if emulator {
        eprintln!("EMULATOR MODE: any credentials are accepted and everything is gone at the end.");
    }
    eprintln!("Point AWS clients here: eval \"$(weir env --data-dir {})\"", home.path().display());
    eprint!("{}", ready.observing);
    let mut out = std::io::stdout().lock();
    // A closed pipe is not an error: nobody waits for the line.
    if writeln!(out, "weir is ready at {}", ready.url).and_then(|()| out.flush()).is_err() {
        tracing::debug!("nobody reads the standard output");
    }
}
