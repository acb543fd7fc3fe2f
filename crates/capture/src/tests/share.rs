//! A flood at one interface leaves another its part of the tables, and says how
//! much it was.

use super::frame::{self, TCP, UDP, V4, ethernet, ipv4};
use super::support::{SMALL, drain, is_root, rules, start};
use crate::testrun::{Outcome, TestInterface};
use crate::{Capture, InterfaceNumber};
use weir_policy::CompiledRules;
use weir_types::net::Direction;
use weir_types::orders::{Mode, Side};

const FLOODED: InterfaceNumber = InterfaceNumber(3);
const QUIET: InterfaceNumber = InterfaceNumber(4);
/// More than the tables of [`SMALL`] hold.
const FLOOD: u32 = 6000;
/// What one of two interfaces may take of them at most: all but the other's part.
const MOST: u32 = 4096 - 4096 / 2 / 2;
/// Within the quiet one's part.
const FEW: u32 = 900;

fn interfaces(capture: &Capture, mode: Mode, rules: &CompiledRules) -> [TestInterface; 2] {
    [FLOODED, QUIET].map(|number| TestInterface::new(capture, number, Side::Instance, mode, rules).unwrap())
}

fn peer(n: u32) -> String {
    format!("10.1.{}.{}", n >> 8, n & 255)
}

fn datagram(n: u32) -> Vec<u8> {
    ethernet(&[], &ipv4(&peer(n), "10.0.0.2", UDP, V4::default(), &frame::udp(5000, 53, 18)))
}

fn syn(n: u32) -> Vec<u8> {
    ethernet(&[], &ipv4(&peer(n), "10.0.0.2", TCP, V4::default(), &frame::tcp(5000, 80, 2, 1, 0, 0)))
}

fn answer(n: u32) -> Vec<u8> {
    ethernet(&[], &ipv4("10.0.0.2", &peer(n), TCP, V4::default(), &frame::tcp(80, 5000, 0x12, 1, 2, 0)))
}

#[test]
fn a_flood_leaves_the_records_of_another_interface_exact() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let [flooded, quiet] = interfaces(&capture, Mode::Observe, &CompiledRules::default());
    // Windows use two tables in turns: each must be whole again.
    for window in 0..3 {
        for n in 0..FLOOD {
            flooded.run(Direction::Ingress, &datagram(n)).unwrap();
        }
        for n in 0..FEW {
            quiet.run(Direction::Ingress, &datagram(n)).unwrap();
            quiet.run(Direction::Ingress, &datagram(n)).unwrap();
        }
        // Some flows are skipped twice, and are no more flows for that.
        for n in FLOOD - 1000..FLOOD {
            flooded.run(Direction::Ingress, &datagram(n)).unwrap();
        }
        let closed = drain(&capture);
        let samples = &closed.interfaces[&QUIET];
        assert_eq!(samples.flows.len(), FEW as usize, "window {window}");
        assert!(samples.flows.iter().all(|flow| flow.packets == 2));
        assert_eq!((samples.skipped_packets, samples.skipped_flows), (0, 0));
        let samples = &closed.interfaces[&FLOODED];
        assert_eq!(samples.flows.len(), MOST as usize, "window {window}");
        let skipped = FLOOD - MOST;
        assert_eq!(samples.skipped_packets, u64::from(skipped + 1000));
        assert_eq!(samples.skipped_bytes, u64::from(skipped + 1000) * 46);
        let off = samples.skipped_flows.abs_diff(skipped.into());
        assert!(off * 8 <= skipped.into(), "{} of {skipped} flows", samples.skipped_flows);
    }
}

#[test]
fn a_flood_leaves_another_interface_its_connections() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let allowed =
        rules("acl 1 in allow all 0.0.0.0/0\nacl 1 out allow all 0.0.0.0/0\nsg in tcp:80 10.0.0.0/8");
    let [flooded, quiet] = interfaces(&capture, Mode::Enforce, &allowed);
    for n in 0..FLOOD {
        assert_eq!(flooded.run(Direction::Ingress, &syn(n)).unwrap(), Outcome::Next);
    }
    for n in 0..FEW {
        quiet.run(Direction::Ingress, &syn(n)).unwrap();
        assert_eq!(quiet.run(Direction::Egress, &answer(n)).unwrap(), Outcome::Next, "{n}");
    }
    let losses = drain(&capture).losses;
    assert_eq!(losses[&FLOODED].untracked_connections, u64::from(FLOOD - MOST));
    assert!(!losses.contains_key(&QUIET), "{losses:?}");
    assert_eq!(flooded.run(Direction::Egress, &answer(MOST - 1)).unwrap(), Outcome::Next);
    assert_eq!(flooded.run(Direction::Egress, &answer(MOST)).unwrap(), Outcome::Drop);

    // A sweep counts again what is there: nothing has become free.
    assert_eq!(crate::testrun::sweep_at(&capture, 0).unwrap().live, (MOST + FEW) as usize);
    flooded.run(Direction::Ingress, &syn(FLOOD)).unwrap();
    assert_eq!(drain(&capture).losses[&FLOODED].untracked_connections, 1);
    // Without the other one there is room again.
    capture.detach(FLOODED).unwrap();
    crate::testrun::sweep_at(&capture, 0).unwrap();
    drain(&capture);
    for n in FEW..MOST {
        quiet.run(Direction::Ingress, &syn(n)).unwrap();
    }
    assert!(drain(&capture).losses.is_empty());
}
