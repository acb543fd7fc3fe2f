//! The functions' names, and how many arguments they take.
//!
//! Source: user guide, "Boolean, comparison, numeric, datetime, and other
//! functions" and "stats".

/// A function of the values of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    Abs,
    Ceil,
    Floor,
    Round,
    Greatest,
    Least,
    Log,
    Sqrt,
    IsPresent,
    Coalesce,
    If,
    /// Conditions, each with its value, then the value of all other rows.
    Case,
    IsNumeric,
    ToNumber,
    /// Of `@timestamp`.
    Bin,
    DateFloor,
    DateCeil,
    FromMillis,
    ToMillis,
    Now,
    IsEmpty,
    IsBlank,
    Concat,
    LTrim,
    RTrim,
    Trim,
    StrLen,
    ToUpper,
    ToLower,
    Substr,
    Replace,
    StrContains,
    IsValidIp,
    IsValidIpV4,
    IsValidIpV6,
    IsIpInSubnet,
    IsIpv4InSubnet,
    IsIpv6InSubnet,
    JsonParse,
    JsonStringify,
    /// Nothing is masked here.
    Unmask,
}

/// A function of many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    StdDev,
    /// A percentile: what so many per cent of the values are not larger than.
    Percentile(Percent),
    Earliest,
    Latest,
    SortsFirst,
    SortsLast,
}

/// From 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

impl Eq for Percent {}

impl std::hash::Hash for Percent {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// Any number.
const MANY: usize = usize::MAX;

/// Name in lower case, function, fewest and most arguments.
const FUNCTIONS: [(&str, Function, usize, usize); 41] = [
    ("abs", Function::Abs, 1, 1),
    ("ceil", Function::Ceil, 1, 1),
    ("floor", Function::Floor, 1, 1),
    ("round", Function::Round, 1, 2),
    ("greatest", Function::Greatest, 1, MANY),
    ("least", Function::Least, 1, MANY),
    ("log", Function::Log, 1, 1),
    ("sqrt", Function::Sqrt, 1, 1),
    ("ispresent", Function::IsPresent, 1, 1),
    ("coalesce", Function::Coalesce, 1, MANY),
    ("if", Function::If, 3, 3),
    ("case", Function::Case, 2, MANY),
    ("isnumeric", Function::IsNumeric, 1, 1),
    ("tonumber", Function::ToNumber, 1, 1),
    ("bin", Function::Bin, 1, 1),
    ("datefloor", Function::DateFloor, 2, 2),
    ("dateceil", Function::DateCeil, 2, 2),
    ("frommillis", Function::FromMillis, 1, 1),
    ("tomillis", Function::ToMillis, 1, 1),
    ("now", Function::Now, 0, 0),
    ("isempty", Function::IsEmpty, 1, 1),
    ("isblank", Function::IsBlank, 1, 1),
    ("concat", Function::Concat, 1, MANY),
    ("ltrim", Function::LTrim, 1, 2),
    ("rtrim", Function::RTrim, 1, 2),
    ("trim", Function::Trim, 1, 2),
    ("strlen", Function::StrLen, 1, 1),
    ("toupper", Function::ToUpper, 1, 1),
    ("tolower", Function::ToLower, 1, 1),
    ("substr", Function::Substr, 2, 3),
    ("replace", Function::Replace, 3, 3),
    ("strcontains", Function::StrContains, 2, 2),
    ("isvalidip", Function::IsValidIp, 1, 1),
    ("isvalidipv4", Function::IsValidIpV4, 1, 1),
    ("isvalidipv6", Function::IsValidIpV6, 1, 1),
    ("isipinsubnet", Function::IsIpInSubnet, 2, 2),
    ("isipv4insubnet", Function::IsIpv4InSubnet, 2, 2),
    ("isipv6insubnet", Function::IsIpv6InSubnet, 2, 2),
    ("jsonparse", Function::JsonParse, 1, 1),
    ("jsonstringify", Function::JsonStringify, 1, 1),
    ("unmask", Function::Unmask, 1, 1),
];

const AGGREGATES: [(&str, Aggregate); 13] = [
    ("count", Aggregate::Count),
    ("count_distinct", Aggregate::CountDistinct),
    ("countdistinct", Aggregate::CountDistinct),
    ("sum", Aggregate::Sum),
    ("avg", Aggregate::Avg),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("stddev", Aggregate::StdDev),
    ("pct", Aggregate::Percentile(Percent(50.0))),
    ("earliest", Aggregate::Earliest),
    ("latest", Aggregate::Latest),
    ("sortsfirst", Aggregate::SortsFirst),
    ("sortslast", Aggregate::SortsLast),
];

impl Function {
    /// By its name in any case, with the fewest and the most arguments.
    pub(super) fn named(name: &str) -> Option<(Self, usize, usize)> {
        let found = FUNCTIONS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
        Some((found.1, found.2, found.3))
    }

    /// Which argument is a length of time.
    pub(super) fn period_argument(self) -> Option<usize> {
        match self {
            Self::Bin => Some(0),
            Self::DateFloor | Self::DateCeil => Some(1),
            _ => None,
        }
    }

    /// The function's name in lower case.
    pub fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function, ..)| *function == self).map_or("", |(name, ..)| name)
    }
}

impl Aggregate {
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = AGGREGATES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, aggregate)| *aggregate)
    }
}
