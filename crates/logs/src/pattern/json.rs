//! JSON patterns: comparisons of values that selectors find in the message.
//!
//! All selectors together become one automaton over the message's structure,
//! which is read once and never built: a state says which selectors are still
//! on their way, and at a scalar which tests it meets.
//!
//! ```text
//! { $.a.x = 1 || $.a[*] = 2 }     0 --a--> 1 --x--> 2 (first test)
//!                                          1 --[*]-> 3 (second test)
//! ```
//!
//! A message must be a JSON object or array as a whole. A missing value, an
//! object or an array fails every comparison, `!=` included, and null does
//! too: it is only `IS NULL`. A wildcard selector holds when any value does.
//! If a key stands twice in an object, either value counts.
//!
//! Source: user guide, "Match terms in JSON log events".

use super::number::Number;
use super::test::Test;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

/// More than 1,024 characters can hold.
pub(super) const MAX_CONDITIONS: usize = 256;

#[derive(Debug, Clone)]
pub(super) struct JsonPattern {
    conditions: Vec<Predicate>,
    expression: Expression,
    /// The first one is the start.
    states: Vec<State>,
}

/// How conditions combine; a number is a condition's place.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Condition(usize),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub selector: Vec<Step>,
    pub predicate: Predicate,
}

#[derive(Debug, Clone)]
pub(super) enum Predicate {
    Compares(Test),
    IsNull,
    Is(bool),
    NotExists,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    AnyMember,
    Element(usize),
    AnyElement,
}

type StateId = usize;

#[derive(Debug, Clone, Default)]
struct State {
    /// Sorted by key.
    members: Vec<(String, StateId)>,
    other_member: Option<StateId>,
    elements: Vec<(usize, StateId)>,
    other_element: Option<StateId>,
    /// The conditions whose selectors end here.
    ends: Vec<usize>,
}

impl JsonPattern {
    pub fn new(conditions: Vec<Condition>, expression: Expression) -> Self {
        let states = states(&conditions);
        let conditions = conditions.into_iter().map(|condition| condition.predicate).collect();
        Self { conditions, expression, states }
    }

    pub fn matches(&self, message: &str) -> bool {
        // A bare number or text is JSON too, but no JSON log event.
        if !message.trim_start().starts_with(['{', '[']) {
            return false;
        }
        let mut met = Met::default();
        let mut json = serde_json::Deserializer::from_str(message);
        let walk = Walk { pattern: self, state: 0, met: &mut met };
        walk.deserialize(&mut json).is_ok() && json.end().is_ok() && self.holds(&self.expression, &met)
    }

    fn holds(&self, expression: &Expression, met: &Met) -> bool {
        match expression {
            Expression::Condition(condition) => {
                met.has(*condition) != matches!(self.conditions.get(*condition), Some(Predicate::NotExists))
            }
            Expression::All(parts) => parts.iter().all(|part| self.holds(part, met)),
            Expression::Any(parts) => parts.iter().any(|part| self.holds(part, met)),
        }
    }
}

/// The automaton of the selectors.
fn states(conditions: &[Condition]) -> Vec<State> {
    // What a state stands for: conditions, and how many steps of each are done.
    type Positions = BTreeSet<(usize, usize)>;
    let start: Positions = (0..conditions.len()).map(|condition| (condition, 0)).collect();
    let mut ids = BTreeMap::from([(start.clone(), 0)]);
    let mut waiting = vec![start];
    let mut states: Vec<State> = Vec::new();
    while let Some(positions) = waiting.get(states.len()).cloned() {
        let step = |&(condition, done): &(usize, usize)| {
            let selector = conditions.get(condition).map(|c| c.selector.as_slice()).unwrap_or_default();
            selector.get(done)
        };
        let mut target = |takes: &dyn Fn(&Step) -> bool| -> Option<StateId> {
            let taken = positions.iter().filter(|position| step(position).is_some_and(takes));
            let next: Positions = taken.map(|&(condition, done)| (condition, done + 1)).collect();
            if next.is_empty() {
                return None;
            }
            Some(*ids.entry(next.clone()).or_insert_with(|| {
                waiting.push(next);
                waiting.len() - 1
            }))
        };
        let mut state = State {
            other_member: target(&|step| *step == Step::AnyMember),
            other_element: target(&|step| *step == Step::AnyElement),
            ..State::default()
        };
        let named: BTreeSet<&str> = positions.iter().filter_map(step).filter_map(Step::key).collect();
        for key in named {
            let to = target(&|step| *step == Step::AnyMember || step.key() == Some(key));
            state.members.extend(to.map(|to| (key.to_owned(), to)));
        }
        let numbered: BTreeSet<usize> = positions.iter().filter_map(step).filter_map(Step::index).collect();
        for index in numbered {
            let to = target(&|step| *step == Step::AnyElement || step.index() == Some(index));
            state.elements.extend(to.map(|to| (index, to)));
        }
        let ended = positions.iter().filter(|position| step(position).is_none());
        state.ends = ended.map(|&(condition, _)| condition).collect();
        states.push(state);
    }
    states
}

