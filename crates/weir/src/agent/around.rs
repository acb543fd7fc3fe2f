//! What a record says of the surroundings of its interface: tags, neighbors.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;
use std::sync::Arc;
use weir_flow::surroundings::{Neighbors, NextHop, TagValues};
use weir_types::id::VpcId;
use weir_types::orders::{FlowLogOrder, InterfaceOrder, Orders};

/// All but RFC 3986's unreserved characters: a value is one word of a record.
const SPECIAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The interfaces of each VPC by their addresses.
pub fn neighbors(orders: &Orders) -> BTreeMap<&VpcId, Arc<Neighbors>> {
    let of_vpc = |vpc: &VpcId, interfaces: &[weir_types::orders::Neighbor]| -> Neighbors {
        let hops = interfaces.iter().flat_map(|interface| {
            let hop = NextHop {
                interface: interface.interface.clone(),
                vpc: vpc.clone(),
                subnet: interface.subnet.clone(),
                az_id: interface.az_id.clone(),
            };
            interface.addresses.iter().map(move |address| (*address, hop.clone()))
        });
        hops.collect()
    };
    orders.neighbors.iter().map(|(vpc, interfaces)| (vpc, Arc::new(of_vpc(vpc, interfaces)))).collect()
}

/// The values that a flow log asks for, as they are written.
pub fn tags(orders: &Orders, flow_log: &FlowLogOrder, interface: &InterfaceOrder) -> TagValues {
    let values = |resource: Option<&str>, keys: &[String]| {
        let tags = resource.and_then(|id| orders.tags.get(id));
        [0, 1].map(|n| encoded(tags?.get(keys.get(n)?)?))
    };
    TagValues {
        instance: values(interface.instance.as_ref().map(|id| id.as_str()), &flow_log.instance_tag_keys),
        interface: values(Some(interface.attachment.interface.as_str()), &flow_log.interface_tag_keys),
    }
}

/// `None` for an empty value: it would be no word of a record. A value `-`
/// would mean that there is no tag.
fn encoded(value: &str) -> Option<String> {
    match value {
        "" => None,
        "-" => Some("%2D".to_owned()),
        value => Some(utf8_percent_encode(value, SPECIAL).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_s_value_is_one_word() {
        for (value, expected) in [
            ("web-1.example_com~", Some("web-1.example_com~")),
            ("a b", Some("a%20b")),
            ("50%/é", Some("50%25%2F%C3%A9")),
            ("-", Some("%2D")),
            ("", None),
        ] {
            assert_eq!(encoded(value).as_deref(), expected, "{value}");
        }
    }
}
