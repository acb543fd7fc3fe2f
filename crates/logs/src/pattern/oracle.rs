//! The slow, obvious evaluator: patterns as trees that tests make, written out
//! as text for the parser under test and evaluated here on owned values.

use serde_json::Value;

#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Each with its sign: `' '`, `'?'` or `'-'`.
    Terms(Vec<(char, String)>),
    Space(Vec<Field>),
    Json(Expression),
}

#[derive(Debug, Clone)]
pub(super) enum Field {
    Ellipsis,
    Unnamed,
    /// Any of these groups, all tests of a group.
    Named(String, Vec<Vec<Test>>),
}

#[derive(Debug, Clone)]
pub(super) struct Test {
    pub operator: &'static str,
    pub value: String,
    pub quoted: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Expression {
    Compare(Vec<Step>, Test),
    IsNull(Vec<Step>),
    Is(Vec<Step>, bool),
    NotExists(Vec<Step>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Member(String),
    AnyMember,
    Element(usize),
    AnyElement,
}

impl Pattern {
    pub fn text(&self, blank: &str) -> String {
        match self {
            Self::Terms(terms) => {
                let terms = terms.iter().map(|(sign, term)| format!("{}\"{term}\"", sign.to_string().trim()));
                terms.collect::<Vec<_>>().join(" ")
            }
            Self::Space(fields) => {
                let fields: Vec<String> = fields.iter().map(|field| field.text(blank)).collect();
                format!("[{}]", fields.join(&format!("{blank},{blank}")))
            }
            Self::Json(expression) => format!("{{{blank}{}{blank}}}", expression.text(blank)),
        }
    }

    pub fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => {
                let with = |sign| terms.iter().filter(move |(own, _)| *own == sign).map(|(_, term)| term);
                let only_optional = terms.iter().all(|(sign, _)| *sign == '?');
                if only_optional {
                    return with('?').any(|term| message.contains(term.as_str()));
                }
                with(' ').all(|term| message.contains(term.as_str()))
                    && with('-').all(|term| !message.contains(term.as_str()))
            }
            Self::Space(fields) => fits(fields, &tokens(message), message),
            Self::Json(expression) => {
                let json = serde_json::from_str(message).ok();
                json.filter(|json: &Value| json.is_object() || json.is_array())
                    .is_some_and(|json| expression.holds(&json))
            }
        }
    }
}

impl Field {
    fn text(&self, blank: &str) -> String {
        match self {
            Self::Ellipsis => "...".to_owned(),
            Self::Unnamed => String::new(),
            Self::Named(name, groups) if groups.is_empty() => name.clone(),
            Self::Named(name, groups) => {
                let test = |test: &Test| format!("{name}{blank}{}", test.text(blank));
                let group = |tests: &Vec<Test>| {
                    tests.iter().map(test).collect::<Vec<_>>().join(&format!("{blank}&&{blank}"))
                };
                groups.iter().map(group).collect::<Vec<_>>().join(&format!("{blank}||{blank}"))
            }
        }
    }

    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Named(_, groups) if !groups.is_empty() => {
                groups.iter().any(|group| group.iter().all(|test| test.holds_for_token(value)))
            }
            _ => true,
        }
    }
}

impl Test {
    fn text(&self, blank: &str) -> String {
        let quote = if self.quoted { "\"" } else { "" };
        format!("{}{blank}{quote}{}{quote}", self.operator, self.value)
    }

    fn number(&self) -> Option<f64> {
        number(&self.value)
    }

    fn holds_for_token(&self, token: &str) -> bool {
        match self.operator {
            "=" | "!=" => {
                let equal = match (self.quoted, self.number(), number(token)) {
                    (false, Some(a), Some(b)) => a == b,
                    _ => glob(&self.value, token),
                };
                equal == (self.operator == "=")
            }
            _ => number(token).is_some_and(|found| self.is_in_order(found)),
        }
    }

    fn is_in_order(&self, found: f64) -> bool {
        let expected = self.number().unwrap();
        match self.operator {
            "<" => found < expected,
            "<=" => found <= expected,
            ">" => found > expected,
            _ => found >= expected,
        }
    }

    fn holds_for_json(&self, json: &Value) -> bool {
        let equal = |equal: bool| equal == (self.operator == "=");
        match (json, self.operator) {
            (Value::Number(found), "=" | "!=") => match (self.quoted, self.number()) {
                (false, Some(expected)) => equal(found.as_f64().unwrap() == expected),
                _ => equal(glob(&self.value, &found.to_string())),
            },
            (Value::Number(found), _) => self.is_in_order(found.as_f64().unwrap()),
            (Value::String(found), "=" | "!=") => equal(glob(&self.value, found)),
            (Value::Bool(found), "=" | "!=") => equal(glob(&self.value, &found.to_string())),
            _ => false,
        }
    }
}

