//! A frame of any link type, whole and cut by the capture: the cut one gives
//! the same record, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::convert::Infallible;
use weir_flow::record::InterfaceFacts;
use weir_flow::sample::{FlowSample, InterfaceSamples};
use weir_flow::window::Window;
use weir_replay::file::CaptureInterface;
use weir_replay::link::Link;
use weir_replay::{Captured, Counts, Replay, Sink, Us, View};

#[derive(Default)]
struct Flows(Vec<FlowSample>);

impl Sink for Flows {
    type Error = Infallible;

    fn samples(&mut self, _: Window, _: &InterfaceFacts, samples: &InterfaceSamples) -> Result<(), Infallible> {
        self.0.extend(&samples.flows);
        Ok(())
    }
}

fn read(on: &CaptureInterface, data: &[u8], wire_len: usize) -> (Counts, Vec<FlowSample>) {
    let view = View::of_capture("123456789012", "us-east-1", None, Us::default());
    let mut replay = Replay::new(std::num::NonZeroU32::MIN, 4, view);
    let mut flows = Flows::default();
    let captured = Captured { time_ns: 0, interface: 0, on, data, wire_len, direction: None };
    let Ok(()) = replay.push(captured, &mut flows);
    let Ok(()) = replay.finish(&mut flows);
    (replay.counts(), flows.0)
}

fuzz_target!(|input: &[u8]| {
    let &[link, cut, ref frame @ ..] = input else { return };
    let link_type = [0, 1, 101, 113, 276][usize::from(link) % 5];
    let on = CaptureInterface { name: None, link_type, link: Link::of(link_type) };
    let whole = read(&on, frame, frame.len());
    assert_eq!(whole.0.cut, 0);
    for sample in &whole.1 {
        assert!(sample.packets == 1 && sample.bytes <= frame.len() as u64);
    }
    let short = read(&on, &frame[..frame.len().min(cut.into())], frame.len());
    assert!(short.0.cut == 1 || short == whole, "{short:?}\n{whole:?}");
});
