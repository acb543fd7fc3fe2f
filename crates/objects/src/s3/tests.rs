//! Every operation that is answered has an IAM action.

#[test]
fn each_operation_has_an_action() {
    let source = include_str!("mod.rs");
    let table = source.split_once("operations! {").unwrap().1;
    let inputs = table.lines().filter_map(|line| Some(line.split_once(": ")?.1.split_once("Input")?.0));
    let operations: Vec<&str> = inputs.collect();
    assert!(operations.len() > 30, "{operations:?}");
    for operation in operations {
        assert!(super::access::is_known(operation), "{operation}");
    }
}
