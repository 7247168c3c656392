//! Expressions that need values: names, selectors, operators, comprehensions.

use super::ast::{Decl, Expr, ExprId, Number, Op, Part, print_number};
use super::builtin;
use super::eval::{Env, Label, Machine, Scope, State, is_hidden};
use super::scope::declared;
use super::value::{
    ALL, BOOL, BYTES, Bottom, Code, Conjunct, Constraint, FLOAT, INT, LIST, NULL, NUMBER, Outcome, STRUCT,
    Scalar, TEXT, VertexId, compare, kinds,
};
use crate::policy::regexp::{GoRegex, RegexError};

/// What an expression came to.
pub(crate) enum Found {
    Scalar(Scalar),
    Constraint(Constraint),
    Vertex { vertex: VertexId, definition: bool },
}

impl Machine<'_> {
    pub(crate) fn compute(&mut self, expr: ExprId, env: usize) -> Result<Found, Bottom> {
        let syntax = self.syntax;
        match syntax.get(expr) {
            Expr::Paren(inner) => self.compute(*inner, env),
            Expr::Name(name) => self.name(name, env),
            Expr::Select(base, name) => self.select(*base, name, env),
            Expr::Index(base, index) => self.index(*base, *index, env),
            Expr::Call(function, arguments) => builtin::call(self, *function, arguments, env),
            Expr::Unary(op, value) => self.unary(*op, *value, env),
            Expr::Binary(op, left, right) => self.binary(*op, *left, *right, env),
            Expr::Interpolation(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(part) => text.push_str(part),
                        Part::Value(value) => match self.concrete(*value, env, "interpolation")? {
                            Scalar::Text(part) => text.push_str(&part),
                            Scalar::Number(number) => text.push_str(&print_number(number)),
                            Scalar::Bool(value) => text.push_str(&value.to_string()),
                            Scalar::Null => {
                                return Err(Bottom::conflict(
                                    "invalid interpolation: cannot use null (type null) as type (bool|string|bytes|number)",
                                ));
                            }
                        },
                    }
                }
                Ok(Found::Scalar(Scalar::Text(text)))
            }
            _ => Ok(Found::Vertex { vertex: self.anonymous(expr, env), definition: false }),
        }
    }

    /// A vertex of its own for an expression.
    pub(super) fn anonymous(&mut self, expr: ExprId, env: usize) -> VertexId {
        let parent = self.envs.get(env).map(|env| env.vertex);
        let vertex = self.vertex(parent, None);
        self.add(vertex, Conjunct { expr, env });
        vertex
    }

    /// A vertex with the value of an expression, evaluated.
    pub(crate) fn operand(&mut self, expr: ExprId, env: usize) -> Result<VertexId, Bottom> {
        let vertex = match self.syntax.get(expr) {
            Expr::Name(_) | Expr::Select(..) | Expr::Index(..) => match self.compute(expr, env)? {
                Found::Vertex { vertex, .. } => vertex,
                _ => self.anonymous(expr, env),
            },
            Expr::Paren(inner) => return self.operand(*inner, env),
            _ => self.anonymous(expr, env),
        };
        self.evaluate(vertex);
        if let Some(what) = &self.unsupported {
            return Err(Bottom::unsupported(what.clone()));
        }
        match self.outcome(vertex) {
            Outcome::Bottom(error) => Err(error.clone()),
            Outcome::Pending => Err(self.give_up("a field that depends on itself")),
            Outcome::Choice(Some(default)) => Ok(*default),
            Outcome::Choice(None) => Err(self.give_up("a value that may still be one of several")),
            _ => match self.at(vertex).and_then(|vertex| vertex.own.clone()) {
                Some(_) if matches!(self.outcome(vertex), Outcome::Scalar(_)) => {
                    Err(self.give_up("a value beside something incomplete"))
                }
                Some(error) => Err(error),
                None => Ok(vertex),
            },
        }
    }

    /// The scalar that an expression is; anything else is not concrete, or an error.
    pub(crate) fn concrete(&mut self, expr: ExprId, env: usize, role: &str) -> Result<Scalar, Bottom> {
        let vertex = self.operand(expr, env)?;
        let accepted = match role {
            "&&" | "||" | "!" | "if" => BOOL,
            "-" | "*" | "/" | "div" | "mod" | "quo" | "rem" => NUMBER | TEXT,
            "+" | "<" | "<=" | ">" | ">=" => NUMBER | TEXT | BYTES,
            "=~" | "!~" => TEXT | BYTES,
            "index" => INT | TEXT,
            "==" | "!=" => ALL,
            _ => NUMBER | TEXT | BYTES | BOOL | NULL,
        };
        match self.outcome(vertex) {
            Outcome::Open { mask, .. } if mask & accepted == 0 => {
                let (shown, kind) = (self.shape(vertex), kinds(*mask));
                Err(Bottom::conflict(format!("cannot use {shown} (type {kind}) in operand to {role}")))
            }
            Outcome::Scalar(scalar) => Ok(scalar.clone()),
            Outcome::Struct => Err(Bottom::conflict(format!(
                "invalid operand {} to {role} (type struct)",
                self.syntax.print(expr)
            ))),
            Outcome::List { .. } => Err(Bottom::conflict(format!(
                "invalid operand {} to {role} (type list)",
                self.syntax.print(expr)
            ))),
            _ => Err(Bottom::incomplete(format!(
                "non-concrete value {} in operand to {role}",
                self.shape(vertex)
            ))),
        }
    }

    /// A value as messages show it.
    pub(crate) fn shape(&self, vertex: VertexId) -> String {
        match self.outcome(vertex) {
            Outcome::Scalar(scalar) => scalar.print(),
            Outcome::Open { constraints, mask } if constraints.is_empty() => kinds(*mask),
            Outcome::Open { constraints, .. } => {
                constraints.iter().map(Constraint::print).collect::<Vec<_>>().join(" & ")
            }
            Outcome::Struct => "{…}".to_owned(),
            Outcome::List { .. } if self.at(vertex).is_some_and(|list| list.length == 0) => "[]".to_owned(),
            Outcome::List { .. } => "[…]".to_owned(),
            _ => "_".to_owned(),
        }
    }

    fn name(&mut self, name: &str, env: usize) -> Result<Found, Bottom> {
        let syntax = self.syntax;
        let mut at = Some(env);
        while let Some(env) = at {
            let Some(Env { up, vertex, scope }) = self.envs.get(env) else { break };
            let (up, vertex) = (*up, *vertex);
            match scope {
                Scope::Names(names) => {
                    if let Some((_, bound)) = names.iter().find(|(bound, _)| bound == name) {
                        return Ok(Found::Vertex { vertex: *bound, definition: false });
                    }
                }
                Scope::Struct(expr) => {
                    let Expr::Struct(decls) = syntax.get(*expr) else { break };
                    let value = decls.iter().find_map(|decl| match decl {
                        Decl::Let(bound, value) if bound == name => Some(*value),
                        _ => None,
                    });
                    if let Some(value) = value {
                        let bound = match self.lets.get(&(value, env)) {
                            Some(&bound) => bound,
                            None => {
                                let bound = self.anonymous(value, env);
                                self.lets.insert((value, env), bound);
                                bound
                            }
                        };
                        return Ok(Found::Vertex { vertex: bound, definition: false });
                    }
                    if declared(decls).any(|declared| declared == name) {
                        let arc = self.arc(vertex, &Label::field(name, false), false);
                        self.readable(arc, name)?;
                        let definition = name.starts_with('#') || name.starts_with("_#");
                        return Ok(Found::Vertex { vertex: arc, definition });
                    }
                }
            }
            at = up;
        }
        self.predeclared(name)
    }

    /// That a field may be referred to. One that is required and missing is not there for whoever computes with it; where it
    /// stands as a condition, [`missing_condition`](Self::missing_condition) has a word.
    fn readable(&mut self, arc: VertexId, name: &str) -> Result<(), Bottom> {
        let state = self.at(arc).map(|arc| (arc.present, arc.required));
        match state {
            Some((true, _)) => Ok(()),
            Some((false, true)) => {
                self.missing = Some(name.to_owned());
                Err(Bottom::incomplete(format!("required field missing: {name}")))
            }
            _ => Err(Bottom::incomplete(format!("cannot reference optional field: {name}"))),
        }
    }

    /// A condition that could not be computed: whether it is itself the name of a required field that is missing. CUE then takes over
    /// what is said of the field, in most places; only CUE says where.
    pub(super) fn missing_condition(&mut self, expr: ExprId, env: usize) -> Option<Bottom> {
        let name = self.missing.clone()?;
        let itself = match self.syntax.get(expr) {
            Expr::Paren(inner) => return self.missing_condition(*inner, env),
            Expr::Name(_) => true,
            Expr::Select(base, _) => self.base(*base, env).is_ok(),
            _ => false,
        };
        itself.then(|| self.give_up(&format!("the required field {name}, which is missing, as a condition")))
    }

    fn predeclared(&mut self, name: &str) -> Result<Found, Bottom> {
        let mask = match name {
            "string" => TEXT,
            "bytes" => BYTES,
            "bool" => BOOL,
            "int" => INT,
            "float" => FLOAT,
            "number" => NUMBER,
            "null" => return Ok(Found::Scalar(Scalar::Null)),
            "uint" => return Ok(Found::Vertex { vertex: self.range(Some(0), None), definition: false }),
            "int8" => return Ok(self.bits(-128, 127)),
            "uint8" => return Ok(self.bits(0, 255)),
            "int16" => return Ok(self.bits(-(1 << 15), (1 << 15) - 1)),
            "uint16" => return Ok(self.bits(0, (1 << 16) - 1)),
            "int32" | "rune" if name == "int32" => return Ok(self.bits(-(1 << 31), (1 << 31) - 1)),
            "uint32" => return Ok(self.bits(0, (1 << 32) - 1)),
            "int64" => return Ok(self.bits(-(1 << 63), (1 << 63) - 1)),
            "uint64" => return Ok(self.bits(0, (1 << 64) - 1)),
            other => return Err(self.give_up(&format!("the name {other}"))),
        };
        Ok(Found::Constraint(Constraint::Kind(mask, name.to_owned())))
    }

    fn bits(&mut self, low: i128, high: i128) -> Found {
        Found::Vertex { vertex: self.range(Some(low), Some(high)), definition: false }
    }

    /// An integer within bounds, which takes several conditions: a vertex cannot hold them as syntax, so this version refuses.
    fn range(&mut self, _low: Option<i128>, _high: Option<i128>) -> VertexId {
        self.give_up("an integer type of limited size");
        self.vertex(None, None)
    }

    fn select(&mut self, base: ExprId, name: &str, env: usize) -> Result<Found, Bottom> {
        if let Expr::Name(import) = self.syntax.get(base)
            && self.syntax.imports.iter().any(|(local, _)| local == import)
        {
            return builtin::constant(self, import, name);
        }
        let base_vertex = self.base(base, env)?;
        let label = Label::field(name, false);
        let found = self.at(base_vertex).and_then(|vertex| vertex.by_label.get(&label)).copied();
        match found {
            Some(arc) => {
                self.readable(arc, name)?;
                Ok(Found::Vertex { vertex: arc, definition: name.starts_with('#') })
            }
            None if self.at(base_vertex).is_some_and(|vertex| vertex.state == State::Busy) => {
                Err(self.give_up("a field of something that is not known yet"))
            }
            None => match self.outcome(base_vertex) {
                Outcome::Open { mask, .. } if mask & STRUCT == 0 => {
                    let (shown, kind) = (self.syntax.print(base), kinds(*mask));
                    Err(Bottom::conflict(format!(
                        "invalid operand {shown} (found {kind}, want list or struct)"
                    )))
                }
                Outcome::Open { mask, .. } if *mask == STRUCT => {
                    Err(self.give_up("a field of a struct that only a condition describes"))
                }
                Outcome::Scalar(_) | Outcome::List { .. } => {
                    let shown = self.shape(base_vertex);
                    Err(Bottom::conflict(format!("invalid selector .{name} on {shown}")))
                }
                _ => Err(Bottom::incomplete(format!("undefined field: {name}"))),
            },
        }
    }

    /// What a selector looks into: evaluated, or just being evaluated.
    fn base(&mut self, expr: ExprId, env: usize) -> Result<VertexId, Bottom> {
        let vertex = match self.compute(expr, env)? {
            Found::Vertex { vertex, .. } => vertex,
            _ => self.anonymous(expr, env),
        };
        if self.at(vertex).is_some_and(|vertex| vertex.state == State::Fresh) {
            self.evaluate(vertex);
        }
        let vertex = match self.outcome(vertex) {
            Outcome::Choice(Some(default)) => *default,
            _ => vertex,
        };
        match self.outcome(vertex) {
            Outcome::Bottom(error) if self.at(vertex).is_some_and(|vertex| vertex.arcs.is_empty()) => {
                match error.code {
                    Code::Incomplete => Err(self.give_up("a field of something incomplete")),
                    _ => Err(error.clone()),
                }
            }
            Outcome::Choice(_) => Err(self.give_up("a value that may still be one of several")),
            _ => Ok(vertex),
        }
    }

    fn index(&mut self, base: ExprId, index: ExprId, env: usize) -> Result<Found, Bottom> {
        match self.concrete(index, env, "index")? {
            Scalar::Text(name) => self.select(base, &name, env),
            Scalar::Number(Number::Int(at)) => {
                let vertex = self.base(base, env)?;
                let at = usize::try_from(at).map_err(|_| Bottom::conflict("index out of range"))?;
                let found =
                    self.at(vertex).and_then(|vertex| vertex.by_label.get(&Label::Index(at))).copied();
                match (found, self.outcome(vertex)) {
                    (Some(arc), _) => Ok(Found::Vertex { vertex: arc, definition: false }),
                    (None, Outcome::List { open: false }) => {
                        let length = self.at(vertex).map_or(0, |vertex| vertex.length);
                        Err(Bottom::conflict(format!("index out of range [{at}] with length {length}")))
                    }
                    (None, Outcome::Open { mask, .. }) if mask & LIST == 0 => {
                        let (shown, kind) = (self.syntax.print(base), kinds(*mask));
                        Err(Bottom::conflict(format!(
                            "invalid operand {shown} (found {kind}, want list or struct)"
                        )))
                    }
                    (None, Outcome::Open { mask, .. }) if *mask == LIST => {
                        Err(self.give_up("an element of a list that only a condition describes"))
                    }
                    (None, Outcome::Struct) => Err(self.give_up("an element of a struct by number")),
                    (None, Outcome::Scalar(_)) => {
                        Err(Bottom::conflict(format!("invalid index {at} on {}", self.shape(vertex))))
                    }
                    (None, _) => Err(Bottom::incomplete(format!("undefined field: {at}"))),
                }
            }
            other => Err(Bottom::conflict(format!("invalid index {}", other.print()))),
        }
    }

    fn unary(&mut self, op: Op, value: ExprId, env: usize) -> Result<Found, Bottom> {
        match op {
            Op::Not => match self.concrete(value, env, "!")? {
                Scalar::Bool(value) => Ok(Found::Scalar(Scalar::Bool(!value))),
                other => Err(Bottom::conflict(format!("invalid operand {} to '!'", other.print()))),
            },
            Op::Subtract | Op::Add => match (op, self.concrete(value, env, op.text())?) {
                (Op::Subtract, Scalar::Number(Number::Int(int))) => {
                    Ok(Found::Scalar(Scalar::Number(Number::Int(-int))))
                }
                (Op::Subtract, Scalar::Number(Number::Float(float))) => {
                    Ok(Found::Scalar(Scalar::Number(Number::Float(-float))))
                }
                (_, Scalar::Number(number)) => Ok(Found::Scalar(Scalar::Number(number))),
                (_, other) => {
                    Err(Bottom::conflict(format!("invalid operand {} to '{}'", other.print(), op.text())))
                }
            },
            Op::Match | Op::NotMatch => match self.concrete(value, env, op.text())? {
                Scalar::Text(pattern) => match GoRegex::new(&pattern) {
                    Ok(regex) => Ok(Found::Constraint(Constraint::Regex(op == Op::NotMatch, regex))),
                    Err(RegexError::Invalid(reason)) => {
                        Err(Bottom::conflict(format!("invalid regexp: {reason}")))
                    }
                    Err(RegexError::Unsupported(what)) => Err(self.give_up(&what)),
                },
                other => Err(Bottom::conflict(format!(
                    "cannot use {} for regular expression bound",
                    other.print()
                ))),
            },
            _ => {
                if matches!(self.syntax.get(value), Expr::Bottom) {
                    return Err(self.give_up("a bound on _|_"));
                }
                match self.concrete(value, env, op.text())? {
                    Scalar::Bool(_) | Scalar::Null if op != Op::NotEqual => Err(Bottom::conflict(format!(
                        "cannot use a value of this kind for bound {}",
                        op.text()
                    ))),
                    scalar => Ok(Found::Constraint(Constraint::Bound(op, scalar))),
                }
            }
        }
    }

    fn binary(&mut self, op: Op, left: ExprId, right: ExprId, env: usize) -> Result<Found, Bottom> {
        if matches!(op, Op::Equal | Op::NotEqual) {
            let literal = |expr| matches!(self.syntax.get(expr), Expr::Bottom);
            let other = if literal(right) {
                Some(left)
            } else if literal(left) {
                Some(right)
            } else {
                None
            };
            if let Some(other) = other {
                // Whether a value is there at all.
                if self.is_reference(other) && self.compute(other, env).is_err() && self.unsupported.is_none()
                {
                    return Ok(Found::Scalar(Scalar::Bool(op == Op::Equal)));
                }
                let exists = match self.operand(other, env) {
                    Err(error) if error.code == Code::Incomplete => {
                        return Err(self.give_up("a comparison with _|_ of what is not complete"));
                    }
                    Ok(vertex) => {
                        // A kind or a bound alone counts as no value, `_` as one.
                        let vague = matches!(self.outcome(vertex), Outcome::Open { constraints, .. } if !constraints.is_empty());
                        !vague
                            && self.at(vertex).is_some_and(|vertex| vertex.present)
                            && self.first_conflict(vertex).is_none()
                    }
                    Err(_) => false,
                };
                if let Some(what) = &self.unsupported {
                    return Err(Bottom::unsupported(what.clone()));
                }
                return Ok(Found::Scalar(Scalar::Bool(exists == (op == Op::NotEqual))));
            }
        }
        let truth = |value: Scalar| match value {
            Scalar::Bool(value) => Ok(value),
            other => Err(Bottom::conflict(format!("invalid operand {} to '{}'", other.print(), op.text()))),
        };
        let answer = match op {
            Op::BoolAnd => {
                truth(self.concrete(left, env, "&&")?)? && truth(self.concrete(right, env, "&&")?)?
            }
            Op::BoolOr => truth(self.concrete(left, env, "||")?)? || truth(self.concrete(right, env, "||")?)?,
            Op::Match | Op::NotMatch => {
                let (text, pattern) =
                    (self.concrete(left, env, op.text())?, self.concrete(right, env, op.text())?);
                let (Scalar::Text(text), Scalar::Text(pattern)) = (&text, &pattern) else {
                    return Err(mismatch(op, &text, &pattern));
                };
                match GoRegex::new(pattern) {
                    Ok(regex) => regex.matches(text) == (op == Op::Match),
                    Err(RegexError::Invalid(reason)) => {
                        return Err(Bottom::conflict(format!("invalid regexp: {reason}")));
                    }
                    Err(RegexError::Unsupported(what)) => return Err(self.give_up(&what)),
                }
            }
            Op::Equal | Op::NotEqual | Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
                let (one, two) = (self.operand(left, env)?, self.operand(right, env)?);
                let composite = |machine: &Self, vertex| {
                    matches!(machine.outcome(vertex), Outcome::Struct | Outcome::List { .. })
                };
                if composite(self, one) || composite(self, two) {
                    return Err(self.give_up("a comparison of lists or structs"));
                }
                let (one, two) =
                    (self.concrete(left, env, op.text())?, self.concrete(right, env, op.text())?);
                match compare(op, &one, &two) {
                    Some(answer) => answer,
                    None => return Err(mismatch(op, &one, &two)),
                }
            }
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide => {
                let (one, two) =
                    (self.concrete(left, env, op.text())?, self.concrete(right, env, op.text())?);
                return self.arithmetic(op, &one, &two);
            }
            _ => return Ok(Found::Vertex { vertex: self.anonymous(left, env), definition: false }),
        };
        Ok(Found::Scalar(Scalar::Bool(answer)))
    }

    fn is_reference(&self, expr: ExprId) -> bool {
        matches!(self.syntax.get(expr), Expr::Name(_) | Expr::Select(..) | Expr::Index(..))
    }

    fn arithmetic(&mut self, op: Op, left: &Scalar, right: &Scalar) -> Result<Found, Bottom> {
        let number = match (op, left, right) {
            (Op::Add, Scalar::Text(left), Scalar::Text(right)) => {
                return Ok(Found::Scalar(Scalar::Text(format!("{left}{right}"))));
            }
            (op, Scalar::Number(Number::Int(left)), Scalar::Number(Number::Int(right))) => match op {
                Op::Add => left.checked_add(*right),
                Op::Subtract => left.checked_sub(*right),
                Op::Multiply => left.checked_mul(*right),
                _ => None,
            },
            (_, Scalar::Number(_), Scalar::Number(_)) => None,
            _ => return Err(mismatch(op, left, right)),
        };
        match number {
            Some(number) => Ok(Found::Scalar(Scalar::Number(Number::Int(number)))),
            None => Err(self.give_up("arithmetic other than with integers")),
        }
    }

    /// Whether a vertex has fields besides hidden ones.
    pub(crate) fn field_count(&self, vertex: VertexId) -> usize {
        self.fields(vertex).iter().filter(|(name, _)| !is_hidden(name)).count()
    }
}

fn mismatch(op: Op, left: &Scalar, right: &Scalar) -> Bottom {
    let (one, two) = (kinds(left.mask()), kinds(right.mask()));
    Bottom::conflict(format!(
        "invalid operands {} and {} to '{}' (type {one} and {two})",
        left.print(),
        right.print(),
        op.text()
    ))
}
