//! Following orders: from what should be attached to what is.
//!
//! Invariant: an interface whose order cannot be followed is in `problems`,
//! with the reason; it is tried again with each new order and, while
//! [`Follower::needs_care`], every second.
//! A number is used again only after the window in which it was last counted
//! has been drained.

use std::collections::BTreeMap;
use tracing::{info, warn};
use weir_flow::decision::RuleNames;
use weir_policy::CompiledRules;
use weir_types::id::EniId;
use weir_types::orders::{Attachment, InterfaceOrder, Mode, Orders};

/// What following needs of the capture.
pub trait Network {
    fn attach(&self, number: u32, attachment: &Attachment, rules: &CompiledRules) -> Result<(), String>;
    fn detach(&self, number: u32) -> Result<(), String>;
    fn set_rules(&self, number: u32, rules: &CompiledRules) -> Result<(), String>;
    fn set_mode(&self, number: u32, mode: Mode) -> Result<(), String>;
    /// Numbers that a killed agent left at work, and the ids of their interfaces.
    fn leftovers(&self) -> Vec<(u32, String)>;
    /// Numbers that a killed agent's window may have counts of.
    fn counted(&self) -> Vec<u32>;
    /// Takes off one that nobody wants any more.
    fn discard(&self, number: u32) -> Result<(), String>;
    /// Numbers whose device has vanished, and the programs with it.
    fn vanished(&self) -> Vec<u32>;
    /// Numbers whose device has left its namespace, programs and all.
    fn moved(&self) -> Vec<u32>;
    /// Whether a number's programs are on the device that an attachment names.
    fn is_on(&self, number: u32, attachment: &Attachment) -> bool;
}

/// An interface on its device.
#[derive(Debug, Clone)]
pub struct Attached {
    /// Names the interface in the kernel.
    pub number: u32,
    pub order: InterfaceOrder,
    /// Of all rules that it had: tracked flows outlive theirs.
    pub names: RuleNames,
}

/// What is attached, what was, and what could not be.
#[derive(Debug, Default)]
pub struct Follower {
    attached: BTreeMap<EniId, Attached>,
    /// Detached in the running window: their counts are still to come.
    departed: Vec<Attached>,
    /// Numbers that the closed window still has in the kernel's tables.
    closing: Vec<u32>,
    problems: BTreeMap<EniId, String>,
    free: Vec<u32>,
    used: u32,
    /// Still at work for an agent that was killed; each is attached again under
    /// its number, which keeps its counts and connections.
    left: BTreeMap<String, u32>,
    /// Numbers that the running window may have in the kernel's tables, of no
    /// interface any more.
    retired: Vec<u32>,
}

impl Follower {
    /// What there is to be taken over from an agent that was killed.
    pub fn take_over(network: &impl Network) -> Self {
        let left: BTreeMap<String, u32> =
            network.leftovers().into_iter().map(|(number, id)| (id, number)).collect();
        let highest = left.values().copied().chain(network.counted()).max();
        let used = highest.map_or(0, |highest| highest + 1);
        let retired = (0..used).filter(|number| !left.values().any(|left| left == number)).collect();
        Self { left, used, retired, ..Self::default() }
    }

    /// Makes the network what the orders want, as far as possible.
    pub fn follow(&mut self, orders: &Orders, network: &impl Network) {
        let known = std::mem::take(&mut self.problems);
        let vanished = network.vanished();
        let lost = self.attached.iter().filter(|(_, attached)| vanished.contains(&attached.number));
        let lost: Vec<EniId> = lost.map(|(id, _)| id.clone()).collect();
        for id in lost {
            warn!(interface = %id, "the device has vanished");
            self.detach(&id, network);
        }
        self.rename(orders, network);
        let wanted: BTreeMap<&EniId, &InterfaceOrder> =
            orders.interfaces.iter().map(|order| (&order.attachment.interface, order)).collect();
        let unwanted = self.left.iter().filter(|(id, _)| !wanted.keys().any(|wanted| wanted.as_str() == *id));
        let unwanted: Vec<(String, u32)> = unwanted.map(|(id, number)| (id.clone(), *number)).collect();
        for (interface, number) in unwanted {
            if let Err(problem) = network.discard(number) {
                warn!(interface, problem, "what a killed agent left could not be taken off cleanly");
            }
            self.left.remove(&interface);
            self.retired.push(number);
        }
        // All of them before the first attach: devices may change hands.
        let gone = self.attached.iter().filter(|(id, attached)| {
            wanted.get(id).is_none_or(|order| !is_same_place(&attached.order.attachment, &order.attachment))
        });
        let gone: Vec<EniId> = gone.map(|(id, _)| id.clone()).collect();
        for id in gone {
            self.detach(&id, network);
        }
        for (id, order) in wanted {
            if let Err(problem) = self.follow_one(id, order, network) {
                // Tried again and again, told once.
                if known.get(id) != Some(&problem) {
                    warn!(interface = %id, device = order.attachment.device, problem, "cannot follow the order");
                }
                self.problems.insert(id.clone(), problem);
            }
        }
    }

