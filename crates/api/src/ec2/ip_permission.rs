//! `IpPermission`: how rules of security groups are asked for and answered.
//!
//! ```text
//! IpPermissions.1.IpProtocol  .FromPort  .ToPort
//!   .IpRanges.1.CidrIp  .Ipv6Ranges.1.CidrIpv6  .Groups.1.GroupId  each with .Description
//!   .PrefixListIds.1.PrefixListId
//! ```
//!
//! The flat form (`CidrIp`, `IpProtocol`, `FromPort`, `ToPort`, or
//! `SourceSecurityGroupName` alone) is older and only for ingress.
//! Source: EC2 API, `IpPermission`, `AuthorizeSecurityGroupIngress`.

use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use std::collections::BTreeMap;
use weir_control::security_group::Peer;
use weir_control::security_group::permission::{
    GroupPair, IpPermission, Permission, PrefixListPair, Range, port_pair, protocol_name,
};
use weir_types::net::{Direction, IpNet};

/// Parameters of the flat form.
const FLAT: [&str; 6] =
    ["CidrIp", "IpProtocol", "FromPort", "ToPort", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId"];

/// Reads the permissions of a request in either form; empty if it has none.
///
/// Errors: `InvalidParameterValue`, `InvalidParameterCombination`,
/// `MissingParameter`.
pub fn parse(params: &Params, direction: Direction) -> Result<Vec<IpPermission>, ApiError> {
    let permissions = params.structs("IpPermissions");
    let flat = FLAT.iter().find(|name| params.get(name).is_some());
    match (permissions.is_empty(), flat) {
        (true, None) => Ok(Vec::new()),
        (false, None) => permissions.iter().map(parse_one).collect(),
        (true, Some(_)) if direction == Direction::Ingress => parse_flat(params),
        (true, Some(name)) => {
            Err(combination(format!("The parameter {name} is not supported. Use IpPermissions.")))
        }
        (false, Some(name)) => {
            Err(combination(format!("The parameters IpPermissions and {name} cannot be used together")))
        }
    }
}

fn combination(message: String) -> ApiError {
    ApiError::new("InvalidParameterCombination", message)
}

fn parse_one(params: &Params) -> Result<IpPermission, ApiError> {
    let range = |item: &Params, cidr: &str| {
        let cidr = item.required(cidr)?.to_owned();
        Ok::<_, ApiError>(Range { cidr, description: text(item, "Description") })
    };
    Ok(IpPermission {
        protocol: text(params, "IpProtocol"),
        from_port: params.integer("FromPort")?,
        to_port: params.integer("ToPort")?,
        ipv4: params
            .structs("IpRanges")
            .iter()
            .map(|item| range(item, "CidrIp"))
            .collect::<Result<_, _>>()?,
        ipv6: params
            .structs("Ipv6Ranges")
            .iter()
            .map(|item| range(item, "CidrIpv6"))
            .collect::<Result<_, _>>()?,
        groups: params.structs("Groups").iter().map(group_pair).collect(),
        prefix_lists: params
            .structs("PrefixListIds")
            .iter()
            .map(|item| {
                let id = item.required("PrefixListId")?.to_owned();
                Ok::<_, ApiError>(PrefixListPair { id, description: text(item, "Description") })
            })
            .collect::<Result<_, _>>()?,
    })
}

fn group_pair(item: &Params) -> GroupPair {
    GroupPair {
        id: text(item, "GroupId"),
        name: text(item, "GroupName"),
        user: text(item, "UserId"),
        description: text(item, "Description"),
    }
}

fn parse_flat(params: &Params) -> Result<Vec<IpPermission>, ApiError> {
    let Some(name) = text(params, "SourceSecurityGroupName") else {
        return Ok(vec![IpPermission {
            protocol: text(params, "IpProtocol"),
            from_port: params.integer("FromPort")?,
            to_port: params.integer("ToPort")?,
            ipv4: vec![Range { cidr: params.required("CidrIp")?.to_owned(), description: None }],
            ..IpPermission::default()
        }]);
    };
    if let Some(other) = FLAT[..4].iter().find(|name| params.get(name).is_some()) {
        let message = format!("The parameters SourceSecurityGroupName and {other} cannot be used together");
        return Err(combination(message));
    }
    // "The rule grants full ICMP, UDP, and TCP access."
    let user = text(params, "SourceSecurityGroupOwnerId");
    let everything = |protocol: &str, from, to| IpPermission {
        protocol: Some(protocol.to_owned()),
        from_port: Some(from),
        to_port: Some(to),
        groups: vec![GroupPair { name: Some(name.clone()), user: user.clone(), ..GroupPair::default() }],
        ..IpPermission::default()
    };
    Ok(vec![everything("tcp", 0, 65535), everything("udp", 0, 65535), everything("icmp", -1, -1)])
}

fn text(params: &Params, name: &str) -> Option<String> {
    params.get(name).map(str::to_owned)
}

/// Writes `<name>` with permissions: one item for each protocol and ports,
/// with all its peers, as AWS groups them.
pub fn render<'a>(
    xml: &mut Xml,
    name: &str,
    permissions: impl IntoIterator<Item = &'a Permission>,
    account: &str,
) {
    let mut items: BTreeMap<_, Vec<&Permission>> = BTreeMap::new();
    for permission in permissions {
        let matches = &permission.matches;
        items.entry((protocol_name(matches), port_pair(matches))).or_default().push(permission);
    }
    xml.set(name, items, |item, ((protocol, ports), mut peers)| {
        peers.sort_by(|a, b| a.peer.cmp(&b.peer));
        item.text("ipProtocol", protocol);
        item.optional("fromPort", ports.map(|(from, _)| from));
        item.optional("toPort", ports.map(|(_, to)| to));
        item.set("groups", peers.iter().filter(|p| matches!(p.peer, Peer::Group(_))), |xml, permission| {
            if let Peer::Group(group) = &permission.peer {
                xml.text("userId", account).text("groupId", group);
                xml.optional("description", permission.description.as_ref());
            }
        });
        blocks(item, "ipRanges", "cidrIp", &peers, |block| matches!(block, IpNet::V4(_)));
        blocks(item, "ipv6Ranges", "cidrIpv6", &peers, |block| matches!(block, IpNet::V6(_)));
        let lists = peers.iter().filter(|p| matches!(p.peer, Peer::PrefixList(_)));
        item.set("prefixListIds", lists, |xml, permission| {
            if let Peer::PrefixList(list) = &permission.peer {
                xml.optional("description", permission.description.as_ref()).text("prefixListId", list);
            }
        });
    });
}

