//! The body of a query request: read or refused, and what is read is what was
//! sent, as a tree, through EC2's filters and against its table of parameters.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use weir_api::ec2::filter::{Filters, matches};
use weir_api::ec2::{ACTIONS, page, parameters};
use weir_api::protocol::query::Params;

fuzz_target!(|form: &[u8]| {
    let Ok(params) = Params::parse(form) else { return };
    // A slow oracle: the usual decoder, which replaces what is not UTF-8.
    let oracle: BTreeMap<String, String> = form_urlencoded::parse(form).into_owned().collect();
    let read: BTreeMap<String, String> = params
        .names()
        .map(|name| (name.to_owned(), params.raw(name).unwrap_or_default().to_owned()))
        .collect();
    assert_eq!(read, oracle);
    let is_numbered = params.check_members().is_ok();
    let names: Vec<&str> = params.names().take(64).collect();
    for name in names {
        let first = name.split('.').next().unwrap_or_default();
        let (list, structs) = (params.list(first), params.structs(first));
        assert!(list.len() + structs.len() <= read.len());
        for item in &structs {
            assert!(!item.is_empty());
        }
        if name.starts_with("A.member.") && is_numbered {
            assert!(!params.list("A").is_empty() || !params.structs("A").is_empty());
        }
        let (_, _) = (params.integer(name), params.boolean(name));
        assert_eq!(params.structure(first).is_empty(), !params.names().any(|n| n.starts_with(&format!("{first}."))));
    }
    let action = params.get("Action").unwrap_or(ACTIONS[form.len() % ACTIONS.len()].name);
    let (_, _) = (parameters::check(action, &params), page::page(vec!["a", "b"], &params, 5..=1000, |item| item));
    if let Ok(filters) = Filters::parse(&params, &["vpc-id"]) {
        let all = [("k".to_owned(), "v".to_owned())];
        let passes = filters.pass(&all, |_| vec!["vpc-1".to_owned()]);
        // Narrowing never loses what passes.
        for exact in filters.narrowing() {
            let own = exact.values.iter().any(|value| matches(value, value));
            assert!(own || exact.values.is_empty() || !passes);
        }
    }
});