impl Step {
    fn key(&self) -> Option<&str> {
        match self {
            Self::Member(key) => Some(key),
            _ => None,
        }
    }

    fn index(&self) -> Option<usize> {
        match self {
            Self::Element(index) => Some(*index),
            _ => None,
        }
    }
}

impl State {
    fn member(&self, key: &str) -> Option<StateId> {
        let found = self.members.binary_search_by(|(own, _)| own.as_str().cmp(key));
        found.ok().and_then(|at| self.members.get(at)).map(|(_, to)| *to).or(self.other_member)
    }

    fn element(&self, index: usize) -> Option<StateId> {
        let found = self.elements.binary_search_by_key(&index, |(own, _)| *own);
        found.ok().and_then(|at| self.elements.get(at)).map(|(_, to)| *to).or(self.other_element)
    }
}

/// The conditions that some value met; for NOT EXISTS: that a value is there.
#[derive(Default)]
struct Met([u64; MAX_CONDITIONS / 64]);

impl Met {
    fn add(&mut self, condition: usize) {
        if let Some(word) = self.0.get_mut(condition / 64) {
            *word |= 1 << (condition % 64);
        }
    }

    fn has(&self, condition: usize) -> bool {
        self.0.get(condition / 64).is_some_and(|word| word >> (condition % 64) & 1 == 1)
    }
}

/// One value of the message, read in one state.
struct Walk<'p, 'm> {
    pattern: &'p JsonPattern,
    state: StateId,
    met: &'m mut Met,
}

enum Scalar<'s> {
    Null,
    Bool(bool),
    Number(Number, &'s str),
    Text(&'s str),
    /// An object or an array.
    Composite,
}

impl Walk<'_, '_> {
    fn state(&self) -> Option<&State> {
        self.pattern.states.get(self.state)
    }

    fn visit(&mut self, value: &Scalar) {
        let Some(state) = self.pattern.states.get(self.state) else { return };
        for &condition in &state.ends {
            let meets = match (self.pattern.conditions.get(condition), value) {
                (Some(Predicate::NotExists), _) => true,
                (Some(Predicate::IsNull), value) => matches!(value, Scalar::Null),
                (Some(Predicate::Is(expected)), Scalar::Bool(found)) => expected == found,
                (Some(Predicate::Compares(test)), Scalar::Text(text)) => test.holds_for_text(text),
                (Some(Predicate::Compares(test)), Scalar::Number(number, text)) => {
                    test.holds_for_number(*number, text)
                }
                (Some(Predicate::Compares(test)), Scalar::Bool(true)) => test.holds_for_text("true"),
                (Some(Predicate::Compares(test)), Scalar::Bool(false)) => test.holds_for_text("false"),
                _ => false,
            };
            if meets {
                self.met.add(condition);
            }
        }
    }

    fn number(&mut self, number: Number) {
        let mut text = Decimal { bytes: [0; 400], len: 0 };
        // A double's digits are fewer than 400, an integer's are few.
        let _ = match number {
            Number::Int(int) => write!(text, "{int}"),
            Number::Float(float) => write!(text, "{float}"),
        };
        self.visit(&Scalar::Number(number, text.as_str()));
    }
}

/// A number's decimal text, without an allocation.
struct Decimal {
    bytes: [u8; 400],
    len: usize,
}

impl Decimal {
    fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }
}

impl Write for Decimal {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.len + part.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(part.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        self.visit(&Scalar::Null);
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.visit(&Scalar::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.number(Number::Int(value.into()));
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.number(Number::Int(value.into()));
        Ok(())
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<(), E> {
        self.number(Number::Float(value));
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.visit(&Scalar::Text(value));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        self.visit(&Scalar::Composite);
        let mut index = 0;
        loop {
            let next = match self.state().and_then(|state| state.element(index)) {
                Some(state) => {
                    array.next_element_seed(Walk { pattern: self.pattern, state, met: &mut *self.met })?
                }
                None => array.next_element::<IgnoredAny>()?.map(drop),
            };
            if next.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        self.visit(&Scalar::Composite);
        while let Some(next) = object.next_key_seed(Key(self.state()))? {
            match next {
                Some(state) => {
                    object.next_value_seed(Walk { pattern: self.pattern, state, met: &mut *self.met })?;
                }
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A key, read as the state that it leads to.
struct Key<'p>(Option<&'p State>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<StateId>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<StateId>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.and_then(|state| state.member(key)))
    }
}
