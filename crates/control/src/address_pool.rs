//! Which addresses of a subnet are taken, as ranges: picking the lowest free
//! one, and counting, look at no interface.
//!
//! Invariant: a subnet's pool has exactly the addresses of its interfaces
//! ([`crate::interface_index`] sees to it).

use crate::error::Result;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr};
use weir_types::id::SubnetId;

/// A set of addresses of both families.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressSet {
    /// First and last address of each run. Sorted; runs neither overlap nor touch.
    runs: Vec<(IpAddr, IpAddr)>,
}

impl AddressSet {
    /// The run that has the address, or the place of the first run above it.
    fn find(&self, address: IpAddr) -> std::result::Result<usize, usize> {
        let place = self.runs.partition_point(|(_, last)| *last < address);
        match self.runs.get(place) {
            Some((first, _)) if *first <= address => Ok(place),
            _ => Err(place),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub fn contains(&self, address: impl Into<IpAddr>) -> bool {
        self.find(address.into()).is_ok()
    }

    /// Adds an address; whether it was not there.
    pub fn insert(&mut self, address: impl Into<IpAddr>) -> bool {
        let address = address.into();
        let Err(place) = self.find(address) else { return false };
        let touches = |a: Option<IpAddr>, b: IpAddr| a == Some(b);
        let below = place
            .checked_sub(1)
            .filter(|below| self.runs.get(*below).is_some_and(|(_, last)| touches(next(*last), address)));
        let above = self.runs.get(place).is_some_and(|(first, _)| touches(next(address), *first));
        match (below, above) {
            (None, false) => self.runs.insert(place, (address, address)),
            (None, true) => self.runs[place].0 = address,
            (Some(below), false) => self.runs[below].1 = address,
            (Some(below), true) => {
                let (_, last) = self.runs.remove(place);
                self.runs[below].1 = last;
            }
        }
        true
    }

    /// Removes an address; whether it was there.
    pub fn remove(&mut self, address: impl Into<IpAddr>) -> bool {
        let address = address.into();
        let Ok(place) = self.find(address) else { return false };
        let (first, last) = self.runs.remove(place);
        if let Some(after) = next(address).filter(|after| *after <= last) {
            self.runs.insert(place, (after, last));
        }
        if let Some(before) = previous(address).filter(|before| *before >= first) {
            self.runs.insert(place, (first, before));
        }
        true
    }

    /// The lowest address from `first` to `last` that is not in the set.
    pub fn lowest_free(&self, first: IpAddr, last: IpAddr) -> Option<IpAddr> {
        let free = match self.find(first) {
            Ok(place) => next(self.runs.get(place)?.1)?,
            Err(_) => first,
        };
        (free <= last).then_some(free)
    }

    /// How many IPv4 addresses there are.
    pub fn ipv4_count(&self) -> usize {
        let count = |run: &(IpAddr, IpAddr)| match run {
            (IpAddr::V4(first), IpAddr::V4(last)) => u64::from(u32::from(*last) - u32::from(*first)) + 1,
            _ => 0,
        };
        usize::try_from(self.runs.iter().map(count).sum::<u64>()).unwrap_or(usize::MAX)
    }
}

/// The next address of the same family.
fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_add(1).map(|number| IpAddr::V4(number.into())),
        IpAddr::V6(address) => u128::from(address).checked_add(1).map(|number| IpAddr::V6(number.into())),
    }
}

fn previous(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_sub(1).map(|number| IpAddr::V4(number.into())),
        IpAddr::V6(address) => {
            u128::from(address).checked_sub(1).map(|number| IpAddr::V6(Ipv6Addr::from(number)))
        }
    }
}

/// A set at rest.
#[derive(Serialize, Deserialize)]
struct Pool {
    subnet: SubnetId,
    taken: AddressSet,
}

impl Resource for Pool {
    const KIND: &'static str = "address-pool";
    fn id(&self) -> &str {
        self.subnet.as_str()
    }
}

/// The addresses that interfaces of a subnet have.
pub fn of(cx: Cx<'_>, subnet: &SubnetId) -> Result<AddressSet> {
    let pool: Option<Pool> = cx.tx.get(cx.scope, subnet.as_str())?;
    Ok(pool.map(|pool| pool.taken).unwrap_or_default())
}

/// Takes addresses out of a subnet's pool and puts others in.
pub(crate) fn change(cx: Cx<'_>, subnet: &SubnetId, gone: &[IpAddr], come: &[IpAddr]) -> Result<()> {
    if gone.is_empty() && come.is_empty() {
        return Ok(());
    }
    let mut taken = of(cx, subnet)?;
    for address in gone {
        taken.remove(*address);
    }
    for address in come {
        taken.insert(*address);
    }
    // The pool of a subnet has the subnet's id, and what goes takes the tags of
    // its id along: so it is emptied, and goes with the subnet.
    cx.tx.put(cx.scope, &Pool { subnet: subnet.clone(), taken })
}

/// Removes the pool of a subnet that goes.
pub(crate) fn subnet_deleted(cx: Cx<'_>, subnet: &SubnetId) -> Result<()> {
    cx.tx.delete::<Pool>(cx.scope, subnet.as_str()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    fn at(number: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, number))
    }

    proptest! {
        /// A plain set of numbers is the oracle.
        #[test]
        fn ranges_are_a_set(steps in prop::collection::vec((any::<bool>(), 0u8..24), 0..120)) {
            let (mut set, mut oracle) = (AddressSet::default(), BTreeSet::new());
            set.insert("fd00::4".parse::<IpAddr>().unwrap());
            for (add, number) in steps {
                if add {
                    prop_assert_eq!(set.insert(at(number)), oracle.insert(number));
                } else {
                    prop_assert_eq!(set.remove(at(number)), oracle.remove(&number));
                }
                prop_assert_eq!(set.ipv4_count(), oracle.len());
                for probe in 0..24 {
                    prop_assert_eq!(set.contains(at(probe)), oracle.contains(&probe));
                }
                let free = (4..20).find(|number| !oracle.contains(number)).map(at);
                prop_assert_eq!(set.lowest_free(at(4), at(19)), free);
                for pair in set.runs.windows(2) {
                    prop_assert!(next(pair[0].1).is_none_or(|next| next < pair[1].0));
                }
            }
            let text = serde_json::to_string(&set).unwrap();
            prop_assert_eq!(serde_json::from_str::<AddressSet>(&text).unwrap(), set);
        }
    }

    #[test]
    fn the_ends_of_a_family() {
        let all = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut set = AddressSet::default();
        for address in ["255.255.255.255", "0.0.0.0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
            assert!(set.insert(all(address)));
        }
        assert_eq!(set.runs.len(), 4);
        assert_eq!(set.lowest_free(all("255.255.255.255"), all("255.255.255.255")), None);
        assert!(set.remove(all("0.0.0.0")) && set.remove(all("::")));
        assert_eq!(set.ipv4_count(), 1);
    }
}
