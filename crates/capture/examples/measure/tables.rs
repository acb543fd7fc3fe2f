//! What many flows, many interfaces and a flood of spoofed sources cost.

use crate::Answer;
use crate::cost::segment;
use crate::live::{attachment, open_rules};
use crate::usage::{bpf_mib, cpu_s, kernel_mib, median, memory_mib};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use weir_capture::testrun::{EmptyProgram, TestInterface};
use weir_capture::{Capture, ClosedWindow, InterfaceNumber, Sizes};
use weir_types::net::{Action, Direction};
use weir_types::orders::{Mode, Side};

const INTERFACE: InterfaceNumber = InterfaceNumber(1);
const SYN: u8 = 2;

/// A source address and port of its own for each number.
fn source(n: u32) -> (String, u16) {
    (format!("10.{}.{}.{}", 1 + (n >> 16), (n >> 8) & 255, n & 255), 1024 + (n % 60_000) as u16)
}

fn ms(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1000.0
}

/// Wall and CPU milliseconds of closing, and wall milliseconds of clearing.
fn drain(capture: &Capture) -> Result<(ClosedWindow, f64, f64, f64), Box<dyn std::error::Error>> {
    let (begin, cpu) = (Instant::now(), cpu_s());
    let window = capture.close_window()?;
    let (closed, closed_cpu) = (ms(begin), (cpu_s() - cpu) * 1000.0);
    let begin = Instant::now();
    capture.clear_window(window.id)?;
    Ok((window, closed, closed_cpu, ms(begin)))
}

/// So many concurrent flows, each tracked.
pub fn flows(count: u32) -> Answer {
    let room = count + count / 16;
    let sizes = Sizes { flows: room, connections: room, interfaces: 16, fragments: 4096 };
    let begin = Instant::now();
    let capture = Capture::start(sizes)?;
    let start = ms(begin);
    let (kernel, before) = (bpf_mib(), memory_mib("VmRSS:"));
    let interface =
        TestInterface::with_real_clock(&capture, INTERFACE, Side::Instance, Mode::Evaluate, &open_rules()?)?;
    let mut ns = Vec::new();
    for n in 0..count {
        let (src, port) = source(n);
        ns.push(f64::from(interface.time(Direction::Ingress, &segment(&src, port, SYN), 1)?));
    }
    let first = median(std::mem::take(&mut ns));
    // Again, far apart: each lookup misses the processor's cache.
    for n in (0..count).step_by(10) {
        let (src, port) = source(n.wrapping_mul(2_654_435_761) % count);
        ns.push(f64::from(interface.time(Direction::Ingress, &segment(&src, port, 0x10), 1)?));
    }
    let again = median(ns);
    let (window, close, close_cpu, clear) = drain(&capture)?;
    let found = window.interfaces[&INTERFACE].flows.len();
    let peak = memory_mib("VmHWM:");
    drop(window);
    let begin = Instant::now();
    let swept = capture.sweep()?;
    let sweep = ms(begin);
    Ok(format!(
        r#"{{"flows": {found}, "tracked": {}, "start_ms": {start:.0}, "kernel_mib": {kernel:.0}, "user_before_mib": {before:.1}, "user_peak_mib": {peak:.0}, "first_ns": {first}, "again_ns": {again}, "close_ms": {close:.0}, "close_cpu_ms": {close_cpu:.0}, "clear_ms": {clear:.0}, "sweep_ms": {sweep:.0}}}"#,
        swept.live + swept.removed
    ))
}

/// Attaches to `cable0` and so on of a namespace.
pub fn interfaces(namespace: &str, count: u32) -> Answer {
    let capture = Capture::start(Sizes { interfaces: count + 1, ..Sizes::default() })?;
    let rules = open_rules()?;
    let (kernel, user) = (kernel_mib(), memory_mib("VmRSS:"));
    let (begin, cpu) = (Instant::now(), cpu_s());
    for index in 0..count {
        let to = attachment(namespace, &format!("cable{index}"), Mode::Observe, index);
        capture.attach(InterfaceNumber(index), &to, &rules)?;
    }
    let (attach, attach_cpu) = (ms(begin), (cpu_s() - cpu) * 1000.0);
    let (kernel, user) = (kernel_mib() - kernel, memory_mib("VmRSS:") - user);
    let mut drains = Vec::new();
    for _ in 0..7 {
        let (window, close, _, clear) = drain(&capture)?;
        assert_eq!(window.interfaces.len(), count as usize);
        drains.push(close + clear);
    }
    let begin = Instant::now();
    for index in 0..count {
        capture.detach(InterfaceNumber(index))?;
    }
    let detach = ms(begin);
    Ok(format!(
        r#"{{"interfaces": {count}, "attach_ms": {attach:.0}, "attach_cpu_ms": {attach_cpu:.0}, "kernel_mib": {kernel:.1}, "user_mib": {user:.1}, "drain_ms": {:.1}, "detach_ms": {detach:.0}}}"#,
        median(drains)
    ))
}

