//! `NetworkAclEntry`: how entries are asked for and answered.
//!
//! ```text
//! NetworkAclId RuleNumber Egress Protocol RuleAction CidrBlock|Ipv6CidrBlock
//! PortRange.From PortRange.To Icmp.Type Icmp.Code
//! ```
//!
//! Source: EC2 API, `CreateNetworkAclEntry`, `NetworkAclEntry`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_acl::entry::{NewEntry, protocol_number};
use weir_types::net::{Direction, IpNet};
use weir_types::rule::{AclRule, Match};

/// The entry that a request describes, as the server's mode wants it read.
pub fn read(call: &Call<'_>, params: &Params) -> Result<NewEntry, ApiError> {
    let entry = parse(params)?;
    Ok(if call.services.settings.emulator { lenient(entry) } else { entry })
}

/// Reads the number and direction of an entry.
///
/// Errors: `MissingParameter`, `InvalidParameterValue`.
pub fn parse_place(params: &Params) -> Result<(i64, bool), ApiError> {
    let number = params.integer("RuleNumber")?.ok_or_else(|| ApiError::missing_parameter("ruleNumber"))?;
    let egress = params.boolean("Egress")?.ok_or_else(|| ApiError::missing_parameter("egress"))?;
    Ok((number, egress))
}

/// Reads a whole entry.
///
/// Errors: `MissingParameter`, `InvalidParameterValue`.
fn parse(params: &Params) -> Result<NewEntry, ApiError> {
    let (rule_number, egress) = parse_place(params)?;
    let (ports, icmp) = (params.structure("PortRange"), params.structure("Icmp"));
    Ok(NewEntry {
        rule_number,
        egress,
        protocol: params.required("Protocol")?.to_owned(),
        rule_action: params.required("RuleAction")?.to_owned(),
        cidr: params.get("CidrBlock").map(str::to_owned),
        ipv6_cidr: params.get("Ipv6CidrBlock").map(str::to_owned),
        port_from: ports.integer("From")?,
        port_to: ports.integer("To")?,
        icmp_type: icmp.integer("Type")?,
        icmp_code: icmp.integer("Code")?,
    })
}

/// Makes of an entry what suites for emulators mean: `ALLOW`, and TCP or UDP
/// without ports for all of them.
fn lenient(entry: NewEntry) -> NewEntry {
    let has_ports = matches!(entry.protocol.to_ascii_lowercase().as_str(), "6" | "17" | "tcp" | "udp");
    let (from, to) = match (entry.port_from, entry.port_to) {
        (None, None) if has_ports => (Some(0), Some(65_535)),
        given => given,
    };
    NewEntry { rule_action: entry.rule_action.to_ascii_lowercase(), port_from: from, port_to: to, ..entry }
}

/// `allow` or `deny`.
pub fn action(entry: &AclRule) -> &'static str {
    if entry.allow { "allow" } else { "deny" }
}

/// ICMP type and code with -1 for any.
pub fn icmp(entry: &AclRule) -> Option<(i16, i16)> {
    let or_any = |value: Option<u8>| value.map_or(-1, i16::from);
    match entry.matches {
        Match::Icmp { icmp_type, icmp_code, .. } => Some((or_any(icmp_type), or_any(icmp_code))),
        _ => None,
    }
}

/// First and last port.
pub fn ports(entry: &AclRule) -> Option<(u16, u16)> {
    match entry.matches {
        Match::Ports { ports, .. } => Some((ports.first, ports.last)),
        _ => None,
    }
}