fn blocks(xml: &mut Xml, name: &str, element: &str, peers: &[&Permission], wanted: fn(&IpNet) -> bool) {
    let blocks = peers.iter().filter_map(|permission| match &permission.peer {
        Peer::Cidr(block) if wanted(block) => Some((block, &permission.description)),
        _ => None,
    });
    xml.set(name, blocks, |item, (block, description)| {
        item.text(element, block).optional("description", description.as_ref());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::security_group::permission::matches;

    fn parsed(form: &str, direction: Direction) -> Result<Vec<IpPermission>, String> {
        parse(&Params::parse(form.as_bytes()).unwrap(), direction).map_err(|error| error.code.into_owned())
    }

    #[test]
    fn permissions_are_read_whole() {
        let form = "IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=23\
            &IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8&IpPermissions.1.IpRanges.1.Description=office\
            &IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0&IpPermissions.1.Groups.1.GroupId=sg-1\
            &IpPermissions.1.Groups.1.UserId=123456789012&IpPermissions.1.Groups.2.GroupName=web\
            &IpPermissions.1.PrefixListIds.1.PrefixListId=pl-1&IpPermissions.2.IpProtocol=-1";
        let expected = IpPermission {
            protocol: Some("tcp".into()),
            from_port: Some(22),
            to_port: Some(23),
            ipv4: vec![Range { cidr: "10.0.0.0/8".into(), description: Some("office".into()) }],
            ipv6: vec![Range { cidr: "::/0".into(), description: None }],
            groups: vec![
                GroupPair {
                    id: Some("sg-1".into()),
                    user: Some("123456789012".into()),
                    ..Default::default()
                },
                GroupPair { name: Some("web".into()), ..Default::default() },
            ],
            prefix_lists: vec![PrefixListPair { id: "pl-1".into(), description: None }],
        };
        let second = IpPermission { protocol: Some("-1".into()), ..Default::default() };
        assert_eq!(parsed(form, Direction::Egress).unwrap(), [expected, second]);
    }

    #[test]
    fn the_flat_form_is_for_ingress() {
        let cidr = "CidrIp=10.0.0.0/8&IpProtocol=tcp&FromPort=1&ToPort=2";
        let found = parsed(cidr, Direction::Ingress).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].from_port, found[0].to_port), (Some(1), Some(2)));
        let group = parsed("SourceSecurityGroupName=web", Direction::Ingress).unwrap();
        let protocols: Vec<_> = group.iter().filter_map(|one| one.protocol.as_deref()).collect();
        assert_eq!(protocols, ["tcp", "udp", "icmp"]);
        assert_eq!(parsed("", Direction::Ingress), Ok(Vec::new()));
        let both = format!("{cidr}&IpPermissions.1.IpProtocol=-1");
        for (form, direction, code) in [
            (cidr, Direction::Egress, "InvalidParameterCombination"),
            (&both, Direction::Ingress, "InvalidParameterCombination"),
            ("SourceSecurityGroupName=web&IpProtocol=tcp", Direction::Ingress, "InvalidParameterCombination"),
            ("IpProtocol=tcp", Direction::Ingress, "MissingParameter"),
            ("CidrIp=a&FromPort=x", Direction::Ingress, "InvalidParameterValue"),
            ("IpPermissions.1.IpRanges.1.Description=x", Direction::Ingress, "MissingParameter"),
        ] {
            assert_eq!(parsed(form, direction), Err(code.to_owned()), "{form}");
        }
    }

    #[test]
    fn rules_of_one_protocol_and_ports_are_one_item() {
        let permission = |protocol, ports: Option<(i64, i64)>, peer, description: Option<&str>| Permission {
            matches: matches(Some(protocol), ports.map(|p| p.0), ports.map(|p| p.1)).unwrap(),
            peer,
            description: description.map(str::to_owned),
        };
        let block = |text: &str| Peer::Cidr(text.parse().unwrap());
        let group = Peer::Group("sg-0123456789abcdef0".parse().unwrap());
        let permissions = [
            permission("tcp", Some((22, 22)), block("10.0.0.0/8"), Some("a & b")),
            permission("-1", None, block("0.0.0.0/0"), None),
            permission("tcp", Some((22, 22)), block("::/0"), None),
            permission("tcp", Some((22, 22)), group, None),
        ];
        let mut xml = Xml::new();
        render(&mut xml, "ipPermissions", &permissions, "123456789012");
        assert_eq!(
            xml.as_str(),
            "<ipPermissions>\
             <item><ipProtocol>-1</ipProtocol><groups/>\
             <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges><ipv6Ranges/><prefixListIds/></item>\
             <item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>\
             <groups><item><userId>123456789012</userId><groupId>sg-0123456789abcdef0</groupId></item></groups>\
             <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp><description>a &amp; b</description></item></ipRanges>\
             <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges><prefixListIds/></item>\
             </ipPermissions>"
        );
    }
}
