use super::*;
use crate::rules::interface_rules;
use crate::security_group::permission::{IpPermission, PrefixListPair};
use crate::security_group::{find as find_group, rule};
use crate::test_world::{World, interface, subnet, text, vpc};
use weir_types::net::Direction;

fn entry(cidr: &str) -> Entry {
    Entry { cidr: cidr.to_owned(), description: None }
}

fn ask(max_entries: i64, entries: &[&str]) -> CreatePrefixList {
    CreatePrefixList {
        name: "sites".to_owned(),
        family: "IPv4".to_owned(),
        max_entries,
        entries: entries.iter().map(|cidr| entry(cidr)).collect(),
        ..CreatePrefixList::default()
    }
}

#[test]
fn lists_are_checked() {
    for (request, expected) in [
        (ask(2, &["10.0.0.0/8", "192.0.2.0/24"]), "ok"),
        (ask(1, &["10.0.0.0/8", "192.0.2.0/24"]), "PrefixListMaxEntriesExceeded: You've reached"),
        (ask(1, &["10.0.0.0/8", "10.0.0.0/8"]), "ok"),
        (ask(0, &[]), "InvalidParameterValue: Value (0) for parameter maxEntries"),
        (ask(1001, &[]), "InvalidParameterValue: Value (1001) for parameter maxEntries"),
        (ask(1, &["10.0.0.1"]), "InvalidParameterValue: The CIDR block '10.0.0.1' is invalid."),
        (ask(1, &["::/0"]), "InvalidParameterValue: The CIDR block '::/0' is invalid."),
        (CreatePrefixList { family: "IPv6".into(), ..ask(1, &["::/0"]) }, "ok"),
        (CreatePrefixList { family: "?".into(), ..ask(1, &[]) }, "InvalidParameterValue: Value (?)"),
        (CreatePrefixList { family: "?".into(), is_lax: true, ..ask(1, &["10.0.0.1"]) }, "ok"),
        (
            CreatePrefixList { name: "com.amazonaws.x".into(), ..ask(1, &[]) },
            "InvalidParameterValue: Value (com.amazonaws.x)",
        ),
    ] {
        let outcome = World::new().fault(|cx| create(cx, &request));
        assert!(outcome.starts_with(expected), "{request:?}: {outcome}");
    }
}

#[test]
fn versions_follow_each_other_and_come_back() {
    World::new()
        .run(|cx| {
            let id = create(cx, &ask(3, &["10.0.0.1/8", "192.0.2.0/24"]))?.id.to_string();
            let cidrs = |version| {
                entries(cx, &id, version)
                    .map(|all| all.into_iter().map(|entry| entry.cidr).collect::<Vec<_>>().join(" "))
            };
            let change = |current, add: &[&str], remove: &[&str]| {
                let request = ModifyPrefixList {
                    id: id.clone(),
                    current_version: current,
                    add: add.iter().map(|cidr| entry(cidr)).collect(),
                    remove: remove.iter().map(|cidr| (*cidr).to_owned()).collect(),
                    ..ModifyPrefixList::default()
                };
                modify(cx, &request)
            };
            assert_eq!(change(Some(1), &["203.0.113.0/24"], &["10.0.0.0/8"])?.version, 2);
            assert!(
                text(change(Some(1), &["198.51.100.0/24"], &[])).starts_with("PrefixListVersionMismatch")
            );
            assert!(text(change(None, &[], &["10.0.0.0/8"])).starts_with("InvalidParameterValue"));
            assert_eq!(cidrs(None)?, "192.0.2.0/24 203.0.113.0/24");
            assert_eq!(cidrs(Some(1))?, "10.0.0.0/8 192.0.2.0/24");
            assert!(text(cidrs(Some(3))).starts_with("PrefixListVersionNotFound"));
            assert_eq!(restore(cx, &id, 1, 2)?.version, 3);
            assert_eq!(cidrs(None)?, "10.0.0.0/8 192.0.2.0/24");
            let resize = |max_entries| {
                let request = ModifyPrefixList {
                    id: id.clone(),
                    max_entries: Some(max_entries),
                    ..ModifyPrefixList::default()
                };
                modify(cx, &request)
            };
            assert!(text(resize(1)).starts_with("InvalidParameterValue: MaxEntries cannot be less"));
            assert_eq!((resize(9)?.max_entries, find(cx, &id)?.version), (9, 3));
            delete(cx, &id)?;
            assert!(text(cidrs(None)).starts_with("InvalidPrefixListID.NotFound"));
            let amazons = amazons(cx);
            assert_eq!(amazons[1].name, "com.amazonaws.us-east-1.s3");
            assert_eq!(entries(cx, amazons[1].id.as_str(), None)?, []);
            assert!(text(delete(cx, amazons[1].id.as_str())).starts_with("OperationNotPermitted"));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_rule_means_the_newest_entries_and_holds_the_list() {
    World::new()
        .run(|cx| {
            region::ensure(cx)?;
            let vpc = vpc(cx, false, "")?;
            let subnet = subnet(cx, &vpc, "10.0.1.0/24", "")?;
            let group = find_group::by_name(cx, &vpc.id, "default")?;
            let eni = interface(cx, &subnet, &[&group.id], &["10.0.1.4"])?;
            let list = create(cx, &ask(40, &["192.0.2.0/24"]))?;
            let from = |id: &str| IpPermission {
                protocol: Some("-1".to_owned()),
                prefix_lists: vec![PrefixListPair { id: id.to_owned(), description: None }],
                ..IpPermission::default()
            };
            let authorize = |id: &str| rule::authorize(cx, &group, Direction::Ingress, &[from(id)], &[]);
            authorize(list.id.as_str())?;
            let modify_request = |max_entries, add: Vec<Entry>| ModifyPrefixList {
                id: list.id.to_string(),
                max_entries,
                add,
                ..ModifyPrefixList::default()
            };
            modify(cx, &modify_request(None, vec![entry("203.0.113.0/24")]))?;
            let peers: Vec<String> = interface_rules(cx, &eni)?
                .groups
                .iter()
                .filter(|rule| rule.direction == Direction::Ingress)
                .flat_map(|rule| rule.peers.iter().map(ToString::to_string))
                .collect();
            assert!(peers.contains(&"203.0.113.0/24".to_owned()), "{peers:?}");
            assert_eq!(referencing(cx, &list.id)?.iter().collect::<Vec<_>>(), [&group.id]);
            assert!(text(delete(cx, list.id.as_str())).starts_with("DependencyViolation"));
            assert_eq!(text(authorize(amazons(cx)[0].id.as_str())), "ok");
            // 40 of the list and 2 others; 20 more are too many, and so is a larger list.
            let other = create(cx, &ask(20, &[]))?;
            let full = text(authorize(other.id.as_str()));
            assert!(full.starts_with("RulesPerSecurityGroupLimitExceeded"), "{full}");
            let grown = text(modify(cx, &modify_request(Some(60), Vec::new())));
            assert!(grown.starts_with("RulesPerSecurityGroupLimitExceeded"), "{grown}");
            assert!(text(authorize("pl-00000000000000001")).starts_with("InvalidPrefixListID.NotFound"));
            Ok(())
        })
        .unwrap();
}
