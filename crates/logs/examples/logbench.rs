//! Measures the log store over flow-log text: one line of JSON a measurement.
//!
//! ```text
//! logbench FILE DIR [--streams N] [--batch 1000] [--writers 4] [--copies 1]
//! logbench --read DIR
//! ```
//!
//! FILE is what `flowgen --plain` writes. Each interface is a stream, or with
//! `--streams` shares one of so many; an event's time is its record's start. Batches
//! are put by several writers at once, each durable before the next. With
//! `--copies` the file is put again, a day later each time.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::Instant;
use weir_logs::{
    CreateLogGroup, DescribeLogStreams, FilterLogEvents, GetLogEvents, InputLogEvent, LogsError,
    PutLogEvents, Scope, Store,
};
use weir_types::time::UnixMillis;

type Failure = Box<dyn Error + Send + Sync>;

/// Later than every event: nothing expires.
const DAY_MS: i64 = 86_400_000;
const COPY_MS: i64 = 86_400_000;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: usize| {
        let at = arguments.iter().position(|a| a == name)?;
        Some(arguments.get(at + 1)?.parse().unwrap_or(default))
    };
    let number = |name: &str, default: usize| option(name, default).unwrap_or(default);
    match arguments.as_slice() {
        [read, dir, ..] if read == "--read" => read_all(Path::new(dir)),
        [file, dir, ..] => {
            let shape = Shape {
                streams: number("--streams", 0),
                batch: number("--batch", 1000),
                writers: number("--writers", 4),
            };
            write(Path::new(file), Path::new(dir), &shape, number("--copies", 1))?;
            read_all(Path::new(dir))
        }
        _ => Err(
            "logbench FILE DIR [--streams N] [--batch N] [--writers N] [--copies N] | logbench --read DIR"
                .into(),
        ),
    }
}

struct Shape {
    streams: usize,
    batch: usize,
    writers: usize,
}

fn scope() -> Scope {
    Scope::new("123456789012", "us-east-1")
}

fn write(file: &Path, dir: &Path, shape: &Shape, copies: usize) -> Result<(), Failure> {
    let store = Store::open(dir)?;
    let created = store.create_log_group(
        &scope(),
        CreateLogGroup { name: "flow".into(), ..Default::default() },
        UnixMillis(0),
    );
    if let Err(error) = created
        && error.code() != "ResourceAlreadyExistsException"
    {
        return Err(error.into());
    }
    let (mut events, mut text_bytes, mut seconds) = (0, 0, 0.0);
    let cpu = cpu_seconds();
    for copy in 0..copies {
        let batches = batches(file, shape, copy as i64 * COPY_MS)?;
        for (stream, _) in &batches {
            exists_is_fine(store.create_log_stream(&scope(), "flow", stream, UnixMillis(0)))?;
        }
        events += batches.iter().map(|(_, events)| events.len()).sum::<usize>();
        text_bytes += batches.iter().flat_map(|(_, events)| events).map(|e| e.message.len()).sum::<usize>();
        let start = Instant::now();
        put(&store, batches, shape.writers)?;
        seconds += start.elapsed().as_secs_f64();
    }
    let say = |what: &str, value: f64| println!("{{\"what\":\"{what}\",\"value\":{value:.3}}}");
    say("events", events as f64);
    say("text bytes an event", text_bytes as f64 / events as f64);
    say("ingest, k events/s", events as f64 / seconds / 1e3);
    let start = Instant::now();
    store.flush()?;
    say("rest of the flush, s", start.elapsed().as_secs_f64());
    drop(store);
    say(
        "ingest and flush, us CPU an event (with reading the file)",
        (cpu_seconds() - cpu) / events as f64 * 1e6,
    );
    say("disk, bytes an event", disk_bytes(dir)? as f64 / events as f64);
    Ok(())
}

fn exists_is_fine(result: Result<(), LogsError>) -> Result<(), LogsError> {
    result.or_else(|error| if error.code() == "ResourceAlreadyExistsException" { Ok(()) } else { Err(error) })
}

type Batches = Vec<(String, Vec<InputLogEvent>)>;