/// Writes the members of an entry.
pub fn render(xml: &mut Xml, entry: &AclRule) {
    xml.text("ruleNumber", entry.number).text("protocol", protocol_number(&entry.matches));
    xml.text("ruleAction", action(entry)).text("egress", entry.direction == Direction::Egress);
    match entry.peer {
        IpNet::V4(block) => xml.text("cidrBlock", block),
        IpNet::V6(block) => xml.text("ipv6CidrBlock", block),
    };
    if let Some((icmp_type, icmp_code)) = icmp(entry) {
        xml.element("icmpTypeCode", |icmp| {
            icmp.text("code", icmp_code).text("type", icmp_type);
        });
    }
    if let Some((from, to)) = ports(entry) {
        xml.element("portRange", |range| {
            range.text("from", from).text("to", to);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_types::net::{PortRange, Protocol};

    #[test]
    fn entries_are_read_whole() {
        let form = "RuleNumber=100&Egress=true&Protocol=6&RuleAction=allow&CidrBlock=10.0.0.0/8\
            &PortRange.From=1&PortRange.To=2&Icmp.Type=-1&Icmp.Code=3";
        let expected = NewEntry {
            rule_number: 100,
            egress: true,
            protocol: "6".into(),
            rule_action: "allow".into(),
            cidr: Some("10.0.0.0/8".into()),
            ipv6_cidr: None,
            port_from: Some(1),
            port_to: Some(2),
            icmp_type: Some(-1),
            icmp_code: Some(3),
        };
        assert_eq!(parse(&Params::parse(form.as_bytes()).unwrap()).unwrap(), expected);
        for (form, code) in [
            ("Egress=true&Protocol=6&RuleAction=allow", "MissingParameter"),
            ("Egress=true&RuleNumber=1&RuleAction=allow", "MissingParameter"),
            ("Egress=true&RuleNumber=1&Protocol=6", "MissingParameter"),
            ("RuleNumber=1&Protocol=6&RuleAction=allow", "MissingParameter"),
            ("Egress=true&RuleNumber=x&Protocol=6&RuleAction=allow", "InvalidParameterValue"),
            ("Egress=true&RuleNumber=1&Protocol=6&RuleAction=allow&Icmp.Type=x", "InvalidParameterValue"),
        ] {
            assert_eq!(parse(&Params::parse(form.as_bytes()).unwrap()).unwrap_err().code, code, "{form}");
        }
    }

    #[test]
    fn emulators_take_upper_case_and_tcp_without_ports() {
        let entry = |form: &str| {
            let form = format!("RuleNumber=1&Egress=false&CidrBlock=0.0.0.0/0&{form}");
            let lenient = lenient(parse(&Params::parse(form.as_bytes()).unwrap()).unwrap());
            (lenient.rule_action, lenient.port_from, lenient.port_to)
        };
        let allow = |from, to| ("allow".to_owned(), from, to);
        assert_eq!(entry("Protocol=6&RuleAction=ALLOW"), allow(Some(0), Some(65_535)));
        assert_eq!(entry("Protocol=udp&RuleAction=Allow"), allow(Some(0), Some(65_535)));
        assert_eq!(entry("Protocol=6&RuleAction=allow&PortRange.From=1"), allow(Some(1), None));
        assert_eq!(entry("Protocol=-1&RuleAction=ALLOW"), allow(None, None));
    }

    #[test]
    fn entries_are_shown_with_what_their_protocol_has() {
        let entry = |matches, peer: &str| AclRule {
            number: 100,
            direction: Direction::Ingress,
            matches,
            peer: peer.parse().unwrap(),
            allow: true,
        };
        let tcp = Match::Ports { protocol: Protocol::TCP, ports: PortRange { first: 22, last: 23 } };
        let icmp = Match::Icmp { protocol: Protocol::ICMPV6, icmp_type: Some(128), icmp_code: None };
        for (entry, expected) in [
            (
                entry(tcp, "10.0.0.0/8"),
                "<protocol>6</protocol><ruleAction>allow</ruleAction><egress>false</egress>\
                 <cidrBlock>10.0.0.0/8</cidrBlock><portRange><from>22</from><to>23</to></portRange>",
            ),
            (
                entry(icmp, "::/0"),
                "<protocol>58</protocol><ruleAction>allow</ruleAction><egress>false</egress>\
                 <ipv6CidrBlock>::/0</ipv6CidrBlock>\
                 <icmpTypeCode><code>-1</code><type>128</type></icmpTypeCode>",
            ),
            (
                entry(Match::All, "0.0.0.0/0"),
                "<protocol>-1</protocol><ruleAction>allow</ruleAction><egress>false</egress>\
                 <cidrBlock>0.0.0.0/0</cidrBlock>",
            ),
        ] {
            let mut xml = Xml::new();
            render(&mut xml, &entry);
            assert_eq!(xml.as_str(), format!("<ruleNumber>100</ruleNumber>{expected}"));
        }
    }
}
