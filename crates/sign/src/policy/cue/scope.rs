//! Whether every name means something, which CUE decides before it evaluates.

use std::collections::BTreeSet;

use super::ast::{Clause, Comprehension, Decl, Expr, ExprId, Item, Op, Part, Syntax, print_label};

/// Names that are everywhere.
pub(crate) const PREDECLARED: [&str; 33] = [
    "string", "bytes", "bool", "int", "float", "number", "uint", "uint8", "int8", "uint16", "int16",
    "uint32", "int32", "uint64", "int64", "uint128", "int128", "float32", "float64", "rune", "len", "close",
    "and", "or", "div", "mod", "quo", "rem", "error", "matchN", "matchIf", "null", "self",
];

/// The first name that means nothing, with the path of the field it stands in; or an import that nobody uses.
pub(crate) fn check(syntax: &Syntax, top: ExprId) -> Result<(), String> {
    let mut walk = Walk { syntax, scopes: Vec::new(), path: Vec::new(), used: BTreeSet::new() };
    walk.expr(top)?;
    match syntax.imports.iter().find(|(name, _)| !walk.used.contains(name)) {
        Some((_, path)) => Err(format!("imported and not used: \"{path}\"")),
        None => Ok(()),
    }
}

/// The names that a struct declares for what is inside it.
pub(crate) fn declared(decls: &[Decl]) -> impl Iterator<Item = &str> {
    decls.iter().filter_map(|decl| match decl {
        Decl::Field { name, quoted: false, .. } | Decl::Let(name, _) => Some(name.as_str()),
        _ => None,
    })
}

struct Walk<'a> {
    syntax: &'a Syntax,
    scopes: Vec<BTreeSet<&'a str>>,
    path: Vec<String>,
    used: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn expr(&mut self, id: ExprId) -> Result<(), String> {
        match self.syntax.get(id) {
            Expr::Name(name) => self.name(name),
            Expr::Struct(decls) => self.block(decls),
            Expr::List { items, rest } => {
                for item in items {
                    match item {
                        Item::Value(value) => self.expr(*value)?,
                        Item::Each(each) => self.each(each)?,
                    }
                }
                rest.flatten().map_or(Ok(()), |rest| self.expr(rest))
            }
            Expr::Interpolation(parts) => parts.iter().try_for_each(|part| match part {
                Part::Value(value) => self.expr(*value),
                Part::Text(_) => Ok(()),
            }),
            Expr::Unary(Op::Default, _) => {
                Err(format!("{}preference mark not allowed at this position", self.place()))
            }
            Expr::Binary(Op::Or, left, right) => {
                for side in [*left, *right] {
                    match self.syntax.get(side) {
                        Expr::Unary(Op::Default, value) => self.expr(*value)?,
                        _ => self.expr(side)?,
                    }
                }
                Ok(())
            }
            Expr::Unary(_, value) | Expr::Paren(value) | Expr::Select(value, _) => self.expr(*value),
            Expr::Binary(_, left, right) | Expr::Index(left, right) => {
                self.expr(*left)?;
                self.expr(*right)
            }
            Expr::Call(function, arguments) => {
                self.expr(*function)?;
                arguments.iter().try_for_each(|argument| self.expr(*argument))
            }
            _ => Ok(()),
        }
    }

    fn name(&mut self, name: &str) -> Result<(), String> {
        if self.scopes.iter().any(|scope| scope.contains(name)) || PREDECLARED.contains(&name) {
            return Ok(());
        }
        if self.syntax.imports.iter().any(|(import, _)| import == name) {
            self.used.insert(name.to_owned());
            return Ok(());
        }
        Err(format!("{}reference \"{name}\" not found", self.place()))
    }

    fn place(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!("{}: ", self.path.join(".")) }
    }

    fn block(&mut self, decls: &'a [Decl]) -> Result<(), String> {
        self.scopes.push(declared(decls).collect());
        for decl in decls {
            match decl {
                Decl::Field { name, value, .. } => {
                    self.path.push(print_label(name));
                    self.expr(*value)?;
                    self.path.pop();
                }
                Decl::Pattern { key, value } => {
                    self.expr(*key)?;
                    self.expr(*value)?;
                }
                Decl::Embed(value) | Decl::Let(_, value) => self.expr(*value)?,
                Decl::Each(each) => self.each(each)?,
                Decl::Ellipsis => {}
            }
        }
        self.scopes.pop();
        Ok(())
    }

    fn each(&mut self, each: &'a Comprehension) -> Result<(), String> {
        let mut pushed = 0;
        for clause in &each.clauses {
            match clause {
                Clause::If(condition) => self.expr(*condition)?,
                Clause::For { key, value, source } => {
                    self.expr(*source)?;
                    self.scopes.push(key.iter().map(String::as_str).chain([value.as_str()]).collect());
                    pushed += 1;
                }
                Clause::Let(name, value) => {
                    self.expr(*value)?;
                    self.scopes.push([name.as_str()].into());
                    pushed += 1;
                }
            }
        }
        self.expr(each.body)?;
        for _ in 0..pushed {
            self.scopes.pop();
        }
        Ok(())
    }
}
