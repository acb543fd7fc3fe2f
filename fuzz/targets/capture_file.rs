//! A capture file: whatever it holds, it is read or refused, and every packet
//! that was counted is in exactly one record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::convert::Infallible;
use weir_flow::record::InterfaceFacts;
use weir_flow::sample::InterfaceSamples;
use weir_flow::window::{Window, records};
use weir_replay::{Reader, Replay, Sink, Us, View};

#[derive(Default)]
struct Sums {
    packets: u64,
}

impl Sink for Sums {
    type Error = Infallible;

    fn samples(&mut self, window: Window, facts: &InterfaceFacts, samples: &InterfaceSamples) -> Result<(), Infallible> {
        for flow in &samples.flows {
            assert!(window.contains(flow.first) && window.contains(flow.last) && flow.first <= flow.last);
            self.packets += flow.packets;
        }
        self.packets += samples.skipped_packets;
        assert!(!records(window, facts, samples).is_empty());
        Ok(())
    }
}

fuzz_target!(|file: &[u8]| {
    let Ok(interval_s) = 60.try_into() else { return };
    let view = View::of_capture("123456789012", "us-east-1", None, Us::default());
    let mut replay = Replay::new(interval_s, 4, view);
    let mut reader = Reader::new(file);
    let mut sums = Sums::default();
    while let Ok(Some(captured)) = reader.next_packet() {
        assert!(captured.data.len() <= captured.wire_len && captured.data.len() <= file.len());
        let Ok(()) = replay.push(captured, &mut sums);
    }
    let Ok(()) = replay.finish(&mut sums);
    let counts = replay.counts();
    assert_eq!(sums.packets, counts.counted);
    let others = counts.ignored + counts.malformed + counts.cut + counts.foreign + counts.unknown_link;
    assert_eq!(counts.packets, counts.counted + others);
});
