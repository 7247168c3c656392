//! What an expression comes to.

use super::ast::{ExprId, Number, Op, print_number, quote};
use crate::policy::regexp::GoRegex;

pub(crate) type VertexId = usize;

/// Why something has no value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Code {
    /// It may still get one: no reason to refuse.
    Incomplete,
    /// It never will.
    Conflict,
    /// We cannot say.
    Unsupported,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bottom {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Bottom {
    pub(crate) fn incomplete(message: impl Into<String>) -> Self {
        Self { code: Code::Incomplete, message: message.into() }
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { code: Code::Conflict, message: message.into() }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self { code: Code::Unsupported, message: message.into() }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
}

impl Scalar {
    pub(crate) fn mask(&self) -> u8 {
        match self {
            Self::Null => NULL,
            Self::Bool(_) => BOOL,
            Self::Number(Number::Int(_)) => INT,
            Self::Number(Number::Float(_)) => FLOAT,
            Self::Text(_) => TEXT,
        }
    }

    pub(crate) fn print(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => print_number(*number),
            Self::Text(text) => quote(text),
        }
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.compare(*right).is_eq(),
            (left, right) => left == right,
        }
    }
}

pub(crate) const NULL: u8 = 1;
pub(crate) const BOOL: u8 = 2;
pub(crate) const INT: u8 = 4;
pub(crate) const FLOAT: u8 = 8;
pub(crate) const TEXT: u8 = 16;
pub(crate) const BYTES: u8 = 32;
pub(crate) const LIST: u8 = 64;
pub(crate) const STRUCT: u8 = 128;
pub(crate) const NUMBER: u8 = INT | FLOAT;
pub(crate) const ALL: u8 = 255;

/// A set of kinds as CUE names it.
pub(crate) fn kinds(mask: u8) -> String {
    if mask == ALL {
        return "_".to_owned();
    }
    let names = [
        (NULL, "null"),
        (BOOL, "bool"),
        (INT, "int"),
        (FLOAT, "float"),
        (TEXT, "string"),
        (BYTES, "bytes"),
        (LIST, "list"),
        (STRUCT, "struct"),
    ];
    let mut found: Vec<&str> =
        names.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, name)| *name).collect();
    if mask & NUMBER == NUMBER {
        found.retain(|name| *name != "int" && *name != "float");
        found.push("number");
    }
    match found.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("({})", many.join("|")),
    }
}

/// A condition on a value that is not there yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constraint {
    /// One of these kinds, by the name it was given.
    Kind(u8, String),
    /// `>5`, `!="a"`
    Bound(Op, Scalar),
    /// `=~"…"` and, negated, `!~"…"`
    Regex(bool, GoRegex),
    /// A builtin that checks: its name, its arguments.
    Check(Check, String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Check {
    MinItems(i128),
    MaxItems(i128),
    UniqueItems,
    MinFields(i128),
    MaxFields(i128),
    MinRunes(i128),
    MaxRunes(i128),
    HasPrefix(String),
    HasSuffix(String),
    Contains(String),
}

impl Constraint {
    pub(crate) fn mask(&self) -> u8 {
        match self {
            Self::Kind(mask, _) => *mask,
            Self::Bound(Op::NotEqual, Scalar::Null) => ALL & !NULL,
            Self::Bound(Op::NotEqual, scalar) => widened(scalar.mask()),
            Self::Bound(_, scalar) => widened(scalar.mask()),
            Self::Regex(..) => TEXT,
            Self::Check(check, _) => match check {
                Check::MinItems(_) | Check::MaxItems(_) | Check::UniqueItems => LIST,
                Check::MinFields(_) | Check::MaxFields(_) => STRUCT,
                _ => TEXT,
            },
        }
    }

    pub(crate) fn print(&self) -> String {
        match self {
            Self::Kind(_, name) => name.clone(),
            Self::Bound(op, scalar) => format!("{}{}", op.text(), scalar.print()),
            Self::Regex(negated, regex) => {
                format!("{}{}", if *negated { "!~" } else { "=~" }, quote(regex.as_str()))
            }
            Self::Check(_, name) => name.clone(),
        }
    }

    /// Whether a scalar satisfies it; kinds are compared before.
    pub(crate) fn admits(&self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Bound(op, bound), value) => compare(*op, value, bound).unwrap_or(false),
            (Self::Regex(negated, regex), Scalar::Text(text)) => regex.matches(text) != *negated,
            (Self::Check(check, _), Scalar::Text(text)) => match check {
                Check::MinRunes(least) => length(text.chars().count()) >= *least,
                Check::MaxRunes(most) => length(text.chars().count()) <= *most,
                Check::HasPrefix(prefix) => text.starts_with(prefix.as_str()),
                Check::HasSuffix(suffix) => text.ends_with(suffix.as_str()),
                Check::Contains(part) => text.contains(part.as_str()),
                _ => false,
            },
            (Self::Kind(mask, _), value) => mask & value.mask() != 0,
            _ => false,
        }
    }
}

pub(crate) fn length(length: usize) -> i128 {
    i128::try_from(length).unwrap_or(i128::MAX)
}

fn widened(mask: u8) -> u8 {
    if mask & NUMBER != 0 { mask | NUMBER } else { mask }
}

/// A comparison of two scalars; `None` if CUE does not compare these kinds.
pub(crate) fn compare(op: Op, left: &Scalar, right: &Scalar) -> Option<bool> {
    let order = match (left, right) {
        (Scalar::Number(left), Scalar::Number(right)) => left.compare(*right),
        (Scalar::Text(left), Scalar::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        // Values of different kinds are different.
        _ => {
            return match op {
                Op::Equal => Some(left == right),
                Op::NotEqual => Some(left != right),
                _ => None,
            };
        }
    };
    Some(match op {
        Op::Equal => order.is_eq(),
        Op::NotEqual => order.is_ne(),
        Op::Less => order.is_lt(),
        Op::LessEqual => order.is_le(),
        Op::Greater => order.is_gt(),
        Op::GreaterEqual => order.is_ge(),
        _ => return None,
    })
}

/// What a vertex came to.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Pending,
    Struct,
    List {
        open: bool,
    },
    Scalar(Scalar),
    /// Conditions and the kinds that are left; no condition and all kinds is `_`.
    Open {
        constraints: Vec<Constraint>,
        mask: u8,
    },
    /// Several alternatives are left; the default, if there is exactly one.
    Choice(Option<VertexId>),
    Bottom(Bottom),
}

/// An expression in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Conjunct {
    pub(crate) expr: ExprId,
    pub(crate) env: usize,
}
