//! Devices come, change and go; each line of a test is a look at them.

use super::*;
use weir_types::orders::Mode;

/// Small worlds: own devices and those of namespace `web`.
#[derive(Default)]
struct World {
    own: BTreeMap<u32, Device>,
    web: BTreeMap<u32, Device>,
    attachments: Vec<Attachment>,
    /// How many interfaces there have been.
    made: u128,
    /// No step can be taken.
    is_away: bool,
}

impl World {
    fn step(&mut self, plan: &mut Plan, now: i64) -> Vec<String> {
        let seen = [
            Seen { netns: None, id: 1, devices: &self.own },
            Seen { netns: Some("web"), id: 2, devices: &self.web },
        ];
        let steps = plan.step(now, &seen, &BTreeSet::new(), &self.attachments);
        let mut said = Vec::new();
        for step in steps {
            if self.is_away {
                plan.failed(step, now);
                said.push("failed".to_owned());
                continue;
            }
            said.push(match step {
                Step::Appear(key, device) => {
                    let place = place(device.netns.as_deref(), &device.device);
                    self.made += 1;
                    let interface = device.before.clone().unwrap_or_else(|| EniId::from_random(self.made));
                    plan.appeared(key, &device, Some(interface.clone()));
                    self.attachments.push(Attachment {
                        interface,
                        device: device.device.clone(),
                        netns: device.netns.clone(),
                        mode: device.mode,
                        side: device.side,
                    });
                    let again = if device.before.is_some() { "again " } else { "" };
                    format!("attach {again}{place} {} {}", device.ipv4.len(), device.side)
                }
                Step::Vanish { interface, place, .. } => {
                    self.attachments.retain(|attachment| attachment.interface != interface);
                    format!("detach {place}")
                }
                Step::Rename(renames) => {
                    let mut said = vec!["rename".to_owned()];
                    for Renamed { interface, from, to } in renames {
                        for attachment in &mut self.attachments {
                            if attachment.interface == interface {
                                attachment.device.clone_from(&to);
                            }
                        }
                        said.push(format!("{from}>{to}"));
                    }
                    // As the state has it: a device has one interface.
                    let places = self.attachments.iter().map(|a| (&a.netns, &a.device));
                    assert_eq!(places.collect::<BTreeSet<_>>().len(), self.attachments.len());
                    said.join(" ")
                }
                Step::Readdress { ipv4, ipv6, .. } => format!("addresses {} {}", ipv4.len(), ipv6.len()),
                Step::Look => "look".to_owned(),
                Step::Expire { .. } => "expire".to_owned(),
            });
        }
        said
    }
}

fn veth(index: u32, name: &str, addresses: &[&str]) -> (u32, Device) {
    let device = Device {
        index,
        name: name.to_owned(),
        kind: "veth".to_owned(),
        link_type: 1,
        up: true,
        addresses: addresses.iter().map(|text| (text.parse().unwrap(), 24)).collect(),
        ..Device::default()
    };
    (index, device)
}

fn plan(rules: &[&str]) -> Plan {
    Plan::new(rules.iter().map(|text| Rule::new(text, Mode::Observe).unwrap()).collect(), Vec::new(), 0)
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_device_is_attached_when_it_has_settled_and_within_a_second() {
    let (mut plan, mut world) = (plan(&["veth*", "ns:web/eth*"]), World::default());
    assert_eq!(world.step(&mut plan, 0), NOTHING);
    world.own.extend([veth(5, "veth5", &[])]);
    world.web.extend([veth(2, "eth0", &["10.0.0.2", "fe80::1"]), veth(1, "lo0", &[])]);
    assert_eq!(world.step(&mut plan, 1000), NOTHING);
    assert_eq!(plan.patience(1000), SETTLE);
    assert_eq!(world.step(&mut plan, 1200), ["attach web/eth0 1 instance"]);
    assert_eq!(plan.patience(1200), 300);
    // Addresses follow, of the interface's own end.
    assert_eq!(world.step(&mut plan, 1500), ["attach veth5 0 host", "addresses 1 0"]);
    assert_eq!(plan.patience(1500), i64::MAX);
    assert_eq!(world.step(&mut plan, 1501), NOTHING);
    world.web.extend([veth(2, "eth0", &["10.0.0.3", "2001:db8::3"])]);
    assert_eq!(world.step(&mut plan, 1600), ["addresses 1 1"]);
    assert_eq!(world.step(&mut plan, 1700), NOTHING);
}

#[test]
fn what_only_passes_through_is_never_attached() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    world.step(&mut plan, 0);
    world.own.extend([veth(5, "veth5", &[]), veth(6, "veth6", &[])]);
    world.step(&mut plan, 1000);
    // The one is moved to a namespace, the other renamed, as container engines do.
    world.own.remove(&5);
    world.own.extend([veth(6, "br-port", &[])]);
    for now in [1100, 1600, 3000] {
        assert_eq!(world.step(&mut plan, now), NOTHING);
    }
}

