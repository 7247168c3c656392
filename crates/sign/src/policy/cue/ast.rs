//! The syntax of CUE as far as it is read here.

use std::cmp::Ordering;

pub(crate) type ExprId = usize;

/// A number: integers are exact, others 64-bit floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(&right),
            (left, right) => left.float().total_cmp(&right.float()),
        }
    }

    #[expect(clippy::as_conversions, reason = "an integer against a float is compared as floats are")]
    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Unify,
    Or,
    BoolOr,
    BoolAnd,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Match,
    NotMatch,
    Add,
    Subtract,
    Multiply,
    Divide,
    Not,
    Default,
}

impl Op {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Unify => "&",
            Self::Or => "|",
            Self::BoolOr => "||",
            Self::BoolAnd => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Match => "=~",
            Self::NotMatch => "!~",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply | Self::Default => "*",
            Self::Divide => "/",
            Self::Not => "!",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Bottom,
    Top,
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Interpolation(Vec<Part>),
    Name(String),
    Struct(Vec<Decl>),
    List { items: Vec<Item>, rest: Option<Option<ExprId>> },
    Unary(Op, ExprId),
    Binary(Op, ExprId, ExprId),
    Call(ExprId, Vec<ExprId>),
    Select(ExprId, String),
    Index(ExprId, ExprId),
    Paren(ExprId),
}

#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(String),
    Value(ExprId),
}

#[derive(Clone, Debug)]
pub(crate) enum Item {
    Value(ExprId),
    Each(Comprehension),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Regular,
    Optional,
    Required,
}

#[derive(Clone, Debug)]
pub(crate) enum Decl {
    /// `quoted` labels are in no scope.
    Field {
        name: String,
        quoted: bool,
        presence: Presence,
        value: ExprId,
    },
    Pattern {
        key: ExprId,
        value: ExprId,
    },
    Embed(ExprId),
    Each(Comprehension),
    Let(String, ExprId),
    Ellipsis,
}

#[derive(Clone, Debug)]
pub(crate) struct Comprehension {
    pub(crate) clauses: Vec<Clause>,
    /// A struct.
    pub(crate) body: ExprId,
}

#[derive(Clone, Debug)]
pub(crate) enum Clause {
    If(ExprId),
    For { key: Option<String>, value: String, source: ExprId },
    Let(String, ExprId),
}

/// A file: its expressions, the struct at its top, and its imports by local name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Syntax {
    pub(crate) exprs: Vec<Expr>,
    /// Byte offsets of the expressions in the source, for findings.
    pub(crate) offsets: Vec<usize>,
    pub(crate) imports: Vec<(String, String)>,
}

impl Syntax {
    pub(crate) fn add(&mut self, expr: Expr, offset: usize) -> ExprId {
        self.exprs.push(expr);
        self.offsets.push(offset);
        self.exprs.len() - 1
    }

    pub(crate) fn get(&self, id: ExprId) -> &Expr {
        self.exprs.get(id).unwrap_or(&Expr::Bottom)
    }

    /// The expression as CUE's messages print it.
    pub(crate) fn print(&self, id: ExprId) -> String {
        let mut out = String::new();
        self.write(id, &mut out, 0);
        out
    }

    fn write(&self, id: ExprId, out: &mut String, depth: usize) {
        if depth > 20 || out.len() > 2000 {
            out.push('…');
            return;
        }
        let next = depth + 1;
        match self.get(id) {
            Expr::Bottom => out.push_str("_|_"),
            Expr::Top => out.push('_'),
            Expr::Null => out.push_str("null"),
            Expr::Bool(value) => out.push_str(&value.to_string()),
            Expr::Number(number) => out.push_str(&print_number(*number)),
            Expr::Text(text) => out.push_str(&quote(text)),
            Expr::Interpolation(_) => out.push_str("\"…\""),
            Expr::Name(name) => out.push_str(name),
            Expr::Struct(decls) => {
                out.push('{');
                for (at, decl) in decls.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.write_decl(decl, out, next);
                }
                out.push('}');
            }
            Expr::List { items, rest } => {
                out.push('[');
                let mut first = true;
                for item in items {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    match item {
                        Item::Value(value) => self.write(*value, out, next),
                        Item::Each(_) => out.push_str("for …"),
                    }
                }
                if let Some(rest) = rest {
                    if !first {
                        out.push(',');
                    }
                    out.push_str("...");
                    if let Some(rest) = rest {
                        self.write(*rest, out, next);
                    }
                }
                out.push(']');
            }
            Expr::Unary(op, value) => {
                out.push_str(op.text());
                self.write(*value, out, next);
            }
            Expr::Binary(op, left, right) => {
                let plain = matches!(op, Op::Unify);
                if !plain {
                    out.push('(');
                }
                self.write(*left, out, next);
                out.push_str(&format!(" {} ", op.text()));
                self.write(*right, out, next);
                if !plain {
                    out.push(')');
                }
            }
            Expr::Call(function, arguments) => {
                self.write(*function, out, next);
                out.push('(');
                for (at, argument) in arguments.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    self.write(*argument, out, next);
                }
                out.push(')');
            }
            Expr::Select(base, name) => {
                self.write(*base, out, next);
                out.push('.');
                out.push_str(name);
            }
            Expr::Index(base, index) => {
                self.write(*base, out, next);
                out.push('[');
                self.write(*index, out, next);
                out.push(']');
            }
            Expr::Paren(inner) => self.write(*inner, out, next),
        }
    }

    fn write_decl(&self, decl: &Decl, out: &mut String, depth: usize) {
        match decl {
            Decl::Field { name, presence, value, .. } => {
                out.push_str(&print_label(name));
                out.push_str(match presence {
                    Presence::Regular => ":",
                    Presence::Optional => "?:",
                    Presence::Required => "!:",
                });
                self.write(*value, out, depth);
            }
            Decl::Pattern { key, value } => {
                out.push('[');
                self.write(*key, out, depth);
                out.push_str("]:");
                self.write(*value, out, depth);
            }
            Decl::Embed(value) => self.write(*value, out, depth),
            Decl::Each(_) => out.push_str("if …"),
            Decl::Let(name, value) => {
                out.push_str("let ");
                out.push_str(name);
                out.push('=');
                self.write(*value, out, depth);
            }
            Decl::Ellipsis => out.push_str("..."),
        }
    }
}

pub(crate) fn print_number(number: Number) -> String {
    match number {
        Number::Int(int) => int.to_string(),
        Number::Float(float) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.1}"),
        Number::Float(float) => float.to_string(),
    }
}

pub(crate) fn print_label(name: &str) -> String {
    let plain = name.chars().all(|character| {
        character == '_' || character == '#' || character == '$' || character.is_alphanumeric()
    });
    if plain && !name.starts_with(|character: char| character.is_ascii_digit()) && !name.is_empty() {
        name.to_owned()
    } else {
        quote(name)
    }
}

pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
