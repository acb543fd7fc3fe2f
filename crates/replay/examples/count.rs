//! Counts a capture on one core and says what it found: for the benchmark, and
//! as the smallest program around the library. `count FILE [INTERVAL [RECORDS]]`
//! writes the records as lines to RECORDS.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;
use weir_flow::format::LogFormat;
use weir_flow::record::InterfaceFacts;
use weir_flow::sample::InterfaceSamples;
use weir_flow::text::write_record;
use weir_flow::window::{Window, records};
use weir_replay::{Reader, Replay, Sink, Us, View};

#[derive(Default)]
struct Sums {
    records: u64,
    packets: u64,
    bytes: u64,
    out: Option<BufWriter<File>>,
    format: LogFormat,
    line: String,
}

impl Sink for Sums {
    type Error = std::io::Error;

    fn samples(
        &mut self,
        window: Window,
        facts: &InterfaceFacts,
        samples: &InterfaceSamples,
    ) -> Result<(), Self::Error> {
        for record in records(window, facts, samples) {
            self.records += 1;
            if let Some(out) = &mut self.out {
                self.line.clear();
                write_record(&self.format, &record, &mut self.line);
                self.line.push('\n');
                out.write_all(self.line.as_bytes())?;
            }
        }
        self.packets += samples.flows.iter().map(|flow| flow.packets).sum::<u64>();
        self.bytes += samples.flows.iter().map(|flow| flow.bytes).sum::<u64>();
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("count FILE [INTERVAL]")?;
    let interval: u32 = arguments.next().map_or(Ok(60), |text| text.parse())?;
    let begun = Instant::now();
    let mut reader = Reader::new(File::open(path)?);
    let view = View::of_capture("123456789012", "us-east-1", None, Us::default());
    let mut replay = Replay::new(interval.try_into()?, 1 << 22, view);
    let out = arguments.next().map(File::create).transpose()?.map(BufWriter::new);
    let mut sums = Sums { out, ..Sums::default() };
    while let Some(captured) = reader.next_packet()? {
        replay.push(captured, &mut sums)?;
    }
    replay.finish(&mut sums)?;
    if let Some(out) = &mut sums.out {
        out.flush()?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let counts = replay.counts();
    println!(
        "{} packets, {} counted, {} records, {} bytes; {:.2} s, {:.2} M packets/s",
        counts.packets,
        sums.packets,
        sums.records,
        sums.bytes,
        seconds,
        counts.packets as f64 / seconds / 1e6
    );
    Ok(())
}