#[test]
fn names_change() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    world.own.extend([veth(5, "veth5", &[]), veth(6, "lan", &[])]);
    assert_eq!(world.step(&mut plan, 0), ["attach veth5 0 host"], "at the start nothing is waited for");
    world.own.extend([veth(5, "vethX", &[])]);
    assert_eq!(world.step(&mut plan, 10), ["rename veth5>vethX"]);
    world.own.extend([veth(6, "veth5", &[])]);
    world.step(&mut plan, 20);
    assert_eq!(world.step(&mut plan, 520), ["attach veth5 0 host"]);
    world.own.extend([veth(5, "lan", &[])]);
    assert_eq!(world.step(&mut plan, 600), ["detach vethX"]);
    world.own.extend([veth(5, "vethX", &[])]);
    world.step(&mut plan, 700);
    assert_eq!(world.step(&mut plan, 1200), ["attach again vethX 0 host"]);
}

#[test]
fn an_interface_waits_for_its_device_and_then_goes() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    world.own.extend([veth(5, "veth5", &[])]);
    world.step(&mut plan, 0);
    world.own.clear();
    assert_eq!(world.step(&mut plan, 10), ["detach veth5"]);
    world.own.extend([veth(9, "veth5", &[])]);
    world.step(&mut plan, 1000);
    assert_eq!(world.step(&mut plan, 1500), ["attach again veth5 0 host"]);
    world.own.clear();
    assert_eq!(world.step(&mut plan, 2000), ["detach veth5"]);
    assert_eq!(world.step(&mut plan, 2000 + KEEP - 1), NOTHING);
    assert_eq!(world.step(&mut plan, 2000 + KEEP), ["expire"]);
    assert_eq!(world.step(&mut plan, 2000 + 9 * KEEP), NOTHING);
}

#[test]
fn what_somebody_did_by_hand_stands() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    world.own.extend([veth(5, "veth5", &[]), veth(6, "lan0", &[])]);
    world.step(&mut plan, 0);
    // Detached.
    world.attachments.clear();
    for now in [10, 5000] {
        assert_eq!(world.step(&mut plan, now), NOTHING);
    }
    // Attached: it is told of, not detached.
    let interface = EniId::from_random(700);
    let (mode, side) = (Mode::Enforce, Side::Instance);
    world.attachments.push(Attachment { interface, device: "lan0".to_owned(), netns: None, mode, side });
    assert_eq!(world.step(&mut plan, 6000), NOTHING);
    world.own.extend([veth(6, "lan1", &[])]);
    assert_eq!(world.step(&mut plan, 6100), ["rename lan0>lan1"]);
    world.own.remove(&6);
    assert_eq!(world.step(&mut plan, 6200), ["look"]);
}

