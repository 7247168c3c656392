//! Evaluation: every field is a vertex that collects expressions, and is what these have in common.

use std::collections::BTreeMap;

use super::ast::{Decl, Expr, ExprId, Op, Presence, Syntax, print_label};
use super::value::{Bottom, Code, Conjunct, LIST, Outcome, Scalar, VertexId};

use super::scope::PREDECLARED;
use super::sum::{Shown, Sum};

const VERTICES: usize = 2_000_000;
const STEPS: usize = 2_000_000;
const RESETS: usize = 100;
const DEPTH: usize = 120;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    Name(String),
    Index(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Fresh,
    Busy,
    Done,
}

#[derive(Debug)]
pub(crate) struct Vertex {
    pub(crate) parent: Option<VertexId>,
    pub(crate) label: Option<Label>,
    pub(crate) conjuncts: Vec<Conjunct>,
    /// A field, not only a condition on one (`a?:`, `a!:`).
    pub(crate) present: bool,
    /// `a!:`: no field yet, but what is asked of it is already asked of whoever refers to it.
    pub(crate) required: bool,
    pub(crate) state: State,
    pub(crate) outcome: Outcome,
    /// An error of this vertex itself, beside what it came to.
    pub(crate) own: Option<Bottom>,
    pub(crate) arcs: Vec<(Label, VertexId)>,
    pub(crate) by_label: BTreeMap<Label, VertexId>,
    /// Elements of a list.
    pub(crate) length: usize,
    pub(super) patterns: Vec<(ExprId, ExprId, usize)>,
    /// Which alternative is taken of which disjunction.
    pub(super) choices: BTreeMap<Conjunct, usize>,
}

pub(crate) struct Env {
    pub(crate) up: Option<usize>,
    pub(crate) vertex: VertexId,
    pub(crate) scope: Scope,
}

pub(crate) enum Scope {
    /// The names of a struct, and of its `let`s.
    Struct(ExprId),
    /// Names of a comprehension.
    Names(Vec<(String, VertexId)>),
}

