//! Which addresses of a subnet a network interface may have.
//!
//! AWS keeps the first four and the last address of every subnet for itself:
//! network, router, name server, future use, broadcast. Weir picks the lowest
//! free address.
//!
//! Source: VPC user guide, "Subnet CIDR blocks".

use crate::address_pool::AddressSet;
use crate::error::{ControlError, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weir_types::net::{Ipv4Net, Ipv6Net};

/// Addresses of a block that nobody gets: four at the start, one at the end.
pub const RESERVED: u32 = 5;

/// The first and last usable address of a block.
#[derive(Debug, Clone, Copy)]
struct Usable {
    first: IpAddr,
    last: IpAddr,
}

impl Usable {
    fn ipv4(block: &Ipv4Net) -> Self {
        let (first, last) = (u32::from(block.network()) + 4, u32::from(block.broadcast()) - 1);
        Self { first: Ipv4Addr::from(first).into(), last: Ipv4Addr::from(last).into() }
    }

    fn ipv6(block: &Ipv6Net) -> Self {
        let (first, last) = (u128::from(block.network()) + 4, u128::from(block.broadcast()) - 1);
        Self { first: Ipv6Addr::from(first).into(), last: Ipv6Addr::from(last).into() }
    }

    fn take(self, taken: &mut AddressSet, address: IpAddr, text: &str, in_block: bool) -> Result<()> {
        let invalid = |message| Err(ControlError::fault("InvalidParameterValue", message));
        if !in_block {
            return invalid(format!("Address {text} does not fall within the subnet's address range"));
        }
        if address < self.first || address > self.last {
            return invalid(format!("Address {text} is in subnet's reserved address range"));
        }
        if !taken.insert(address) {
            return Err(ControlError::fault("InvalidIPAddress.InUse", format!("Address {text} is in use.")));
        }
        Ok(())
    }

    fn pick(self, taken: &mut AddressSet) -> Result<IpAddr> {
        let address = taken.lowest_free(self.first, self.last).ok_or_else(|| {
            ControlError::fault(
                "InsufficientFreeAddressesInSubnet",
                "The specified subnet does not have enough free addresses to satisfy the request.",
            )
        })?;
        taken.insert(address);
        Ok(address)
    }
}

/// How many addresses of a block interfaces can have altogether.
pub fn capacity(block: &Ipv4Net) -> u32 {
    (1u32 << (32 - u32::from(block.prefix_len().clamp(1, 32)))).saturating_sub(RESERVED)
}

/// Takes an address that a caller asked for.
///
/// Errors: `InvalidParameterValue` (no address, outside the block, reserved),
/// `InvalidIPAddress.InUse`.
pub fn take_ipv4(block: &Ipv4Net, taken: &mut AddressSet, text: &str) -> Result<Ipv4Addr> {
    let address: Ipv4Addr = text.parse().map_err(|_| not_an_address(text))?;
    Usable::ipv4(block).take(taken, address.into(), text, block.contains(&address))?;
    Ok(address)
}

/// Takes the lowest free address.
///
/// Errors: `InsufficientFreeAddressesInSubnet`.
pub fn pick_ipv4(block: &Ipv4Net, taken: &mut AddressSet) -> Result<Ipv4Addr> {
    match Usable::ipv4(block).pick(taken)? {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(_) => Err(ControlError::fault("InternalError", "an IPv4 block gave an IPv6 address")),
    }
}

/// As [`take_ipv4`].
pub fn take_ipv6(block: &Ipv6Net, taken: &mut AddressSet, text: &str) -> Result<Ipv6Addr> {
    let address: Ipv6Addr = text.parse().map_err(|_| not_an_address(text))?;
    Usable::ipv6(block).take(taken, address.into(), text, block.contains(&address))?;
    Ok(address)
}

/// As [`pick_ipv4`].
pub fn pick_ipv6(block: &Ipv6Net, taken: &mut AddressSet) -> Result<Ipv6Addr> {
    match Usable::ipv6(block).pick(taken)? {
        IpAddr::V6(address) => Ok(address),
        IpAddr::V4(_) => Err(ControlError::fault("InternalError", "an IPv6 block gave an IPv4 address")),
    }
}

pub(crate) fn not_an_address(text: &str) -> ControlError {
    ControlError::fault("InvalidParameterValue", format!("Invalid IP address: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Display;

    fn taken(address: &str) -> AddressSet {
        let mut taken = AddressSet::default();
        taken.insert(address.parse::<IpAddr>().unwrap());
        taken
    }

    fn outcome<T: Display>(result: Result<T>) -> String {
        match result {
            Ok(address) => address.to_string(),
            Err(ControlError::Fault { code, message }) => format!("{code}: {message}"),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn given_addresses_are_checked() {
        let block = "10.0.1.0/24".parse().unwrap();
        for (text, expected) in [
            ("10.0.1.4", "10.0.1.4"),
            ("10.0.1.254", "10.0.1.254"),
            ("10.0.1.3", "InvalidParameterValue: Address 10.0.1.3 is in subnet's reserved address range"),
            ("10.0.1.0", "InvalidParameterValue: Address 10.0.1.0 is in subnet's reserved address range"),
            ("10.0.1.255", "InvalidParameterValue: Address 10.0.1.255 is in subnet's reserved address range"),
            (
                "10.0.2.4",
                "InvalidParameterValue: Address 10.0.2.4 does not fall within the subnet's address range",
            ),
            ("10.0.1.9", "InvalidIPAddress.InUse: Address 10.0.1.9 is in use."),
            ("10.0.1", "InvalidParameterValue: Invalid IP address: 10.0.1"),
        ] {
            let mut taken = taken("10.0.1.9");
            assert_eq!(outcome(take_ipv4(&block, &mut taken, text)), expected);
        }
        let block = "fd00::/64".parse().unwrap();
        for (text, ok) in [("fd00::4", true), ("fd00::3", false), ("fd01::4", false), ("10.0.0.4", false)] {
            assert_eq!(take_ipv6(&block, &mut AddressSet::default(), text).is_ok(), ok, "{text}");
        }
    }

    #[test]
    fn a_subnet_gives_every_address_but_five_and_then_says_that_it_is_full() {
        let block: Ipv4Net = "10.0.0.0/28".parse().unwrap();
        let mut taken = taken("10.0.0.5");
        let picked: Vec<String> = (0..10).map(|_| outcome(pick_ipv4(&block, &mut taken))).collect();
        assert_eq!(picked.first().unwrap(), "10.0.0.4");
        assert_eq!(picked.get(1).unwrap(), "10.0.0.6");
        assert_eq!(picked.last().unwrap(), "10.0.0.14");
        assert_eq!(capacity(&block), 11);
        assert!(outcome(pick_ipv4(&block, &mut taken)).starts_with("InsufficientFreeAddressesInSubnet"));
        let mut taken = AddressSet::default();
        assert_eq!(outcome(pick_ipv6(&"fd00::/64".parse().unwrap(), &mut taken)), "fd00::4");
        assert_eq!(outcome(pick_ipv6(&"fd00::/64".parse().unwrap(), &mut taken)), "fd00::5");
    }
}
