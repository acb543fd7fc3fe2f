//! What the network did with a packet, and why.

use std::fmt;
use weir_types::id::{SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::Action;

/// A decision that explains itself.
///
/// A packet that passes both the network ACL and the security groups names
/// what the groups said; a packet that is rejected names the first that said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The network ACL rule with this number was the lowest to match, and denies.
    AclRule { number: u16 },
    /// No network ACL rule matched: the implicit deny (`*`) that ends every ACL.
    AclDefault,
    /// This security group rule allowed a packet of no tracked flow; the flow is
    /// tracked from here on.
    GroupRule { group: SecurityGroupId, rule: SecurityGroupRuleId },
    /// This security group rule allowed the packet, and the rules of the other
    /// direction let every answer pass: nothing needs tracking.
    Untracked { group: SecurityGroupId, rule: SecurityGroupRuleId },
    /// A tracked flow owns the packet; no security group rule was read.
    Tracked,
    /// An ICMP error about a packet of a tracked flow.
    Related,
    /// A late packet of a TCP connection that has closed, whatever the rules say.
    AfterClose,
    /// No rule of any security group of the interface matched.
    NoGroupAllows,
    /// IPv6 neighbour discovery: passes, is neither tracked nor counted.
    NotJudged,
}

impl Verdict {
    /// What becomes of the packet.
    pub fn action(&self) -> Action {
        match self {
            Self::GroupRule { .. }
            | Self::Untracked { .. }
            | Self::Tracked
            | Self::Related
            | Self::NotJudged => Action::Accept,
            Self::AclRule { .. } | Self::AclDefault | Self::AfterClose | Self::NoGroupAllows => {
                Action::Reject
            }
        }
    }

    /// Whether the packet belongs in a flow log record.
    pub fn is_counted(&self) -> bool {
        *self != Self::NotJudged
    }
}

/// One line, such as `ACCEPT sg rule sgr-0123456789abcdef0`, `REJECT acl rule 90`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.action())?;
        match self {
            Self::AclRule { number } => write!(f, "acl rule {number}"),
            Self::AclDefault => f.write_str("acl default deny"),
            Self::GroupRule { rule, .. } => write!(f, "sg rule {rule}"),
            Self::Untracked { rule, .. } => write!(f, "untracked sg rule {rule}"),
            Self::Tracked => f.write_str("tracked"),
            Self::Related => f.write_str("related"),
            Self::AfterClose => f.write_str("after close"),
            Self::NoGroupAllows => f.write_str("no security group allows"),
            Self::NotJudged => f.write_str("not judged"),
        }
    }
}