#[test]
fn a_new_start_knows_what_rules_made() {
    let (mut before, mut world) = (plan(&["veth*"]), World::default());
    world.own.extend([veth(5, "veth5", &[]), veth(6, "veth6", &[])]);
    world.step(&mut before, 0);
    let made = world.attachments.iter().map(|attachment| OfRule {
        interface: attachment.interface.clone(),
        place: attachment.device.clone(),
        attachment: Some(attachment.clone()),
    });
    let rules = vec![Rule::new("veth*", Mode::Observe).unwrap()];
    let mut plan = Plan::new(rules, made.collect(), 0);
    world.own.remove(&6);
    assert_eq!(world.step(&mut plan, 0), ["detach veth6"]);
    assert_eq!(world.step(&mut plan, KEEP), ["expire"]);
    world.own.clear();
    assert_eq!(world.step(&mut plan, KEEP + 1), ["detach veth5"]);
}

#[test]
fn a_name_passes_from_one_device_to_another_in_one_look() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    world.own.extend([veth(5, "veth5", &[]), veth(6, "veth6", &[]), veth(7, "lan7", &[])]);
    world.step(&mut plan, 0);
    // Of one that is gone.
    world.own.remove(&5);
    world.own.extend([veth(9, "veth5", &[])]);
    assert_eq!(world.step(&mut plan, 1000), ["detach veth5"]);
    assert_eq!(world.step(&mut plan, 1500), ["attach again veth5 0 host"]);
    // Of one that is called otherwise now, to a new one and to one that was there.
    world.own.extend([veth(6, "vethX", &[]), veth(10, "veth6", &[])]);
    world.own.extend([veth(9, "vethY", &[]), veth(7, "veth5", &[])]);
    assert_eq!(world.step(&mut plan, 2000), ["rename veth6>vethX veth5>vethY"]);
    assert_eq!(world.step(&mut plan, 2500), ["attach veth5 0 host", "attach veth6 0 host"]);
    // Of one that no rule wants under its new name, to one that is attached.
    world.own.extend([veth(6, "vethY", &[]), veth(9, "lan9", &[])]);
    assert_eq!(world.step(&mut plan, 3000), ["detach vethY", "rename vethX>vethY"]);
    assert_eq!(world.step(&mut plan, 9000), NOTHING);
    assert_eq!(world.attachments.len(), 3);
}

#[test]
fn names_are_swapped_and_handed_on_in_one_look() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    world.own.extend([veth(1, "veth1", &[]), veth(2, "veth2", &[]), veth(3, "veth3", &[])]);
    world.step(&mut plan, 0);
    world.own.extend([veth(1, "veth2", &[]), veth(2, "veth1", &[])]);
    assert_eq!(world.step(&mut plan, 1000), ["rename veth1>veth2 veth2>veth1"]);
    // In a row, whichever comes first.
    world.own.extend([veth(1, "veth1", &[]), veth(2, "veth3", &[]), veth(3, "veth4", &[])]);
    assert_eq!(world.step(&mut plan, 2000), ["rename veth2>veth1 veth1>veth3 veth3>veth4"]);
    world.own.extend([veth(1, "veth0", &[]), veth(2, "veth1", &[]), veth(3, "veth3", &[])]);
    world.is_away = true;
    assert_eq!(world.step(&mut plan, 3000), ["failed"]);
    world.is_away = false;
    assert_eq!(world.step(&mut plan, 4000), ["rename veth1>veth0 veth3>veth1 veth4>veth3"]);
    assert_eq!(world.step(&mut plan, 9000), NOTHING);
}

#[test]
fn what_cannot_be_listed_yet_is_awaited() {
    let (interface, netns) = (EniId::from_random(7), Some("web".to_owned()));
    let attachment = Attachment {
        interface: interface.clone(),
        device: "eth0".to_owned(),
        netns: netns.clone(),
        mode: Mode::Observe,
        side: Side::Instance,
    };
    let made = OfRule { interface, place: "web/eth0".to_owned(), attachment: Some(attachment.clone()) };
    let mut plan = Plan::new(vec![Rule::new("ns:web/eth*", Mode::Observe).unwrap()], vec![made], 0);
    let own = BTreeMap::new();
    let seen = [Seen { netns: None, id: 1, devices: &own }];
    let attachments = [attachment];
    assert!(plan.step(0, &seen, &BTreeSet::from([netns]), &attachments).is_empty());
    let steps = plan.step(1000, &seen, &BTreeSet::new(), &attachments);
    assert!(matches!(&steps[..], [Step::Vanish { .. }]), "{steps:?}");
}

