//! What the expressions of one vertex have in common.

use super::ast::{Expr, ExprId, Item};
use super::eval::{Label, Machine};
use super::value::{ALL, Bottom, Code, Conjunct, Constraint, Outcome, STRUCT, Scalar, VertexId, kinds};

/// What a message shows: a text, or an expression that is printed when it is needed.
#[derive(Clone)]
pub(super) enum Shown {
    Expr(ExprId),
    Text(String),
}

/// What the expressions of one vertex come to, while they are looked through.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) scalars: Vec<Scalar>,
    pub(super) constraints: Vec<Constraint>,
    /// Kinds in the order they came, each with the text that asked for it.
    pub(super) kinds: Vec<(usize, u8, Shown)>,
    pub(super) structs: Vec<ExprId>,
    pub(super) lists: Vec<Conjunct>,
    /// With their place among the expressions.
    pub(super) later: Vec<(usize, Conjunct)>,
    /// The place of what is looked at, and the next free one.
    pub(super) place: Option<usize>,
    pub(super) places: usize,
    pub(super) each: Vec<(ExprId, usize, usize)>,
    pub(super) alternatives: Vec<Conjunct>,
    pub(super) errors: Vec<Bottom>,
    pub(super) seen: Vec<Conjunct>,
}

impl Sum {
    pub(super) fn kind(&mut self, mask: u8, shown: Shown) {
        self.kinds.push((self.place.unwrap_or(self.places), mask, shown));
    }

    pub(super) fn scalar(&mut self, scalar: Scalar) {
        self.kind(scalar.mask(), Shown::Text(scalar.print()));
        self.scalars.push(scalar);
    }

    pub(super) fn constraint(&mut self, constraint: Constraint) {
        self.kind(constraint.mask(), Shown::Text(constraint.print()));
        self.constraints.push(constraint);
    }
}

