//! What the host's firewall dropped, taken off what the devices had counted.
//!
//! A packet on its way in is counted before netfilter decides. If it is dropped
//! its drop is counted too, in the same window or, since drops change windows a
//! grace period later than packets, in the window before. So:
//!
//! - ACCEPT is what was counted less what was dropped;
//! - drops beyond what was counted belong to packets of the next window and are
//!   carried there; what is still left over then is REJECT all the same (its
//!   addresses were changed on the way in a manner that Weir does not undo).

use crate::abi::{self, FlowKey};
use std::collections::HashMap;

/// Drops of one flow in one window.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Drops {
    /// Counted in this window.
    pub fresh: abi::Flow,
    /// Left over from the window before.
    pub carried: abi::Flow,
}

/// Per flow, the key with action ACCEPT.
pub(crate) type AllDrops = HashMap<FlowKey, Drops>;

/// Packets and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Amount {
    pub packets: u64,
    pub bytes: u64,
}

/// What becomes of a flow's counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub accepted: Amount,
    pub rejected: Amount,
    /// For the next window.
    pub carry: Amount,
}

impl Amount {
    pub(crate) fn of(flow: &abi::Flow) -> Self {
        Self { packets: flow.packets, bytes: flow.bytes }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(other.packets),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// Divides one flow. `may_carry`: there is a next window that takes the rest.
pub(crate) fn settle(counted: Amount, drops: &Drops, may_carry: bool) -> Settled {
    let (fresh, carried) = (Amount::of(&drops.fresh), Amount::of(&drops.carried));
    let all = Amount { packets: fresh.packets + carried.packets, bytes: fresh.bytes + carried.bytes };
    let due = if may_carry { carried.packets } else { all.packets };
    let packets = all.packets.min(counted.packets).max(due);
    let bytes = if packets == counted.packets {
        // All of it was dropped: the device knows best how much it was.
        counted.bytes
    } else if packets == all.packets {
        all.bytes
    } else {
        let share = u128::from(all.bytes) * u128::from(packets) / u128::from(all.packets.max(1));
        u64::try_from(share).unwrap_or(u64::MAX)
    };
    let rejected = Amount { packets, bytes };
    let carry = all.minus(rejected);
    Settled {
        accepted: counted.minus(rejected),
        rejected,
        carry: if carry.packets == 0 { Amount::default() } else { carry },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_is_accepted_rejected_or_carried_once() {
        // Counted, fresh drops, carried ones => accepted, rejected, carried on.
        for (counted, fresh, carried, accepted, rejected, carry) in [
            ((10, 1000), (3, 300), (0, 0), (7, 700), (3, 300), (0, 0)),
            ((10, 1000), (10, 990), (0, 0), (0, 0), (10, 1000), (0, 0)),
            ((10, 1000), (12, 1200), (0, 0), (0, 0), (10, 1000), (2, 200)),
            ((0, 0), (2, 200), (0, 0), (0, 0), (0, 0), (2, 200)),
            ((5, 500), (0, 0), (2, 200), (3, 300), (2, 200), (0, 0)),
            ((5, 500), (1, 100), (2, 200), (2, 200), (3, 300), (0, 0)),
            ((2, 200), (3, 300), (2, 200), (0, 0), (2, 200), (3, 300)),
            // Two windows late: it is shown though nothing was counted.
            ((0, 0), (3, 300), (2, 200), (0, 0), (2, 200), (3, 300)),
            ((1, 100), (0, 0), (2, 200), (0, 0), (2, 200), (0, 0)),
        ] {
            let amount = |(packets, bytes)| Amount { packets, bytes };
            let flow = |(packets, bytes)| abi::Flow { packets, bytes, ..abi::Flow::default() };
            let drops = Drops { fresh: flow(fresh), carried: flow(carried) };
            let found = settle(amount(counted), &drops, true);
            let expected =
                Settled { accepted: amount(accepted), rejected: amount(rejected), carry: amount(carry) };
            assert_eq!(found, expected, "{counted:?} {fresh:?} {carried:?}");
        }
    }

    #[test]
    fn without_a_next_window_nothing_is_carried() {
        let drops = Drops {
            fresh: abi::Flow { packets: 3, bytes: 300, ..abi::Flow::default() },
            carried: abi::Flow::default(),
        };
        let found = settle(Amount { packets: 1, bytes: 100 }, &drops, false);
        assert_eq!(found.rejected, Amount { packets: 3, bytes: 300 });
        assert_eq!((found.accepted, found.carry), (Amount::default(), Amount::default()));
    }
}