#[test]
fn a_name_of_one_that_was_attached_by_hand_can_pass_too() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    let (interface, mode, side) = (EniId::from_random(700), Mode::Enforce, Side::Instance);
    world.own.extend([veth(5, "veth5", &[])]);
    world.attachments.push(Attachment { interface, device: "veth5".to_owned(), netns: None, mode, side });
    assert_eq!(world.step(&mut plan, 0), NOTHING);
    world.own.extend([veth(5, "lan5", &[]), veth(9, "veth5", &[])]);
    assert_eq!(world.step(&mut plan, 1000), ["rename veth5>lan5"]);
    assert_eq!(world.step(&mut plan, 1500), ["attach veth5 0 host"]);
}

#[test]
fn what_could_not_be_done_is_done_later() {
    let (mut plan, mut world) =
        (plan(&["veth*", "ns:web/eth*"]), World { is_away: true, ..World::default() });
    world.web.extend([veth(2, "eth2", &["10.0.0.2"]), veth(3, "eth3", &["10.0.0.3"])]);
    assert_eq!(world.step(&mut plan, 0), ["failed", "failed"]);
    world.is_away = false;
    // Not at once.
    assert_eq!((world.step(&mut plan, 100), plan.patience(100)), (vec![], 600));
    assert_eq!(world.step(&mut plan, 1000), ["attach web/eth2 1 instance", "attach web/eth3 1 instance"]);

    world.is_away = true;
    assert_eq!(world.step(&mut plan, 1100), ["failed", "failed"]);
    world.is_away = false;
    assert_eq!(world.step(&mut plan, 1200), ["addresses 1 0", "addresses 1 0"]);

    world.is_away = true;
    world.web.extend([veth(2, "eth4", &["10.0.0.2"]), veth(3, "lan3", &["10.0.0.3"])]);
    world.web.extend([veth(9, "eth3", &[])]);
    for now in [2000, 2001] {
        assert_eq!(world.step(&mut plan, now), ["failed", "failed"], "the name is not the new device's yet");
    }
    world.is_away = false;
    assert_eq!(world.step(&mut plan, 2002), ["detach web/eth3", "rename eth2>eth4"]);
    assert_eq!(world.step(&mut plan, 2500), ["attach again web/eth3 0 instance"]);
    world.step(&mut plan, 2501);

    world.web.clear();
    world.step(&mut plan, 3000);
    world.is_away = true;
    assert_eq!(world.step(&mut plan, 3000 + KEEP), ["failed", "failed"]);
    world.is_away = false;
    assert_eq!(world.step(&mut plan, 3001 + KEEP), NOTHING);
    assert_eq!(world.step(&mut plan, 3000 + 2 * KEEP), ["expire", "expire"]);
}

#[test]
fn what_somebody_undid_meanwhile_is_not_undone_again() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    world.own.extend([veth(5, "veth5", &[])]);
    world.step(&mut plan, 0);
    world.own.clear();
    world.is_away = true;
    assert_eq!(world.step(&mut plan, 10), ["failed"]);
    world.is_away = false;
    world.attachments[0].device = "eth0".to_owned();
    assert_eq!(world.step(&mut plan, 20), NOTHING);
    assert_eq!(world.attachments.len(), 1);
}

#[test]
fn the_host_s_address_is_not_that_of_a_container() {
    let (mut plan, mut world) = (plan(&["veth*"]), World::default());
    world.own.extend([veth(5, "veth5", &[])]);
    assert_eq!(world.step(&mut plan, 0), ["attach veth5 0 host"]);
    // Now it looks like a device of the host itself.
    world.own.extend([veth(5, "veth5", &["169.254.1.1"])]);
    assert_eq!(world.step(&mut plan, 100), NOTHING);
}