    /// A device that was only given another name keeps its programs, counts and
    /// connections.
    fn rename(&mut self, orders: &Orders, network: &impl Network) {
        for order in &orders.interfaces {
            let Some(attached) = self.attached.get_mut(&order.attachment.interface) else { continue };
            let (old, new) = (&mut attached.order.attachment, &order.attachment);
            if old.device != new.device
                && (&old.netns, old.side) == (&new.netns, new.side)
                && network.is_on(attached.number, new)
            {
                info!(interface = %new.interface, from = old.device, to = new.device, "the device was renamed");
                old.device.clone_from(&new.device);
            }
        }
    }

    /// Lets go of devices that are in another namespace now: what is there is
    /// not what was to be attached.
    pub fn let_go_of_moved(&mut self, network: &impl Network) {
        let moved = network.moved();
        let moved = self.attached.iter().filter(|(_, attached)| moved.contains(&attached.number));
        let moved: Vec<EniId> = moved.map(|(id, _)| id.clone()).collect();
        for id in moved {
            warn!(interface = %id, "the device has left its network namespace");
            self.detach(&id, network);
        }
    }

    fn follow_one(
        &mut self,
        id: &EniId,
        order: &InterfaceOrder,
        network: &impl Network,
    ) -> Result<(), String> {
        let Some(attached) = self.attached.get_mut(id) else {
            return self.attach(id, order, network);
        };
        if attached.order.rules != order.rules {
            network.set_rules(attached.number, &compile(order)?)?;
            attached.names.add(&order.rules);
        }
        if attached.order.attachment.mode != order.attachment.mode {
            network.set_mode(attached.number, order.attachment.mode)?;
        }
        attached.order = order.clone();
        Ok(())
    }

    fn attach(&mut self, id: &EniId, order: &InterfaceOrder, network: &impl Network) -> Result<(), String> {
        let rules = compile(order)?;
        let left = self.left.get(id.as_str()).copied();
        let number = left.or_else(|| self.free.pop()).unwrap_or(self.used);
        if let Err(problem) = network.attach(number, &order.attachment, &rules) {
            if number != self.used && left.is_none() {
                self.free.push(number);
            }
            return Err(problem);
        }
        self.left.remove(id.as_str());
        self.used = self.used.max(number + 1);
        let Attachment { device, netns, mode, side, .. } = &order.attachment;
        info!(interface = %id, device, netns, %mode, %side, number, "attached");
        self.attached.insert(
            id.clone(),
            Attached { number, order: order.clone(), names: RuleNames::of(&order.rules) },
        );
        Ok(())
    }

    fn detach(&mut self, id: &EniId, network: &impl Network) {
        let Some(attached) = self.attached.remove(id) else { return };
        if let Err(problem) = network.detach(attached.number) {
            warn!(interface = %id, problem, "the device could not be detached cleanly");
        }
        info!(interface = %id, device = attached.order.attachment.device, "detached");
        self.departed.push(attached);
    }

    /// Interfaces that are attached or were in the running window.
    pub fn of_window(&self) -> impl Iterator<Item = &Attached> {
        self.attached.values().chain(&self.departed)
    }

    /// The running window was closed and read; what departs from now on belongs
    /// to the next one.
    pub fn closed(&mut self) {
        self.closing.extend(self.departed.drain(..).map(|departed| departed.number));
        self.closing.append(&mut self.retired);
    }

    /// The closed window is cleared: numbers that departed in it are free again.
    pub fn cleared(&mut self) {
        self.free.append(&mut self.closing);
    }

    /// While the window is settled that a killed agent had closed, no number
    /// becomes free: the running window was a killed agent's, too.
    pub fn hold_retired(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.retired)
    }

    /// The other half of [`Self::hold_retired`].
    pub fn retire(&mut self, mut held: Vec<u32>) {
        self.retired.append(&mut held);
    }

    pub fn problems(&self) -> &BTreeMap<EniId, String> {
        &self.problems
    }

    /// Whether following the same orders again may change something: a device
    /// has vanished, or is still awaited.
    pub fn needs_care(&self, network: &impl Network) -> bool {
        !self.problems.is_empty() || !network.vanished().is_empty()
    }
}

/// Whether programs on the one serve the other.
fn is_same_place(old: &Attachment, new: &Attachment) -> bool {
    (&old.device, &old.netns, old.side) == (&new.device, &new.netns, new.side)
}