pub(crate) struct Machine<'a> {
    pub(crate) syntax: &'a Syntax,
    /// Expressions from here on are the document's.
    data: ExprId,
    pub(crate) vertices: Vec<Vertex>,
    pub(crate) envs: Vec<Env>,
    struct_envs: BTreeMap<(ExprId, usize, VertexId), usize>,
    pub(crate) loop_envs: BTreeMap<(ExprId, usize, usize, VertexId), usize>,
    pub(crate) lets: BTreeMap<(ExprId, usize), VertexId>,
    steps: usize,
    resets: usize,
    depth: usize,
    /// Something that we cannot decide was met.
    pub(crate) unsupported: Option<String>,
    /// The required field that a reference found missing last.
    pub(crate) missing: Option<String>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(syntax: &'a Syntax, roots: &[ExprId], data: ExprId) -> Self {
        let mut machine = Self {
            syntax,
            data,
            vertices: Vec::new(),
            envs: Vec::new(),
            struct_envs: BTreeMap::new(),
            loop_envs: BTreeMap::new(),
            lets: BTreeMap::new(),
            steps: 0,
            resets: 0,
            depth: 0,
            unsupported: None,
            missing: None,
        };
        let root = machine.vertex(None, None);
        machine.envs.push(Env { up: None, vertex: root, scope: Scope::Names(Vec::new()) });
        for &expr in roots {
            machine.add(root, Conjunct { expr, env: 0 });
        }
        machine
    }

    pub(crate) const ROOT: VertexId = 0;

    pub(crate) fn vertex(&mut self, parent: Option<VertexId>, label: Option<Label>) -> VertexId {
        if self.vertices.len() >= VERTICES {
            self.give_up("a policy that takes two million values");
        }
        self.vertices.push(Vertex {
            parent,
            label,
            conjuncts: Vec::new(),
            present: true,
            required: false,
            state: State::Fresh,
            outcome: Outcome::Pending,
            own: None,
            arcs: Vec::new(),
            by_label: BTreeMap::new(),
            length: 0,
            patterns: Vec::new(),
            choices: BTreeMap::new(),
        });
        self.vertices.len() - 1
    }

    pub(crate) fn give_up(&mut self, what: &str) -> Bottom {
        self.unsupported.get_or_insert_with(|| what.to_owned());
        Bottom::unsupported(what)
    }

    pub(crate) fn at(&self, id: VertexId) -> Option<&Vertex> {
        self.vertices.get(id)
    }

    pub(crate) fn outcome(&self, id: VertexId) -> &Outcome {
        self.vertices.get(id).map_or(&Outcome::Pending, |vertex| &vertex.outcome)
    }

    /// Adds an expression; a vertex that had come to something starts anew.
    pub(crate) fn add(&mut self, id: VertexId, conjunct: Conjunct) {
        let Some(vertex) = self.vertices.get_mut(id) else { return };
        if vertex.conjuncts.contains(&conjunct) {
            return;
        }
        vertex.conjuncts.push(conjunct);
        if vertex.state != State::Fresh {
            self.reset();
        }
    }

    fn reset(&mut self) {
        self.resets += 1;
        if self.resets > RESETS {
            self.give_up("fields that depend on each other in many steps");
            return;
        }
        for vertex in &mut self.vertices {
            if vertex.state == State::Done {
                vertex.state = State::Fresh;
                vertex.outcome = Outcome::Pending;
            }
        }
    }

    pub(crate) fn arc(&mut self, parent: VertexId, label: &Label, present: bool) -> VertexId {
        if let Some(id) = self.vertices.get(parent).and_then(|vertex| vertex.by_label.get(label)).copied() {
            let mut changed = false;
            if let Some(arc) = self.vertices.get_mut(id)
                && present
                && !arc.present
            {
                arc.present = true;
                changed = arc.state != State::Fresh;
            }
            if changed {
                self.reset();
            }
            return id;
        }
        let id = self.vertex(Some(parent), Some(label.clone()));
        if let Some(arc) = self.vertices.get_mut(id) {
            arc.present = present;
        }
        if let Some(vertex) = self.vertices.get_mut(parent) {
            vertex.arcs.push((label.clone(), id));
            vertex.by_label.insert(label.clone(), id);
        }
        id
    }

    pub(crate) fn env(&mut self, expr: ExprId, up: usize, vertex: VertexId) -> usize {
        if let Some(&env) = self.struct_envs.get(&(expr, up, vertex)) {
            return env;
        }
        self.envs.push(Env { up: Some(up), vertex, scope: Scope::Struct(expr) });
        self.struct_envs.insert((expr, up, vertex), self.envs.len() - 1);
        self.envs.len() - 1
    }

    /// Brings a vertex to its outcome.
    pub(crate) fn evaluate(&mut self, id: VertexId) {
        self.steps += 1;
        if self.steps > STEPS {
            self.give_up("a policy that takes two million steps");
        }
        if self.depth > DEPTH {
            self.give_up("a structure without end");
        }
        let fresh = self.vertices.get(id).is_some_and(|vertex| vertex.state == State::Fresh);
        if !fresh || self.unsupported.is_some() {
            return;
        }
        self.depth += 1;
        self.mark(id, State::Busy);
        let outcome = self.settle(id);
        if let Some(vertex) = self.vertices.get_mut(id) {
            vertex.outcome = outcome;
            vertex.state = State::Done;
        }
        self.depth -= 1;
    }

    fn mark(&mut self, id: VertexId, state: State) {
        if let Some(vertex) = self.vertices.get_mut(id) {
            vertex.state = state;
        }
    }

    fn settle(&mut self, id: VertexId) -> Outcome {
        let mut sum = Sum::default();
        let mut next = 0;
        // What is plain first, then what must be looked up, then what depends on values.
        loop {
            while let Some(&conjunct) = self.at(id).and_then(|vertex| vertex.conjuncts.get(next)) {
                next += 1;
                self.take(id, conjunct, &mut sum);
            }
            if let Some((place, conjunct)) = pop(&mut sum.later) {
                self.take_value(id, place, conjunct, &mut sum);
                continue;
            }
            break;
        }
        self.apply_patterns(id);
        let mut waiting = std::mem::take(&mut sum.each);
        loop {
            let mut progress = false;
            let mut still = Vec::new();
            for (expr, at, env) in waiting {
                match self.run_each(id, expr, at, env) {
                    Ok(bodies) => {
                        progress |= !bodies.is_empty();
                        for body in bodies {
                            self.take(id, body, &mut sum);
                        }
                    }
                    Err(error) if error.code == Code::Incomplete => still.push((expr, at, env, error)),
                    Err(error) => sum.errors.push(error),
                }
            }
            while let Some((place, conjunct)) = pop(&mut sum.later) {
                self.take_value(id, place, conjunct, &mut sum);
                progress = true;
            }
            self.apply_patterns(id);
            let added = std::mem::take(&mut sum.each);
            progress |= !added.is_empty();
            if !progress || self.unsupported.is_some() {
                sum.errors.extend(still.into_iter().map(|(.., error)| error));
                break;
            }
            waiting = still.into_iter().map(|(expr, at, env, _)| (expr, at, env)).chain(added).collect();
        }
        if !sum.alternatives.is_empty()
            && let Some(outcome) = self.choose(id, &sum)
        {
            return outcome;
        }
        if !sum.alternatives.is_empty() {
            // One alternative was adopted: once more with it.
            return self.settle(id);
        }
        self.conclude(id, sum)
    }

    /// Looks at one expression as far as no value is needed for it.
    fn take(&mut self, id: VertexId, conjunct: Conjunct, sum: &mut Sum) {
        if sum.seen.contains(&conjunct) {
            return;
        }
        sum.seen.push(conjunct);
        let Conjunct { expr, env } = conjunct;
        let syntax = self.syntax;
        sum.places += 1;
        match syntax.get(expr) {
            Expr::Paren(inner) => self.take(id, Conjunct { expr: *inner, env }, sum),
            Expr::Binary(Op::Unify, left, right) => {
                self.take(id, Conjunct { expr: *left, env }, sum);
                self.take(id, Conjunct { expr: *right, env }, sum);
            }
            Expr::Binary(Op::Or, ..) => match self.at(id).and_then(|vertex| vertex.choices.get(&conjunct)) {
                Some(&choice) => {
                    if let Some((alternative, _)) = self.alternatives(expr).get(choice) {
                        self.take(id, Conjunct { expr: *alternative, env }, sum);
                    }
                }
                None => sum.alternatives.push(conjunct),
            },
            Expr::Top => {}
            Expr::Bottom => sum.errors.push(Bottom::conflict("explicit error (_|_ literal) in source")),
            Expr::Null => sum.scalar(Scalar::Null),
            Expr::Bool(value) => sum.scalar(Scalar::Bool(*value)),
            Expr::Number(number) => sum.scalar(Scalar::Number(*number)),
            Expr::Text(text) => sum.scalar(Scalar::Text(text.clone())),
            Expr::List { .. } => {
                sum.kind(LIST, Shown::Expr(expr));
                sum.lists.push(conjunct);
            }
            Expr::Struct(decls) => {
                let inside = self.env(expr, env, id);
                let only_embeds = decls.iter().any(|decl| matches!(decl, Decl::Embed(_)))
                    && !decls.iter().any(|decl| match decl {
                        Decl::Field { name, quoted, .. } => *quoted || !name.starts_with(['_', '#']),
                        Decl::Embed(_) | Decl::Let(..) | Decl::Each(_) => false,
                        Decl::Pattern { .. } | Decl::Ellipsis => true,
                    });
                if !only_embeds {
                    sum.structs.push(expr);
                }
                for (at, decl) in decls.iter().enumerate() {
                    match decl {
                        Decl::Field { name, quoted, presence, value } => {
                            let label = Label::field(name, *quoted);
                            let arc = self.arc(id, &label, *presence == Presence::Regular);
                            if let Some(arc) = self.vertices.get_mut(arc) {
                                arc.required |= *presence == Presence::Required;
                            }
                            self.add(arc, Conjunct { expr: *value, env: inside });
                        }
                        Decl::Pattern { key, value } => {
                            if let Some(vertex) = self.vertices.get_mut(id)
                                && !vertex.patterns.contains(&(*key, *value, inside))
                            {
                                vertex.patterns.push((*key, *value, inside));
                            }
                        }
                        Decl::Embed(value) => self.take(id, Conjunct { expr: *value, env: inside }, sum),
                        Decl::Each(_) => sum.each.push((expr, at, inside)),
                        Decl::Let(..) | Decl::Ellipsis => {}
                    }
                }
            }
            Expr::Unary(Op::Default, inner) => self.take(id, Conjunct { expr: *inner, env }, sum),
            _ => sum.later.push((sum.place.unwrap_or(sum.places), conjunct)),
        }
    }

    /// Looks at an expression that must be computed or looked up.
    fn take_value(&mut self, id: VertexId, place: usize, conjunct: Conjunct, sum: &mut Sum) {
        sum.place = Some(place);
        self.take_found(id, conjunct, sum);
        sum.place = None;
    }

    fn take_found(&mut self, id: VertexId, conjunct: Conjunct, sum: &mut Sum) {
        use super::compute::Found;
        self.missing = None;
        match self.compute(conjunct.expr, conjunct.env) {
            Ok(Found::Scalar(scalar)) => sum.scalar(scalar),
            Ok(Found::Constraint(constraint)) => sum.constraint(constraint),
            Ok(Found::Vertex { vertex, definition }) => {
                if vertex == id {
                    return;
                }
                if definition && self.is_closed(vertex) {
                    self.give_up("a struct that a definition closes");
                    return;
                }
                let conjuncts = self.at(vertex).map(|vertex| vertex.conjuncts.clone()).unwrap_or_default();
                for conjunct in conjuncts {
                    self.take(id, conjunct, sum);
                }
            }
            Err(error) => {
                let error = self.missing_condition(conjunct.expr, conjunct.env).unwrap_or(error);
                sum.errors.push(error);
            }
        }
    }

    /// Whether what a definition holds is a struct without `...`: then it would close what it is unified with.
    fn is_closed(&mut self, vertex: VertexId) -> bool {
        self.evaluate(vertex);
        match self.outcome(vertex) {
            Outcome::Struct => true,
            Outcome::Choice(_) => {
                let conjuncts = self.at(vertex).map(|vertex| vertex.conjuncts.clone()).unwrap_or_default();
                conjuncts.iter().any(|conjunct| !self.is_plain(conjunct.expr))
            }
            Outcome::List { .. } => self.at(vertex).is_some_and(|list| !list.arcs.is_empty()),
            _ => false,
        }
    }

    /// Whether an expression is made of scalars, kinds and bounds alone.
    fn is_plain(&self, expr: ExprId) -> bool {
        match self.syntax.get(expr) {
            Expr::Null | Expr::Bool(_) | Expr::Number(_) | Expr::Text(_) => true,
            Expr::Name(name) => PREDECLARED.contains(&name.as_str()),
            Expr::Unary(_, value) | Expr::Paren(value) => self.is_plain(*value),
            Expr::Binary(_, left, right) => self.is_plain(*left) && self.is_plain(*right),
            _ => false,
        }
    }

    fn apply_patterns(&mut self, id: VertexId) {
        let Some(vertex) = self.at(id) else { return };
        let patterns = vertex.patterns.clone();
        if patterns.is_empty() {
            return;
        }
        let arcs = vertex.arcs.clone();
        for (key, value, env) in patterns {
            let condition = self.operand(key, env);
            for (label, arc) in &arcs {
                let Label::Name(name) = label else { continue };
                if is_hidden(name) {
                    continue;
                }
                let fits = match condition.as_ref().map(|condition| self.outcome(*condition)) {
                    Ok(Outcome::Open { constraints, mask }) => {
                        let name = Scalar::Text(name.clone());
                        mask & name.mask() != 0
                            && constraints.iter().all(|constraint| constraint.admits(&name))
                    }
                    Ok(Outcome::Scalar(Scalar::Text(wanted))) => wanted == name,
                    _ => {
                        self.give_up("a pattern for labels of this kind");
                        return;
                    }
                };
                if fits {
                    self.add(*arc, Conjunct { expr: value, env });
                }
            }
        }
    }

    /// The fields of a struct that are values for whoever uses it.
    pub(crate) fn fields(&self, id: VertexId) -> Vec<(String, VertexId)> {
        let arcs = self.at(id).map(|vertex| vertex.arcs.as_slice()).unwrap_or_default();
        arcs.iter()
            .filter_map(|(label, arc)| match label {
                Label::Name(name) if !is_hidden(name) && self.at(*arc).is_some_and(|arc| arc.present) => {
                    Some((name.clone(), *arc))
                }
                _ => None,
            })
            .collect()
    }

    /// The first thing that can never be right, and where: the vertex itself, then its fields in order.
    pub(crate) fn first_conflict(&mut self, id: VertexId) -> Option<(String, Bottom)> {
        let mut found = Vec::new();
        self.conflicts(id, "", &mut found, 1, 0);
        found.into_iter().next()
    }

    /// Whether nothing but the document speaks of this vertex: it cannot contradict itself.
    pub(super) fn is_plain_data(&self, id: VertexId) -> bool {
        self.at(id).is_some_and(|vertex| {
            matches!(vertex.conjuncts.as_slice(), [one] if one.expr >= self.data && vertex.state == State::Fresh)
        })
    }

    /// Conflicts below a vertex, up to `limit`.
    pub(crate) fn conflicts(
        &mut self,
        id: VertexId,
        path: &str,
        found: &mut Vec<(String, Bottom)>,
        limit: usize,
        depth: usize,
    ) {
        if depth > DEPTH {
            self.give_up("a structure without end");
        }
        if self.is_plain_data(id) {
            return;
        }
        self.evaluate(id);
        if self.unsupported.is_some() || found.len() >= limit {
            return;
        }
        match self.outcome(id) {
            Outcome::Bottom(error) if error.code == Code::Conflict => {
                // A field that uses a broken one is broken for the same reason.
                if !found.iter().any(|(_, known)| known == error) {
                    found.push((path.to_owned(), error.clone()));
                }
                return;
            }
            Outcome::Choice(_) | Outcome::Scalar(_)
                if self.at(id).is_some_and(|vertex| vertex.arcs.is_empty()) =>
            {
                return;
            }
            _ => {}
        }
        // Evaluating a field may add others.
        let mut at = 0;
        while let Some((label, arc)) = self.at(id).and_then(|vertex| vertex.arcs.get(at)).cloned() {
            at += 1;
            if !self.at(arc).is_some_and(|arc| arc.present || (arc.required && self.data == usize::MAX)) {
                continue;
            }
            let step = match &label {
                Label::Name(name) => print_label(name.trim_start_matches(HIDDEN)),
                Label::Index(index) => index.to_string(),
            };
            let path = if path.is_empty() { step } else { format!("{path}.{step}") };
            self.conflicts(arc, &path, found, limit, depth + 1);
        }
    }
}

fn pop<T>(queue: &mut Vec<T>) -> Option<T> {
    if queue.is_empty() { None } else { Some(queue.remove(0)) }
}

/// What the labels of hidden fields and definitions start with here: `"_a"` in quotes is another field than `_a`.
const HIDDEN: char = '\u{1}';

impl Label {
    /// The label of a declared field.
    pub(crate) fn field(name: &str, quoted: bool) -> Self {
        if !quoted && name.starts_with(['_', '#']) {
            return Self::Name(format!("{HIDDEN}{name}"));
        }
        Self::Name(name.to_owned())
    }
}

/// `_a`, `#A`, `_#A`
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN)
}