/// A known, accepted flow on one processor while another runs SYNs of ever new
/// sources: first through a program that does nothing, then through Weir. The
/// rules allow every one of them, which is the worst case.
pub fn synflood(sources: u32) -> Answer {
    const SLICE: u32 = 10_000;
    let capture = Capture::start(Sizes::default())?;
    let interface =
        TestInterface::with_real_clock(&capture, INTERFACE, Side::Instance, Mode::Enforce, &open_rules()?)?;
    let empty = EmptyProgram::new(&capture)?;
    let known = segment("192.0.2.1", 40_000, 0x10);
    interface.run(Direction::Ingress, &known)?;
    let (kernel, user) = (bpf_mib(), memory_mib("VmRSS:"));
    // Beside nothing, beside the control, beside the flood.
    let mut ns = [Vec::new(), Vec::new(), Vec::new()];
    let mut accepted = 1u64;
    let mut flooded = 0;
    let mut time = |into: &mut Vec<f64>| -> Result<(), Box<dyn std::error::Error>> {
        into.push(f64::from(interface.time(Direction::Ingress, &known, SLICE)?));
        accepted += u64::from(SLICE);
        Ok(())
    };
    while flooded < sources {
        let last = (flooded + 50_000).min(sources);
        for slot in 0..3 {
            let next = AtomicU32::new(flooded);
            std::thread::scope(|scope| -> Result<(), Box<dyn std::error::Error>> {
                let flood = scope.spawn(|| -> Result<(), weir_capture::CaptureError> {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= last || slot == 0 {
                            next.store(last, Ordering::Relaxed);
                            return Ok(());
                        }
                        let (src, port) = source(n);
                        let frame = segment(&src, port, SYN);
                        match slot {
                            1 => empty.time(&frame, 1).map(drop)?,
                            _ => interface.run(Direction::Ingress, &frame).map(drop)?,
                        }
                    }
                });
                if slot == 0 {
                    (0..8).try_for_each(|_| time(&mut ns[0]))?;
                }
                while next.load(Ordering::Relaxed) < last {
                    time(&mut ns[slot])?;
                }
                flood.join().map_err(|_| "the flood panicked")??;
                Ok(())
            })?;
        }
        flooded = last;
    }
    let (window, close, _, _) = drain(&capture)?;
    let samples = &window.interfaces[&INTERFACE];
    let of_known: u64 = samples
        .flows
        .iter()
        .filter(|flow| flow.src_port == 40_000 && flow.action == Action::Accept)
        .filter(|flow| flow.src.to_string() == "192.0.2.1")
        .map(|flow| flow.packets)
        .sum();
    assert_eq!(of_known, accepted, "every packet of the known flow was accepted and counted");
    let counted: u64 = samples.flows.iter().map(|flow| flow.packets).sum();
    assert_eq!(counted + samples.skipped_packets, accepted + u64::from(sources));
    let [idle, control, flood] = ns.map(median);
    Ok(format!(
        r#"{{"sources": {sources}, "alone_ns": {idle}, "control_ns": {control}, "flood_ns": {flood}, "kernel_mib": {kernel:.1}, "kernel_after_mib": {:.1}, "user_mib": {user:.1}, "user_peak_mib": {:.1}, "flows": {}, "skipped": {}, "untracked": {}, "close_ms": {close:.0}}}"#,
        bpf_mib(),
        memory_mib("VmHWM:"),
        samples.flows.len(),
        samples.skipped_packets,
        window.losses.get(&INTERFACE).map_or(0, |losses| losses.untracked_connections)
    ))
}
