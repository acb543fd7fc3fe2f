//! CIDR blocks as callers write them.

use crate::error::{ControlError, Result};
use weir_types::net::{Ipv4Net, Ipv6Net};

/// Blocks that no network can have. Source: IANA special-purpose address
/// registry (RFC 6890): this network, loopback, link-local, multicast and up.
const FORBIDDEN: [&str; 4] = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"];

/// An IPv4 block of a VPC or subnet in canonical form: bits beyond the prefix
/// are cleared, as AWS does. `range_fault` is the code for a wrong size.
///
/// Errors: `InvalidParameterValue`, `range_fault` (not /16 to /28, or no
/// usable addresses).
pub fn ipv4(text: &str, range_fault: &'static str) -> Result<Ipv4Net> {
    let block: Ipv4Net = text.parse().map_err(|_| not_a_block(text, "cidrBlock"))?;
    let block = block.trunc();
    let forbidden = FORBIDDEN.iter().filter_map(|net| net.parse::<Ipv4Net>().ok());
    if !(16..=28).contains(&block.prefix_len()) || forbidden.into_iter().any(|net| overlap_ipv4(&net, &block))
    {
        return Err(out_of_range(text, range_fault));
    }
    Ok(block)
}

/// An IPv6 block in canonical form: /44 to /64 in steps of 4.
///
/// Errors: `InvalidParameterValue`, `range_fault`.
pub fn ipv6(text: &str, range_fault: &'static str) -> Result<Ipv6Net> {
    let block: Ipv6Net = text.parse().map_err(|_| not_a_block(text, "ipv6CidrBlock"))?;
    let block = block.trunc();
    let length = block.prefix_len();
    let special = block.addr().is_multicast() || block.addr().is_loopback() || block.addr().is_unspecified();
    if !(44..=64).contains(&length) || !length.is_multiple_of(4) || special {
        return Err(out_of_range(text, range_fault));
    }
    Ok(block)
}

/// Whether two blocks share an address.
pub fn overlap_ipv4(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(b) || b.contains(a)
}

/// Whether two blocks share an address.
pub fn overlap_ipv6(a: &Ipv6Net, b: &Ipv6Net) -> bool {
    a.contains(b) || b.contains(a)
}

/// The fault for a block that is too large, too small or outside its parent.
pub fn out_of_range(text: impl std::fmt::Display, code: &'static str) -> ControlError {
    ControlError::fault(code, format!("The CIDR '{text}' is invalid."))
}

fn not_a_block(text: &str, parameter: &str) -> ControlError {
    let message =
        format!("Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.");
    ControlError::fault("InvalidParameterValue", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: std::fmt::Display>(result: Result<T>) -> String {
        match result {
            Ok(block) => block.to_string(),
            Err(ControlError::Fault { code, .. }) => code.to_owned(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn ipv4_blocks() {
        for (text, expected) in [
            ("10.0.0.0/16", "10.0.0.0/16"),
            ("100.68.0.18/18", "100.68.0.0/18"),
            ("10.0.0.0/28", "10.0.0.0/28"),
            ("10.0.0.0/29", "Range"),
            ("10.0.0.0/15", "Range"),
            ("127.0.0.0/16", "Range"),
            ("169.254.8.0/24", "Range"),
            ("255.255.255.0/24", "Range"),
            ("0.0.0.0/16", "Range"),
            ("10.0.0.0", "InvalidParameterValue"),
            ("10.0.0.0/33", "InvalidParameterValue"),
            ("10.0.0.256/16", "InvalidParameterValue"),
            ("::/16", "InvalidParameterValue"),
            ("", "InvalidParameterValue"),
        ] {
            assert_eq!(code(ipv4(text, "Range")), expected, "{text}");
        }
    }

    #[test]
    fn ipv6_blocks() {
        for (text, expected) in [
            ("2001:db8:1234:5600::/56", "2001:db8:1234:5600::/56"),
            ("2001:db8::1/64", "2001:db8::/64"),
            ("2001:db8::/65", "Range"),
            ("2001:db8::/63", "Range"),
            ("2001:db8::/40", "Range"),
            ("ff02::/64", "Range"),
            ("10.0.0.0/16", "InvalidParameterValue"),
        ] {
            assert_eq!(code(ipv6(text, "Range")), expected, "{text}");
        }
    }
}
