//! Comprehensions.

use super::ast::{Clause, Comprehension, Decl, Expr, ExprId, Item, Number};
use super::eval::{Env, Label, Machine, Scope, State};
use super::value::{Bottom, Conjunct, LIST, Outcome, STRUCT, Scalar, VertexId, kinds, length};

impl Machine<'_> {
    /// The bodies that a comprehension gives, each in the scope of its names.
    pub(crate) fn run_each(
        &mut self,
        id: VertexId,
        expr: ExprId,
        at: usize,
        env: usize,
    ) -> Result<Vec<Conjunct>, Bottom> {
        let syntax = self.syntax;
        let each = match syntax.get(expr) {
            Expr::Struct(decls) => match decls.get(at) {
                Some(Decl::Each(each)) => each,
                _ => return Ok(Vec::new()),
            },
            Expr::List { items, .. } => match items.get(at) {
                Some(Item::Each(each)) => each,
                _ => return Ok(Vec::new()),
            },
            _ => return Ok(Vec::new()),
        };
        let mut bodies = Vec::new();
        self.clauses(id, each, 0, env, &mut bodies)?;
        Ok(bodies)
    }

    fn clauses(
        &mut self,
        id: VertexId,
        each: &Comprehension,
        at: usize,
        env: usize,
        bodies: &mut Vec<Conjunct>,
    ) -> Result<(), Bottom> {
        match each.clauses.get(at) {
            None => {
                bodies.push(Conjunct { expr: each.body, env });
                Ok(())
            }
            Some(Clause::If(condition)) => match self.concrete(*condition, env, "if")? {
                Scalar::Bool(true) => self.clauses(id, each, at + 1, env, bodies),
                Scalar::Bool(false) => Ok(()),
                other => {
                    let kind = kinds(other.mask());
                    Err(Bottom::conflict(format!("cannot use {} (type {kind}) as type bool", other.print())))
                }
            },
            Some(Clause::Let(name, value)) => {
                let bound = self.anonymous(*value, env);
                let env = self.names(*value, env, 0, id, vec![(name.clone(), bound)]);
                self.clauses(id, each, at + 1, env, bodies)
            }
            Some(Clause::For { key, value, source }) => {
                let vertex = self.operand(*source, env)?;
                let pairs: Vec<(Scalar, VertexId)> = match self.outcome(vertex) {
                    Outcome::Struct => {
                        self.fields(vertex).into_iter().map(|(name, arc)| (Scalar::Text(name), arc)).collect()
                    }
                    Outcome::List { .. } => {
                        let arcs = self.at(vertex).map(|list| list.arcs.clone()).unwrap_or_default();
                        arcs.into_iter()
                            .filter_map(|(label, arc)| match label {
                                Label::Index(at) => Some((Scalar::Number(Number::Int(length(at))), arc)),
                                Label::Name(_) => None,
                            })
                            .collect()
                    }
                    Outcome::Scalar(scalar) => {
                        let kind = kinds(scalar.mask());
                        return Err(Bottom::conflict(format!(
                            "cannot range over {} (found {kind}, want list or struct)",
                            scalar.print()
                        )));
                    }
                    Outcome::Open { mask, .. } if mask & (LIST | STRUCT) == 0 => {
                        let kind = kinds(*mask);
                        let shown = self.syntax.print(*source);
                        return Err(Bottom::conflict(format!(
                            "cannot range over {shown} (found {kind}, want list or struct)"
                        )));
                    }
                    _ => {
                        return Err(Bottom::incomplete(format!(
                            "cannot range over {} (incomplete type)",
                            self.shape(vertex)
                        )));
                    }
                };
                for (count, (label, arc)) in pairs.into_iter().enumerate() {
                    let mut bound = vec![(value.clone(), arc)];
                    if let Some(key) = key {
                        let key_vertex = self.constant_vertex(label);
                        bound.push((key.clone(), key_vertex));
                    }
                    let env = self.names(*source, env, count, id, bound);
                    self.clauses(id, each, at + 1, env, bodies)?;
                }
                Ok(())
            }
        }
    }

    fn constant_vertex(&mut self, scalar: Scalar) -> VertexId {
        let vertex = self.vertex(None, None);
        if let Some(vertex) = self.vertices.get_mut(vertex) {
            vertex.outcome = Outcome::Scalar(scalar);
            vertex.state = State::Done;
        }
        vertex
    }

    /// The scope of one round of a comprehension; the same round has the same scope when it is run again.
    fn names(
        &mut self,
        expr: ExprId,
        up: usize,
        count: usize,
        id: VertexId,
        names: Vec<(String, VertexId)>,
    ) -> usize {
        let key = (expr, up, count, id);
        match self.loop_envs.get(&key) {
            Some(&env) => {
                if let Some(env) = self.envs.get_mut(env) {
                    env.scope = Scope::Names(names);
                }
                env
            }
            None => {
                let vertex = self.envs.get(up).map_or(Machine::ROOT, |env| env.vertex);
                self.envs.push(Env { up: Some(up), vertex, scope: Scope::Names(names) });
                self.loop_envs.insert(key, self.envs.len() - 1);
                self.envs.len() - 1
            }
        }
    }
}
