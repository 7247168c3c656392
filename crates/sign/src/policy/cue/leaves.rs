//! The fields that a rule has conditions on.

use super::Rule;
use super::ast::{Decl, Expr, ExprId, Number, Op, print_number};
use crate::policy::json::Json;

const COUNT: usize = 200;

/// A field with a condition.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) path: Vec<String>,
    /// A field of the rule's own (`_a`, `#A`, a `let`).
    pub(crate) hidden: bool,
    /// The condition is `_`: nothing is asked.
    pub(crate) anything: bool,
    /// Values that the condition names.
    pub(crate) literals: Vec<Json>,
    /// Regular expressions that it names.
    pub(crate) patterns: Vec<String>,
    offset: usize,
}

impl Leaf {
    /// The line of the rule that the condition stands on.
    pub(crate) fn line(&self, source: &str) -> String {
        let before = source.get(..self.offset).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim().to_owned()
    }
}

impl Rule {
    /// Every field without fields of its own that the rule has something to say about, in its order.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.collect(self.top, &mut Vec::new(), false, &mut leaves);
        leaves
    }

    fn collect(&self, expr: ExprId, path: &mut Vec<String>, hidden: bool, leaves: &mut Vec<Leaf>) {
        if leaves.len() >= COUNT {
            return;
        }
        match self.syntax.get(expr) {
            Expr::Paren(inner) => self.collect(*inner, path, hidden, leaves),
            Expr::Struct(decls) if path.is_empty() || has_fields(decls) => {
                for decl in decls {
                    if let Decl::Field { name, quoted, value, .. } = decl {
                        let hidden = hidden || (!quoted && name.starts_with(['_', '#']));
                        path.push(name.clone());
                        self.collect(*value, path, hidden, leaves);
                        path.pop();
                    }
                }
            }
            Expr::Binary(Op::Unify, left, right) if self.is_struct(*left) && self.is_struct(*right) => {
                self.collect(*left, path, hidden, leaves);
                self.collect(*right, path, hidden, leaves);
            }
            other => {
                // One entry for each field, wherever its conditions stand.
                let mut leaf = Leaf {
                    path: path.clone(),
                    hidden,
                    anything: matches!(other, Expr::Top),
                    literals: Vec::new(),
                    patterns: Vec::new(),
                    offset: self.syntax.offsets.get(expr).copied().unwrap_or(0),
                };
                self.values(expr, &mut leaf, 0);
                match leaves.iter_mut().find(|known| known.path == leaf.path && known.hidden == leaf.hidden) {
                    Some(known) => {
                        known.anything &= leaf.anything;
                        known.literals.extend(leaf.literals);
                        known.patterns.extend(leaf.patterns);
                    }
                    None => leaves.push(leaf),
                }
            }
        }
    }

    fn is_struct(&self, expr: ExprId) -> bool {
        matches!(self.syntax.get(expr), Expr::Struct(_))
    }

    /// Values and patterns that a condition names.
    fn values(&self, expr: ExprId, leaf: &mut Leaf, depth: usize) {
        if depth > 20 {
            return;
        }
        let step = |number: &Number, by: i128| match number {
            Number::Int(int) => Json::Number((int + by).to_string()),
            float => Json::Number(print_number(*float)),
        };
        match self.syntax.get(expr) {
            Expr::Text(text) => leaf.literals.push(Json::text(text)),
            Expr::Number(number) => leaf.literals.push(step(number, 0)),
            Expr::Bool(value) => leaf.literals.push(Json::Bool(*value)),
            Expr::Null => leaf.literals.push(Json::Null),
            Expr::Struct(_) => leaf.literals.push(Json::Object(Vec::new())),
            Expr::List { items, .. } => {
                let mut list = Vec::new();
                for item in items {
                    if let super::ast::Item::Value(value) = item {
                        let mut inner = Leaf { literals: Vec::new(), patterns: Vec::new(), ..leaf.clone() };
                        self.values(*value, &mut inner, depth + 1);
                        list.push(inner.literals.into_iter().next().unwrap_or(Json::Object(Vec::new())));
                    }
                }
                if list.is_empty() {
                    list.push(Json::Object(vec![("name".to_owned(), Json::text("a"))]));
                }
                leaf.literals.push(Json::Array(list));
            }
            Expr::Unary(op, value) => match (op, self.syntax.get(*value)) {
                (Op::Match, Expr::Text(pattern)) => leaf.patterns.push(pattern.clone()),
                (Op::Greater, Expr::Number(number)) => leaf.literals.push(step(number, 1)),
                (Op::Less, Expr::Number(number)) => leaf.literals.push(step(number, -1)),
                (Op::GreaterEqual | Op::LessEqual, Expr::Number(number)) => {
                    leaf.literals.push(step(number, 0))
                }
                (Op::NotEqual, Expr::Text(text)) => leaf.literals.push(Json::text(format!("{text}x"))),
                (Op::Default, _) => self.values(*value, leaf, depth + 1),
                _ => {}
            },
            Expr::Binary(Op::Unify | Op::Or, left, right) => {
                self.values(*left, leaf, depth + 1);
                self.values(*right, leaf, depth + 1);
            }
            Expr::Paren(inner) => self.values(*inner, leaf, depth + 1),
            _ => {}
        }
    }
}

fn has_fields(decls: &[Decl]) -> bool {
    decls.iter().any(|decl| matches!(decl, Decl::Field { .. }))
}