impl Expression {
    fn text(&self, blank: &str) -> String {
        let join = |parts: &Vec<Self>, with: &str| {
            let parts = parts.iter().map(|part| format!("({})", part.text(blank)));
            parts.collect::<Vec<_>>().join(&format!("{blank}{with}{blank}"))
        };
        match self {
            Self::Compare(steps, test) => format!("{}{blank}{}", selector(steps), test.text(blank)),
            Self::IsNull(steps) => format!("{} IS NULL", selector(steps)),
            Self::Is(steps, true) => format!("{} IS TRUE", selector(steps)),
            Self::Is(steps, false) => format!("{} IS FALSE", selector(steps)),
            Self::NotExists(steps) => format!("{} NOT EXISTS", selector(steps)),
            Self::All(parts) => join(parts, "&&"),
            Self::Any(parts) => join(parts, "||"),
        }
    }

    fn holds(&self, json: &Value) -> bool {
        match self {
            Self::Compare(steps, test) => select(json, steps).iter().any(|found| test.holds_for_json(found)),
            Self::IsNull(steps) => select(json, steps).iter().any(|found| found.is_null()),
            Self::Is(steps, expected) => {
                select(json, steps).iter().any(|found| **found == Value::Bool(*expected))
            }
            Self::NotExists(steps) => select(json, steps).is_empty(),
            Self::All(parts) => parts.iter().all(|part| part.holds(json)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(json)),
        }
    }
}

fn selector(steps: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Member(key) if key.contains('.') => format!(".['{key}']"),
        Step::Member(key) => format!(".{key}"),
        Step::AnyMember => ".*".to_owned(),
        Step::Element(index) => format!("[{index}]"),
        Step::AnyElement => "[*]".to_owned(),
    };
    format!("${}", steps.iter().map(step).collect::<String>())
}

fn select<'j>(json: &'j Value, steps: &[Step]) -> Vec<&'j Value> {
    let mut found = vec![json];
    for step in steps {
        let next = found.into_iter().flat_map(|value| -> Vec<&Value> {
            match (step, value) {
                (Step::Member(key), Value::Object(object)) => object.get(key).into_iter().collect(),
                (Step::AnyMember, Value::Object(object)) => object.values().collect(),
                (Step::Element(index), Value::Array(array)) => array.get(*index).into_iter().collect(),
                (Step::AnyElement, Value::Array(array)) => array.iter().collect(),
                _ => Vec::new(),
            }
        });
        found = next.collect();
    }
    found
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|_| text.ends_with(|c: char| c.is_ascii_digit()))
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|at| glob(&pattern[1..], &text[at..])),
        Some(c) => text.strip_prefix(c).is_some_and(|rest| glob(&pattern[c.len_utf8()..], rest)),
    }
}

/// Tokens with the place where each begins, delimiter included.
fn tokens(message: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    let chars: Vec<char> = message.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let start = at;
        let closing = match chars[at] {
            ' ' | '\t' => {
                at += 1;
                continue;
            }
            '[' => Some(']'),
            '"' => Some('"'),
            _ => None,
        };
        let closed = closing.and_then(|closing| (at + 1..chars.len()).find(|&i| chars[i] == closing));
        let token: String = match closed {
            Some(end) => {
                at = end + 1;
                chars[start + 1..end].iter().collect()
            }
            None => {
                at = (at..chars.len()).find(|&i| matches!(chars[i], ' ' | '\t')).unwrap_or(chars.len());
                chars[start..at].iter().collect()
            }
        };
        tokens.push((start, token));
    }
    tokens
}

fn fits(fields: &[Field], tokens: &[(usize, String)], message: &str) -> bool {
    let ellipsis = fields.iter().position(|field| matches!(field, Field::Ellipsis));
    let holds = |field: &Field, token: &(usize, String)| field.holds(&token.1);
    if let Some(at) = ellipsis {
        let (left, right) = (&fields[..at], &fields[at + 1..]);
        return left.len() + right.len() <= tokens.len()
            && left.iter().zip(tokens).all(|(field, token)| holds(field, token))
            && right.iter().rev().zip(tokens.iter().rev()).all(|(field, token)| holds(field, token));
    }
    if tokens.len() < fields.len() {
        return false;
    }
    let mut tokens = tokens.to_vec();
    if tokens.len() > fields.len() {
        tokens.truncate(fields.len());
        let start = tokens.last().unwrap().0;
        let rest: String = message.chars().skip(start).collect();
        tokens.last_mut().unwrap().1 = rest.trim_end_matches([' ', '\t']).to_owned();
    }
    fields.iter().zip(&tokens).all(|(field, token)| holds(field, token))
}