fn batches(file: &Path, shape: &Shape, later: i64) -> Result<Batches, Failure> {
    let mut batches = Vec::new();
    let mut open: HashMap<String, Vec<InputLogEvent>> = HashMap::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for line in BufReader::new(std::fs::File::open(file)?).lines().skip(1) {
        let message = line?;
        let mut fields = message.split(' ');
        let interface = fields.nth(2).unwrap_or("none").to_owned();
        let start: i64 = fields.nth(7).and_then(|text| text.parse().ok()).unwrap_or(0);
        let stream = if shape.streams == 0 {
            format!("{interface}-all")
        } else {
            let next = numbers.len();
            let number = *numbers.entry(interface).or_insert(next);
            format!("stream-{:04}", number % shape.streams)
        };
        let events = open.entry(stream.clone()).or_default();
        events.push(InputLogEvent { timestamp: UnixMillis(start * 1000 + later), message });
        if events.len() >= shape.batch {
            batches.push((stream, std::mem::take(events)));
        }
    }
    batches.extend(open.into_iter().filter(|(_, events)| !events.is_empty()));
    for (_, events) in &mut batches {
        events.sort_by_key(|event| event.timestamp);
    }
    Ok(batches)
}

fn put(store: &Store, batches: Batches, writers: usize) -> Result<(), Failure> {
    let (sender, receiver) = sync_channel(writers * 4);
    let receiver = Mutex::new(receiver);
    std::thread::scope(|threads| {
        let running: Vec<_> = (0..writers)
            .map(|_| {
                threads.spawn(|| -> Result<(), Failure> {
                    loop {
                        let next = receiver.lock().map_err(|_| "a writer panicked")?.recv();
                        let Ok((stream, events)) = next else { return Ok(()) };
                        let events: Vec<InputLogEvent> = events;
                        let now = events.last().map_or(0, |event| event.timestamp.0);
                        let request =
                            PutLogEvents { group: "flow".into(), stream, events, sequence_token: None };
                        let done = store.put_log_events(&scope(), &request, UnixMillis(now + DAY_MS))?;
                        if let Some(rejected) = done.rejected {
                            return Err(format!("{rejected:?}").into());
                        }
                    }
                })
            })
            .collect();
        for batch in batches {
            if sender.send(batch).is_err() {
                break;
            }
        }
        drop(sender);
        for thread in running {
            thread.join().map_err(|_| "a writer panicked")??;
        }
        Ok(())
    })
}

