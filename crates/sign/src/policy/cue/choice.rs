//! Alternatives: which of them are left, and which is the default.

use std::collections::BTreeMap;

use super::ast::{Expr, ExprId, Op};
use super::eval::Machine;
use super::sum::Sum;
use super::value::{Bottom, Code, Conjunct, Outcome, VertexId};

const COMBINATIONS: usize = 64;
/// How deep a trial is looked into for fields that are missing.
const NESTING: usize = 16;

impl Machine<'_> {
    /// `a | *b | c` as a list of expressions, each with whether it is marked.
    pub(super) fn alternatives(&self, expr: ExprId) -> Vec<(ExprId, bool)> {
        match self.syntax.get(expr) {
            Expr::Binary(Op::Or, left, right) => {
                let mut found = self.alternatives(*left);
                found.extend(self.alternatives(*right));
                found
            }
            Expr::Unary(Op::Default, inner) => vec![(*inner, true)],
            Expr::Paren(inner) if matches!(self.syntax.get(*inner), Expr::Binary(Op::Or, ..)) => {
                self.alternatives(*inner)
            }
            _ => vec![(expr, false)],
        }
    }

    /// Whether a required field is missing below a vertex whose conditions contradict each other.
    fn misses_impossible(&mut self, id: VertexId, depth: usize) -> bool {
        if depth > NESTING || self.is_plain_data(id) {
            return false;
        }
        let arcs = self.at(id).map(|vertex| vertex.arcs.clone()).unwrap_or_default();
        arcs.into_iter().any(|(_, arc)| match self.at(arc).map(|arc| (arc.present, arc.required)) {
            Some((true, _)) => self.misses_impossible(arc, depth + 1),
            Some((false, true)) => {
                self.evaluate(arc);
                matches!(self.outcome(arc), Outcome::Bottom(error) if error.code == Code::Conflict)
            }
            _ => false,
        })
    }

    /// Tries all combinations of alternatives. `None` if exactly one is left, which is then adopted.
    pub(super) fn choose(&mut self, id: VertexId, sum: &Sum) -> Option<Outcome> {
        let open: Vec<(Conjunct, Vec<(ExprId, bool)>)> =
            sum.alternatives.iter().map(|conjunct| (*conjunct, self.alternatives(conjunct.expr))).collect();
        let total =
            open.iter().fold(1usize, |total, (_, alternatives)| total.saturating_mul(alternatives.len()));
        if total > COMBINATIONS {
            return Some(Outcome::Bottom(self.give_up("more than 64 combinations of alternatives")));
        }
        let (parent, label, conjuncts, base) = {
            let vertex = self.at(id)?;
            (vertex.parent, vertex.label.clone(), vertex.conjuncts.clone(), vertex.choices.clone())
        };
        let mut left: Vec<(VertexId, bool, BTreeMap<Conjunct, usize>)> = Vec::new();
        let mut failures = Vec::new();
        for combination in 0..total {
            let mut choices = base.clone();
            let mut rest = combination;
            let mut marked = true;
            for (conjunct, alternatives) in &open {
                let choice = rest % alternatives.len().max(1);
                rest /= alternatives.len().max(1);
                let any = alternatives.iter().any(|(_, marked)| *marked);
                marked &= !any || alternatives.get(choice).is_some_and(|(_, marked)| *marked);
                choices.insert(*conjunct, choice);
            }
            let any = open.iter().any(|(_, alternatives)| alternatives.iter().any(|(_, marked)| *marked));
            let trial = self.vertex(parent, label.clone());
            if let Some(vertex) = self.vertices.get_mut(trial) {
                vertex.conjuncts.clone_from(&conjuncts);
                vertex.choices.clone_from(&choices);
            }
            match self.first_conflict(trial) {
                Some((_, error)) => failures.push(error),
                None => {
                    if self.misses_impossible(trial, 0) {
                        // CUE takes some such alternatives away and keeps others.
                        self.give_up("a required field without a possible value among alternatives");
                    }
                    left.push((trial, any && marked, choices));
                }
            }
            if let Some(what) = &self.unsupported {
                return Some(Outcome::Bottom(Bottom::unsupported(what.clone())));
            }
        }
        // Equal scalars are one alternative.
        let mut distinct: Vec<(VertexId, bool, BTreeMap<Conjunct, usize>)> = Vec::new();
        for (trial, marked, choices) in left {
            let same =
                distinct.iter_mut().find(|(other, ..)| match (self.outcome(*other), self.outcome(trial)) {
                    (Outcome::Scalar(one), Outcome::Scalar(two)) => one.same(two),
                    _ => false,
                });
            match same {
                Some((_, other_marked, _)) => *other_marked |= marked,
                None => distinct.push((trial, marked, choices)),
            }
        }
        match distinct.len() {
            0 => {
                let count = failures.len();
                let message = format!("{count} errors in empty disjunction: (and {count} more errors)");
                Some(Outcome::Bottom(Bottom::conflict(message)))
            }
            1 => {
                let choices = distinct.pop().map(|(.., choices)| choices).unwrap_or_default();
                if let Some(vertex) = self.vertices.get_mut(id) {
                    vertex.choices = choices;
                }
                None
            }
            _ => {
                let marked: Vec<VertexId> =
                    distinct.iter().filter(|(_, marked, _)| *marked).map(|(trial, ..)| *trial).collect();
                Some(Outcome::Choice(match marked.as_slice() {
                    [one] => Some(*one),
                    _ => None,
                }))
            }
        }
    }
}
