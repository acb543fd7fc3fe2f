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

/// Gives new orders what the old ones knew of the surroundings of interfaces
/// that are no longer ordered: their records of the running window are still to
/// come.
pub fn keep_departed<'a>(
    new: &mut Orders,
    old: &Orders,
    of_window: impl Iterator<Item = &'a InterfaceOrder>,
) {
    let instance = |order: &InterfaceOrder| order.instance.as_ref().map(ToString::to_string);
    for departed in of_window {
        // What is ordered is known as it is now: tags are taken away too.
        let ordered = |is: &dyn Fn(&InterfaceOrder) -> bool| new.interfaces.iter().any(is);
        let interface = &departed.attachment.interface;
        let is_interface_known = ordered(&|order| order.attachment.interface == *interface);
        let is_instance_known = ordered(&|order| order.instance == departed.instance);
        let is_vpc_known = ordered(&|order| order.vpc == departed.vpc);
        let ids = [
            (!is_interface_known).then(|| interface.to_string()),
            instance(departed).filter(|_| !is_instance_known),
        ];
        for id in ids.into_iter().flatten() {
            if let Some(tags) = old.tags.get(&id) {
                new.tags.entry(id).or_insert_with(|| tags.clone());
            }
        }
        if let (false, Some(neighbors)) = (is_vpc_known, old.neighbors.get(&departed.vpc)) {
            new.neighbors.entry(departed.vpc.clone()).or_insert_with(|| neighbors.clone());
        }
    }
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
    use weir_types::id::{EniId, InstanceId, SubnetId};
    use weir_types::orders::{Attachment, Mode, Side};
    use weir_types::rule::InterfaceRules;

    fn order(n: u128, instance: u128, vpc: u128) -> InterfaceOrder {
        InterfaceOrder {
            attachment: Attachment {
                interface: EniId::from_random(n),
                device: format!("eth{n}"),
                netns: None,
                mode: Mode::Observe,
                side: Side::Instance,
            },
            account: "123456789012".into(),
            region: "us-east-1".into(),
            az_id: "use1-az1".into(),
            vpc: VpcId::from_random(vpc),
            vpc_cidrs: vec![],
            subnet: SubnetId::from_random(1),
            instance: Some(InstanceId::from_random(instance)),
            primary_ipv4: None,
            ipv4: vec![],
            ipv6: vec![],
            rules: InterfaceRules::default(),
        }
    }

    /// Everything about them is known and has one tag.
    fn orders(interfaces: Vec<InterfaceOrder>) -> Orders {
        let words = || BTreeMap::from([("Name".to_owned(), "web".to_owned())]);
        let ids = interfaces.iter().flat_map(|order| {
            let instance = order.instance.iter().map(ToString::to_string);
            instance.chain([order.attachment.interface.to_string()])
        });
        let tags = ids.map(|id| (id, words())).collect();
        let neighbors = interfaces.iter().map(|order| (order.vpc.clone(), vec![])).collect();
        Orders { interfaces, tags, neighbors, ..Orders::default() }
    }

    #[test]
    fn what_departs_in_a_window_keeps_its_surroundings_until_the_window_is_written() {
        let window = [order(1, 1, 1), order(2, 2, 1), order(3, 3, 3)];
        let old = orders(window.to_vec());
        // The first stays, the others go; tags of the first were removed.
        let mut new = orders(vec![order(1, 1, 1)]);
        new.tags.clear();
        keep_departed(&mut new, &old, window.iter());
        let gone =
            |n, instance| [EniId::from_random(n).to_string(), InstanceId::from_random(instance).to_string()];
        let mut expected = [gone(2, 2), gone(3, 3)].concat();
        expected.sort();
        assert_eq!(new.tags.keys().cloned().collect::<Vec<_>>(), expected);
        assert_eq!(new.neighbors.len(), 2);
        // Still in the same window, and in the next.
        let mut newer = orders(vec![]);
        keep_departed(&mut newer, &new, window[1..].iter());
        assert_eq!((&newer.tags, newer.neighbors.len()), (&new.tags, 2));
        let mut newest = orders(vec![]);
        keep_departed(&mut newest, &newer, [].into_iter());
        assert_eq!(newest, orders(vec![]));
    }

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
