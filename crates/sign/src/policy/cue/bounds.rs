//! Conditions that exclude each other, and conditions on lists and structs.

use super::ast::{Number, Op};
use super::eval::Machine;
use super::value::{Bottom, Check, Constraint, FLOAT, INT, Outcome, Scalar, VertexId, length};

/// Bounds that leave no number or text at all, as CUE notices it without a value.
pub(crate) fn contradiction(constraints: &[Constraint], mask: u8) -> Option<String> {
    let bounds: Vec<(Op, &Scalar)> = constraints
        .iter()
        .filter_map(|constraint| match constraint {
            Constraint::Bound(op, scalar) => Some((*op, scalar)),
            _ => None,
        })
        .collect();
    for (low_op, low) in &bounds {
        for (high_op, high) in &bounds {
            if !matches!(low_op, Op::Greater | Op::GreaterEqual)
                || !matches!(high_op, Op::Less | Op::LessEqual)
            {
                continue;
            }
            let both = *low_op == Op::GreaterEqual && *high_op == Op::LessEqual;
            let empty = match (low, high) {
                (Scalar::Number(low), Scalar::Number(high)) => {
                    let order = low.compare(*high);
                    let whole = mask & (INT | FLOAT) == INT;
                    let gap = match (low, high) {
                        (Number::Int(low), Number::Int(high)) if whole => {
                            let first = if *low_op == Op::Greater { low + 1 } else { *low };
                            let last = if *high_op == Op::Less { high - 1 } else { *high };
                            first > last
                        }
                        _ => false,
                    };
                    order.is_gt() || (order.is_eq() && !both) || gap
                }
                (Scalar::Text(low), Scalar::Text(high)) => {
                    let order = low.as_bytes().cmp(high.as_bytes());
                    order.is_gt() || (order.is_eq() && !both)
                }
                _ => false,
            };
            if empty {
                return Some(format!(
                    "incompatible number bounds {}{} and {}{}",
                    low_op.text(),
                    low.print(),
                    high_op.text(),
                    high.print()
                ));
            }
        }
    }
    None
}

impl Machine<'_> {
    /// Conditions on a list; one that is open may still grow.
    pub(crate) fn check_list(
        &mut self,
        id: VertexId,
        open: bool,
        constraints: &[Constraint],
    ) -> Option<Bottom> {
        let count = length(self.at(id).map_or(0, |list| list.length));
        for constraint in constraints {
            let Constraint::Check(check, name) = constraint else { continue };
            let reason = match check {
                Check::MinItems(least) if count < *least && !open => {
                    format!("len(list) < MinItems({least}) ({count} < {least})")
                }
                Check::MaxItems(most) if count > *most => {
                    format!("len(list) > MaxItems({most}) ({count} > {most})")
                }
                Check::UniqueItems if self.repeats(id)? => "equal values at two positions".to_owned(),
                _ => continue,
            };
            let shown = self.shape(id);
            return Some(Bottom::conflict(format!(
                "invalid value {shown} (does not satisfy {name}): {reason}"
            )));
        }
        None
    }

    /// Whether two elements are equal scalars; `None` if they are not all scalars, which is given up on.
    fn repeats(&mut self, id: VertexId) -> Option<bool> {
        let arcs = self.at(id).map(|list| list.arcs.clone()).unwrap_or_default();
        let mut seen: Vec<Scalar> = Vec::new();
        for (_, arc) in arcs {
            self.evaluate(arc);
            match self.outcome(arc) {
                Outcome::Scalar(scalar) => {
                    if seen.iter().any(|other| other.same(scalar)) {
                        return Some(true);
                    }
                    seen.push(scalar.clone());
                }
                _ => {
                    self.give_up("list.UniqueItems of lists or structs");
                    return None;
                }
            }
        }
        Some(false)
    }

    /// Conditions on a struct. A struct that is not closed may still get fields: too few never are an error.
    pub(crate) fn check_fields(&mut self, id: VertexId, constraints: &[Constraint]) -> Option<Bottom> {
        let count = length(self.field_count(id));
        for constraint in constraints {
            if let Constraint::Check(Check::MaxFields(most), name) = constraint
                && count > *most
            {
                let reason = format!("len(fields) > MaxFields({most}) ({count} > {most})");
                return Some(Bottom::conflict(format!(
                    "invalid value {{…}} (does not satisfy {name}): {reason}"
                )));
            }
        }
        None
    }
}