impl Machine<'_> {
    /// What the parts have in common.
    pub(super) fn conclude(&mut self, id: VertexId, mut sum: Sum) -> Outcome {
        let structs = std::mem::take(&mut sum.structs);
        sum.kinds.sort_by_key(|(place, ..)| *place);
        for expr in structs {
            sum.kinds.push((usize::MAX, STRUCT, Shown::Expr(expr)));
        }
        if let Some(vertex) = self.vertices.get_mut(id) {
            vertex.own = None;
        }
        if let Some(error) = sum.errors.iter().find(|error| error.code == Code::Unsupported) {
            self.unsupported.get_or_insert_with(|| error.message.clone());
            return Outcome::Bottom(error.clone());
        }
        if let Some(error) = sum.errors.iter().find(|error| error.code == Code::Conflict) {
            return Outcome::Bottom(error.clone());
        }
        let mut mask = ALL;
        let mut first: Option<(u8, Shown)> = None;
        for (_, kind, text) in &sum.kinds {
            if mask & kind == 0 {
                let (before, shown) = first.unwrap_or((ALL, Shown::Text("_".to_owned())));
                let (shown, text) = (self.show(&shown), self.show(text));
                let (one, two) = (kinds(before & mask), kinds(*kind));
                let message =
                    format!("conflicting values {shown} and {text} (mismatched types {one} and {two})");
                return Outcome::Bottom(Bottom::conflict(message));
            }
            mask &= kind;
            if first.is_none() {
                first = Some((*kind, text.clone()));
            }
        }
        let mut scalars = sum.scalars.iter();
        if let Some(first) = scalars.next() {
            if let Some(other) = scalars.find(|other| !other.same(first)) {
                let message = format!("conflicting values {} and {}", other.print(), first.print());
                return Outcome::Bottom(Bottom::conflict(message));
            }
            for constraint in &sum.constraints {
                if !constraint.admits(first) {
                    let reason = match constraint {
                        Constraint::Check(..) => format!("does not satisfy {}", constraint.print()),
                        _ => format!("out of bound {}", constraint.print()),
                    };
                    return Outcome::Bottom(Bottom::conflict(format!(
                        "invalid value {} ({reason})",
                        first.print()
                    )));
                }
            }
            let first = first.clone();
            self.keep(id, &sum);
            return Outcome::Scalar(first);
        }
        if let Some(error) = super::bounds::contradiction(&sum.constraints, mask) {
            return Outcome::Bottom(Bottom::conflict(error));
        }
        if !sum.lists.is_empty() {
            let lists = std::mem::take(&mut sum.lists);
            return match self.elements(id, &lists) {
                Ok(open) => {
                    if let Some(error) = self.check_list(id, open, &sum.constraints) {
                        return Outcome::Bottom(error);
                    }
                    self.keep(id, &sum);
                    Outcome::List { open }
                }
                Err(error) if error.code == Code::Incomplete => {
                    if let Some(vertex) = self.vertices.get_mut(id) {
                        vertex.own = Some(error.clone());
                    }
                    Outcome::Bottom(error)
                }
                Err(error) => Outcome::Bottom(error),
            };
        }
        let is_struct = sum.kinds.iter().any(|(_, kind, _)| *kind == STRUCT);
        if is_struct {
            if let Some(error) = self.check_fields(id, &sum.constraints) {
                return Outcome::Bottom(error);
            }
            self.keep(id, &sum);
            return Outcome::Struct;
        }
        if let Some(error) = sum.errors.into_iter().next() {
            if let Some(vertex) = self.vertices.get_mut(id) {
                vertex.own = Some(error.clone());
            }
            return Outcome::Bottom(error);
        }
        Outcome::Open { constraints: sum.constraints, mask }
    }

    fn show(&self, shown: &Shown) -> String {
        match shown {
            Shown::Expr(expr) => self.syntax.print(*expr),
            Shown::Text(text) => text.clone(),
        }
    }

    fn keep(&mut self, id: VertexId, sum: &Sum) {
        if let Some(vertex) = self.vertices.get_mut(id) {
            vertex.own = sum.errors.first().cloned();
        }
    }

    /// The elements that lists have in common; `Ok(true)` if more may follow.
    fn elements(&mut self, id: VertexId, lists: &[Conjunct]) -> Result<bool, Bottom> {
        let mut read: Vec<(Vec<Conjunct>, Option<Option<Conjunct>>)> = Vec::new();
        let mut waiting = None;
        for conjunct in lists {
            let syntax = self.syntax;
            let Expr::List { items, rest } = syntax.get(conjunct.expr) else { continue };
            let mut elements = Vec::new();
            let mut whole = true;
            for (at, item) in items.iter().enumerate() {
                match item {
                    Item::Value(expr) => elements.push(Conjunct { expr: *expr, env: conjunct.env }),
                    Item::Each(_) => match self.run_each(id, conjunct.expr, at, conjunct.env) {
                        Ok(bodies) => elements.extend(bodies),
                        Err(error) if error.code == Code::Incomplete => {
                            waiting.get_or_insert(error);
                            whole = false;
                        }
                        Err(error) => return Err(error),
                    },
                }
            }
            let rest = rest.map(|rest| rest.map(|expr| Conjunct { expr, env: conjunct.env }));
            if whole {
                read.push((elements, rest));
            }
        }
        let length = read.iter().map(|(elements, _)| elements.len()).max().unwrap_or(0);
        for (elements, rest) in &read {
            if rest.is_none() && elements.len() < length {
                // CUE counts the dots of an open list as an element.
                let longer = read.iter().find(|(other, _)| other.len() == length);
                let dots = usize::from(longer.is_some_and(|(_, rest)| rest.is_some()));
                let message = format!("incompatible list lengths ({} and {})", elements.len(), length + dots);
                return Err(Bottom::conflict(message));
            }
        }
        if let Some(error) = waiting {
            return Err(error);
        }
        for at in 0..length {
            let arc = self.arc(id, &Label::Index(at), true);
            for (elements, rest) in &read {
                if let Some(conjunct) = elements.get(at).copied().or(rest.flatten()) {
                    self.add(arc, conjunct);
                }
            }
        }
        if let Some(vertex) = self.vertices.get_mut(id) {
            vertex.length = length;
        }
        Ok(read.iter().all(|(_, rest)| rest.is_some()))
    }
}