fn compile(order: &InterfaceOrder) -> Result<CompiledRules, String> {
    CompiledRules::compile(&order.rules).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use weir_types::orders::Side;
    use weir_types::rule::InterfaceRules;

    /// Notes what it is told; devices named `bad…` cannot be attached.
    #[derive(Default)]
    struct Fake {
        log: RefCell<Vec<String>>,
        gone: RefCell<BTreeSet<u32>>,
        moved: RefCell<BTreeSet<u32>>,
        left: RefCell<Vec<(u32, String)>>,
        counted: Vec<u32>,
    }

    impl Fake {
        fn note(&self, text: String) -> Result<(), String> {
            self.log.borrow_mut().push(text);
            Ok(())
        }
        fn said(&self) -> Vec<String> {
            self.log.take()
        }
    }

    impl Network for Fake {
        fn attach(&self, number: u32, attachment: &Attachment, _: &CompiledRules) -> Result<(), String> {
            if attachment.device.starts_with("bad") {
                return Err("no such device".into());
            }
            self.note(format!("attach {number} {}", attachment.device))
        }
        fn detach(&self, number: u32) -> Result<(), String> {
            self.gone.borrow_mut().remove(&number);
            self.moved.borrow_mut().remove(&number);
            self.note(format!("detach {number}"))
        }
        fn set_rules(&self, number: u32, _: &CompiledRules) -> Result<(), String> {
            self.note(format!("rules {number}"))
        }
        fn set_mode(&self, number: u32, mode: Mode) -> Result<(), String> {
            self.note(format!("mode {number} {mode}"))
        }
        fn leftovers(&self) -> Vec<(u32, String)> {
            self.left.borrow().clone()
        }
        fn counted(&self) -> Vec<u32> {
            self.counted.clone()
        }
        fn discard(&self, number: u32) -> Result<(), String> {
            self.note(format!("discard {number}"))
        }
        fn vanished(&self) -> Vec<u32> {
            self.gone.borrow().iter().copied().collect()
        }
        fn moved(&self) -> Vec<u32> {
            self.moved.borrow().iter().copied().collect()
        }
        fn is_on(&self, _: u32, attachment: &Attachment) -> bool {
            attachment.device.starts_with("renamed")
        }
    }

    fn order(n: u128, device: &str) -> InterfaceOrder {
        InterfaceOrder {
            attachment: Attachment {
                interface: EniId::from_random(n),
                device: device.into(),
                netns: None,
                mode: Mode::Evaluate,
                side: Side::Instance,
            },
            account: "123456789012".into(),
            region: "us-east-1".into(),
            az_id: "use1-az1".into(),
            vpc: weir_types::id::VpcId::from_random(1),
            vpc_cidrs: vec![],
            subnet: weir_types::id::SubnetId::from_random(1),
            instance: None,
            primary_ipv4: None,
            ipv4: vec![],
            ipv6: vec![],
            rules: InterfaceRules::default(),
        }
    }

    fn orders(interfaces: Vec<InterfaceOrder>) -> Orders {
        Orders { generation: 1, interfaces, ..Orders::default() }
    }

    #[test]
    fn only_differences_reach_the_network() {
        let (mut follower, fake) = (Follower::default(), Fake::default());
        follower.follow(&orders(vec![order(1, "a"), order(2, "b")]), &fake);
        assert_eq!(fake.said(), ["attach 0 a", "attach 1 b"]);
        follower.follow(&orders(vec![order(1, "a"), order(2, "b")]), &fake);
        assert_eq!(fake.said(), Vec::<String>::new());

        let mut changed = order(2, "b");
        changed.attachment.mode = Mode::Enforce;
        changed.rules.subnet_cidrs.push("10.0.0.0/24".parse().unwrap());
        follower.follow(&orders(vec![order(1, "a2"), changed]), &fake);
        assert_eq!(fake.said(), ["detach 0", "attach 2 a2", "rules 1", "mode 1 enforce"]);
    }

    #[test]
    fn what_a_killed_agent_left_keeps_its_number() {
        let fake = Fake::default();
        let id = |n| EniId::from_random(n).to_string();
        fake.left.borrow_mut().extend([(1, id(1)), (3, id(2)), (4, id(9))]);
        let mut follower = Follower::take_over(&fake);
        follower.follow(&orders(vec![order(1, "a"), order(2, "bad"), order(3, "c")]), &fake);
        assert_eq!(fake.said(), ["discard 4", "attach 1 a", "attach 5 c"]);
        follower.follow(&orders(vec![order(1, "a"), order(2, "b"), order(3, "c")]), &fake);
        assert_eq!(fake.said(), ["attach 3 b"]);
        // Numbers of which nothing is known are used only after their window.
        follower.closed();
        follower.cleared();
        follower.follow(
            &orders([1, 2, 3, 4].map(|n| order(n, "abcd".get(n as usize - 1..n as usize).unwrap())).into()),
            &fake,
        );
        assert_eq!(fake.said(), ["attach 4 d"]);
    }

    #[test]
    fn a_number_with_counts_of_a_killed_agent_waits_for_its_window() {
        let fake = Fake { counted: vec![1, 2], ..Fake::default() };
        fake.left.borrow_mut().extend([(0, EniId::from_random(1).to_string())]);
        let mut follower = Follower::take_over(&fake);
        follower.follow(&orders(vec![order(1, "a"), order(2, "b")]), &fake);
        assert_eq!(fake.said(), ["attach 0 a", "attach 3 b"]);
        // The closed window of the killed agent first: the running one is its, too.
        let held = follower.hold_retired();
        follower.closed();
        follower.cleared();
        follower.retire(held);
        follower.follow(&orders(vec![order(1, "a"), order(2, "b"), order(3, "c")]), &fake);
        assert_eq!(fake.said(), ["attach 4 c"]);
        follower.closed();
        follower.cleared();
        follower
            .follow(&orders((1..5).map(|n| order(n, ["a", "b", "c", "d"][n as usize - 1])).collect()), &fake);
        assert_eq!(fake.said(), ["attach 2 d"]);
    }

    #[test]
    fn devices_change_hands() {
        let (mut follower, fake) = (Follower::default(), Fake::default());
        follower.follow(&orders(vec![order(1, "a"), order(2, "b")]), &fake);
        fake.said();
        follower.follow(&orders(vec![order(1, "b"), order(2, "a")]), &fake);
        assert_eq!(fake.said(), ["detach 0", "detach 1", "attach 2 b", "attach 3 a"]);
    }

    #[test]
    fn numbers_are_used_again_only_after_their_window_is_cleared() {
        let (mut follower, fake) = (Follower::default(), Fake::default());
        let numbers = |follower: &Follower| follower.of_window().map(|a| a.number).collect::<BTreeSet<_>>();
        follower.follow(&orders(vec![order(1, "a"), order(2, "b")]), &fake);
        follower.follow(&orders(vec![order(2, "b")]), &fake);
        assert_eq!(numbers(&follower), BTreeSet::from([0, 1]));
        follower.closed();
        // The next window runs while the closed one waits for the disk.
        follower.follow(&orders(vec![order(3, "c")]), &fake);
        assert_eq!(numbers(&follower), BTreeSet::from([1, 2]));
        follower.cleared();
        assert_eq!(numbers(&follower), BTreeSet::from([1, 2]), "its records are still to come");
        follower.follow(&orders(vec![order(3, "c"), order(4, "d"), order(5, "e")]), &fake);
        let said =
            ["attach 0 a", "attach 1 b", "detach 0", "detach 1", "attach 2 c", "attach 0 d", "attach 3 e"];
        assert_eq!(fake.said(), said);
    }

    #[test]
    fn a_device_that_is_not_there_is_a_problem_until_it_is() {
        let (mut follower, fake) = (Follower::default(), Fake::default());
        follower.follow(&orders(vec![order(1, "bad0")]), &fake);
        assert_eq!(follower.problems()[&EniId::from_random(1)], "no such device");
        assert!(follower.needs_care(&fake));
        follower.follow(&orders(vec![order(1, "good0")]), &fake);
        assert!(follower.problems().is_empty());
        assert_eq!(fake.said(), ["attach 0 good0"]);
    }

    #[test]
    fn a_renamed_device_keeps_its_number_and_one_that_moved_away_does_not() {
        let (mut follower, fake) = (Follower::default(), Fake::default());
        follower.follow(&orders(vec![order(1, "a"), order(2, "b")]), &fake);
        follower.follow(&orders(vec![order(1, "renamed"), order(2, "b")]), &fake);
        assert_eq!(fake.said(), ["attach 0 a", "attach 1 b"]);
        fake.moved.borrow_mut().insert(1);
        follower.let_go_of_moved(&fake);
        follower.follow(&orders(vec![order(1, "renamed"), order(2, "bad")]), &fake);
        assert_eq!((fake.said(), follower.problems().len()), (vec!["detach 1".to_owned()], 1));
    }

    #[test]
    fn a_device_that_came_back_is_attached_again() {
        let (mut follower, fake) = (Follower::default(), Fake::default());
        follower.follow(&orders(vec![order(1, "a")]), &fake);
        assert!(!follower.needs_care(&fake));
        fake.gone.borrow_mut().insert(0);
        assert!(follower.needs_care(&fake));
        follower.follow(&orders(vec![order(1, "a")]), &fake);
        assert_eq!(fake.said(), ["attach 0 a", "detach 0", "attach 1 a"]);
    }
}
