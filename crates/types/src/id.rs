//! Resource ids: `vpc-0123456789abcdef0` and its relatives, one type each, so
//! that a subnet's id never fits where an interface's is wanted.
//!
//! Format: a prefix, a hyphen, 17 lower-case hexadecimal digits (8 in ids made
//! before 2018; both are accepted, new ones have 17).
//! Source: EC2 user guide, "Resource IDs".

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an id of the form {prefix}-0123456789abcdef0")]
pub struct ParseIdError {
    pub text: String,
    pub prefix: &'static str,
}

fn is_id(text: &str, prefix: &str) -> bool {
    let Some(hex) = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')) else {
        return false;
    };
    matches!(hex.len(), 8 | 17) && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The part before the hyphen.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from random bits, of which the low 68 are used.
            pub fn from_random(bits: u128) -> Self {
                Self(format!("{}-{:017x}", $prefix, bits & ((1 << 68) - 1)))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                if is_id(text, $prefix) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(ParseIdError { text: text.to_owned(), prefix: $prefix })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;
            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A virtual private cloud.
    VpcId = "vpc";
    /// A subnet of a VPC.
    SubnetId = "subnet";
    /// An elastic network interface.
    EniId = "eni";
    /// A security group.
    SecurityGroupId = "sg";
    /// One rule of a security group.
    SecurityGroupRuleId = "sgr";
    /// A network ACL.
    NetworkAclId = "acl";
    /// The association of a network ACL with a subnet.
    NetworkAclAssociationId = "aclassoc";
    /// The association of a CIDR block with a VPC.
    VpcCidrAssociationId = "vpc-cidr-assoc";
    /// The association of an IPv6 CIDR block with a subnet.
    SubnetCidrAssociationId = "subnet-cidr-assoc";
    /// The DHCP options of a VPC.
    DhcpOptionsId = "dopt";
    /// An instance: in Weir, a host with an agent.
    InstanceId = "i";
    /// A flow log.
    FlowLogId = "fl";
    /// A managed prefix list.
    PrefixListId = "pl";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_both_lengths_are_read_and_others_refused() {
        for (text, ok) in [
            ("vpc-0123456789abcdef0", true),
            ("vpc-1a2b3c4d", true),
            ("vpc-0123456789ABCDEF0", false),
            ("vpc-0123456789abcde", false),
            ("subnet-0123456789abcdef0", false),
            ("vpc", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<VpcId>().is_ok(), ok, "{text}");
        }
    }

    #[test]
    fn a_new_id_has_seventeen_digits() {
        let id = EniId::from_random(u128::MAX);
        assert_eq!(id.as_str(), "eni-fffffffffffffffff");
        assert_eq!(id.as_str().parse::<EniId>(), Ok(id));
        assert_eq!(EniId::from_random(7).as_str(), "eni-00000000000000007");
    }
}