fn read_all(dir: &Path) -> Result<(), Failure> {
    let say = |what: &str, value: f64| println!("{{\"what\":\"{what}\",\"value\":{value:.3}}}");
    let start = Cpu::start();
    let store = Store::open(dir)?;
    let group = store.log_group(&scope(), "flow")?;
    say("open, ms", start.seconds() * 1e3);
    say("resident after opening, MiB", resident_mib());
    say("stored bytes", group.stored_bytes as f64);
    let now = UnixMillis(0);

    let start = Cpu::start();
    let first = FilterLogEvents { group: "flow".into(), ..Default::default() };
    let page = store.filter_log_events(&scope(), &first, now)?;
    say("first page, ms", start.seconds() * 1e3);
    let from = page.events.first().map_or(0, |event| event.timestamp.0);
    let patterns = [
        "[version, account, eni, source, destination, srcport, destport=\"22\", protocol=\"6\", packets, bytes, windowstart, windowend, action=\"REJECT\", flowlogstatus]",
        "[..., bytes>1000000, start, end, action, status]",
        "[..., srcport, dstport=22, protocol, packets, bytes, start, end, action=REJECT, status]",
        "REJECT",
        "203.0.113.77",
        "?REJECT ?SKIPDATA",
    ];
    let only = |what: &str| std::env::args().any(|argument| argument == what);
    let only_merged = only("--merged");
    if only("--each") {
        let (found, _, seconds) = filter_each(&store, first)?;
        say("given one by one, M events/s", found / seconds / 1e6);
        return Ok(());
    }
    for pattern in patterns.into_iter().filter(|_| !only_merged) {
        let request = FilterLogEvents { filter_pattern: Some(pattern.into()), ..first.clone() };
        let start = Cpu::start();
        store.filter_log_events(&scope(), &request, now)?;
        say(&format!("first page of {}, ms", pattern.replace('"', "'")), start.seconds() * 1e3);
        let (found, _, seconds) = filter_all(&store, request)?;
        let all = count(&store)?;
        say(&format!("filter {}, M events/s", pattern.replace('"', "'")), all / seconds / 1e6);
        say("of them found", found);
    }
    let (found, pages, seconds) =
        filter_all(&store, FilterLogEvents { end_time: Some(from + 6 * 3_600_000), ..first.clone() })?;
    say("merged window, M events/s", found / seconds / 1e6);
    say("merged window, ms a page", seconds / pages * 1e3);

    let request = FilterLogEvents { end_time: Some(from + 6 * 3_600_000), ..first.clone() };
    let (found, pages, seconds) = filter_each(&store, request)?;
    say("merged window, given one by one, M events/s", found / seconds / 1e6);
    say("merged window, given one by one, ms a page", seconds / pages * 1e3);

    let names = store.describe_log_streams(
        &scope(),
        &DescribeLogStreams { group: "flow".into(), limit: Some(50), ..Default::default() },
        now,
    )?;
    let (mut events, mut seconds) = (0, 0.0);
    for stream in names.log_streams {
        let mut request = GetLogEvents {
            group: "flow".into(),
            stream: stream.name,
            start_from_head: true,
            ..Default::default()
        };
        let start = Cpu::start();
        loop {
            let page = store.get_log_events(&scope(), &request, now)?;
            events += page.events.len();
            if page.events.is_empty() {
                break;
            }
            request.next_token = Some(page.next_forward_token);
        }
        seconds += start.seconds();
    }
    say("streams in order of time, M events/s", events as f64 / seconds / 1e6);
    say("resident at the end, MiB", resident_mib());
    Ok(())
}

/// Counted by a pattern that is true for all: one event a page.
fn count(store: &Store) -> Result<f64, Failure> {
    let group = store.log_group(&scope(), "flow")?;
    let request = FilterLogEvents { group: "flow".into(), ..Default::default() };
    let page = store.filter_log_events(&scope(), &request, UnixMillis(0))?;
    let bytes: usize = page.events.iter().map(|event| event.message.len() + 26).sum();
    Ok(group.stored_bytes as f64 / (bytes as f64 / page.events.len() as f64))
}

fn filter_all(store: &Store, mut request: FilterLogEvents) -> Result<(f64, f64, f64), Failure> {
    let start = Cpu::start();
    let (mut found, mut pages) = (0.0, 0.0);
    loop {
        let page = store.filter_log_events(&scope(), &request, UnixMillis(0))?;
        found += page.events.len() as f64;
        pages += 1.0;
        request.next_token = page.next_token;
        if request.next_token.is_none() {
            return Ok((found, pages, start.seconds()));
        }
    }
}

/// With every event's id, text and stream read, but no copy of them.
fn filter_each(store: &Store, mut request: FilterLogEvents) -> Result<(f64, f64, f64), Failure> {
    let start = Cpu::start();
    let (mut found, mut pages, mut sum) = (0.0, 0.0, 0_usize);
    loop {
        request.next_token = store.each_filtered_log_event(&scope(), &request, UnixMillis(0), |event| {
            found += 1.0;
            sum += event.message.len() + event.log_stream_name.len();
            sum += usize::from(event.event_id_digits()[39]) + event.ingestion_time.0 as usize % 2;
        })?;
        pages += 1.0;
        if request.next_token.is_none() {
            std::hint::black_box(sum);
            return Ok((found, pages, start.seconds()));
        }
    }
}

fn disk_bytes(dir: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn status(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

fn resident_mib() -> f64 {
    status("VmRSS:") / 1024.0
}

/// CPU time of the main thread, which does all reading: other work on the
/// machine does not count.
struct Cpu(f64);

impl Cpu {
    fn start() -> Self {
        Self(Self::now())
    }

    fn now() -> f64 {
        let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
        stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
    }

    fn seconds(&self) -> f64 {
        Self::now() - self.0
    }
}

/// User and system time of this process, from /proc/self/stat in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let times = after_name.split_whitespace().skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
