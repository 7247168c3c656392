//! From words to syntax.

use super::SyntaxError;
use super::ast::{Clause, Comprehension, Decl, Expr, ExprId, Item, Op, Part, Presence, Syntax};
use super::lex::{Piece, Token, lex};

const DEPTH: usize = 100;

/// Reads a file into `syntax`; gives the struct at its top.
pub(crate) fn parse(source: &str, syntax: &mut Syntax) -> Result<ExprId, SyntaxError> {
    let tokens = lex(source)?;
    let mut parser = Parser { tokens, at: 0, syntax, depth: 0, base: 0 };
    let top = parser.file()?;
    Ok(top)
}

struct Parser<'a> {
    tokens: Vec<(Token, usize)>,
    at: usize,
    syntax: &'a mut Syntax,
    depth: usize,
    base: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn offset(&self) -> usize {
        self.base + self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(_, offset)| *offset)
    }

    fn ahead(&self, count: usize) -> &Token {
        self.tokens.get(self.at + count).map_or(&Token::End, |(token, _)| token)
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.token(), Token::Mark(found) if *found == mark)
    }

    fn eat(&mut self, mark: &str) -> bool {
        let found = self.is(mark);
        if found {
            self.at += 1;
        }
        found
    }

    fn keyword(&self, word: &str) -> bool {
        matches!(self.token(), Token::Name(name) if name == word)
    }

    fn commas(&mut self) {
        while *self.token() == Token::Comma {
            self.at += 1;
        }
    }

    fn found(&self) -> String {
        match self.token() {
            Token::End => "'EOF'".to_owned(),
            Token::Mark(mark) => format!("'{mark}'"),
            Token::Comma => "','".to_owned(),
            Token::Name(name) => format!("'{name}'"),
            Token::Number(_) => "a number".to_owned(),
            Token::Text(_) => "'STRING'".to_owned(),
        }
    }

    fn expected(&self, what: &str) -> SyntaxError {
        SyntaxError::invalid(format!("expected {what}, found {}", self.found()), self.offset())
    }

    fn unsupported(&self, what: &str) -> SyntaxError {
        SyntaxError::unsupported(what.to_owned(), self.offset())
    }

    fn want(&mut self, mark: &str) -> Result<(), SyntaxError> {
        if self.eat(mark) { Ok(()) } else { Err(self.expected(&format!("'{mark}'"))) }
    }

    fn add(&mut self, expr: Expr, offset: usize) -> ExprId {
        self.syntax.add(expr, offset)
    }

    fn file(&mut self) -> Result<ExprId, SyntaxError> {
        let start = self.offset();
        self.commas();
        if self.keyword("package") && matches!(self.ahead(1), Token::Name(_)) {
            self.at += 2;
            self.commas();
        }
        while self.keyword("import") && !matches!(self.ahead(1), Token::Mark(":" | "?" | "!")) {
            self.at += 1;
            if self.eat("(") {
                self.commas();
                while !self.eat(")") {
                    self.import()?;
                    self.commas();
                }
            } else {
                self.import()?;
            }
            self.commas();
        }
        let decls = self.decls("")?;
        Ok(self.add(Expr::Struct(decls), start))
    }

    fn import(&mut self) -> Result<(), SyntaxError> {
        let alias = match self.token().clone() {
            Token::Name(name) => {
                self.at += 1;
                Some(name)
            }
            _ => None,
        };
        let Token::Text(pieces) = self.token().clone() else { return Err(self.expected("'STRING'")) };
        let [Piece::Text(path)] = pieces.as_slice() else { return Err(self.expected("'STRING'")) };
        self.at += 1;
        let last = path.rsplit('/').next().unwrap_or(path);
        let name = alias.unwrap_or_else(|| last.rsplit(':').next().unwrap_or(last).to_owned());
        self.syntax.imports.push((name, path.clone()));
        Ok(())
    }

    /// Declarations up to `close` (the end of the file if empty), which is taken.
    fn decls(&mut self, close: &str) -> Result<Vec<Decl>, SyntaxError> {
        let mut decls = Vec::new();
        loop {
            self.commas();
            if close.is_empty() {
                if *self.token() == Token::End {
                    return Ok(decls);
                }
            } else if self.eat(close) {
                return Ok(decls);
            }
            if *self.token() == Token::End {
                return Err(self.expected(&format!("'{close}'")));
            }
            decls.push(self.decl()?);
            if *self.token() != Token::Comma
                && (close.is_empty() || !self.is(close))
                && *self.token() != Token::End
            {
                let what = if close.is_empty() { "','" } else { "'}' or ','" };
                return Err(self.expected(what));
            }
        }
    }

    fn is_label_ahead(&self, count: usize) -> bool {
        matches!(self.ahead(count), Token::Mark(":"))
            || (matches!(self.ahead(count), Token::Mark("?" | "!"))
                && matches!(self.ahead(count + 1), Token::Mark(":")))
    }

    fn decl(&mut self) -> Result<Decl, SyntaxError> {
        if self.is("...") {
            self.at += 1;
            if *self.token() != Token::Comma && !self.is("}") && *self.token() != Token::End {
                return Err(self.unsupported("`...` with a value in a struct"));
            }
            return Ok(Decl::Ellipsis);
        }
        if self.is("@") {
            return Err(self.unsupported("an attribute"));
        }
        if !self.is_label_ahead(1) {
            if self.keyword("if") || self.keyword("for") {
                return Ok(Decl::Each(self.comprehension()?));
            }
            if self.keyword("let")
                && matches!(self.ahead(1), Token::Name(_))
                && matches!(self.ahead(2), Token::Mark("="))
            {
                let Token::Name(name) = self.ahead(1).clone() else { return Err(self.expected("a name")) };
                self.at += 3;
                return Ok(Decl::Let(name, self.expression()?));
            }
            if matches!(self.token(), Token::Name(_)) && matches!(self.ahead(1), Token::Mark("=")) {
                return Err(self.unsupported("an alias"));
            }
        }
        let offset = self.offset();
        let value = self.expression()?;
        let presence = if self.is_label_ahead(0) {
            match self.token() {
                Token::Mark("?") => {
                    self.at += 1;
                    Presence::Optional
                }
                Token::Mark("!") => {
                    self.at += 1;
                    Presence::Required
                }
                _ => Presence::Regular,
            }
        } else {
            return Ok(Decl::Embed(value));
        };
        self.want(":")?;
        let label = self.syntax.get(value).clone();
        let inner = self.field_value()?;
        match label {
            Expr::Name(name) => Ok(Decl::Field { name, quoted: false, presence, value: inner }),
            Expr::Top => Err(SyntaxError::unsupported("the label `_`".to_owned(), offset)),
            Expr::Text(name) => Ok(Decl::Field { name, quoted: true, presence, value: inner }),
            Expr::Bool(value) => {
                Ok(Decl::Field { name: value.to_string(), quoted: false, presence, value: inner })
            }
            Expr::Null => Ok(Decl::Field { name: "null".to_owned(), quoted: false, presence, value: inner }),
            Expr::List { items, rest: None } => match items.as_slice() {
                [Item::Value(key)] => Ok(Decl::Pattern { key: *key, value: inner }),
                _ => Err(SyntaxError::invalid(
                    "square bracket must have exactly one element".to_owned(),
                    offset,
                )),
            },
            _ => Err(SyntaxError::unsupported("a label that is computed".to_owned(), offset)),
        }
    }

    /// What follows the colon: a value, or another label of a chain `a: b: c`.
    fn field_value(&mut self) -> Result<ExprId, SyntaxError> {
        self.enter()?;
        let start = self.at;
        let before = self.syntax.exprs.len();
        let offset = self.offset();
        let value = self.expression();
        let chained = value.is_ok() && self.is_label_ahead(0);
        let result = if chained {
            self.at = start;
            self.syntax.exprs.truncate(before);
            self.syntax.offsets.truncate(before);
            let decl = self.decl()?;
            Ok(self.add(Expr::Struct(vec![decl]), offset))
        } else {
            if self.is("@") {
                return Err(self.unsupported("an attribute"));
            }
            value
        };
        self.depth -= 1;
        result
    }

    fn enter(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH { Err(self.unsupported("nesting of more than 100 levels")) } else { Ok(()) }
    }

    fn comprehension(&mut self) -> Result<Comprehension, SyntaxError> {
        let mut clauses = Vec::new();
        loop {
            if self.keyword("if") {
                self.at += 1;
                clauses.push(Clause::If(self.expression()?));
            } else if self.keyword("for") {
                self.at += 1;
                let first = self.name()?;
                let (key, value) = if *self.token() == Token::Comma {
                    self.at += 1;
                    (Some(first), self.name()?)
                } else {
                    (None, first)
                };
                if !self.keyword("in") {
                    return Err(self.expected("'in'"));
                }
                self.at += 1;
                clauses.push(Clause::For { key, value, source: self.expression()? });
            } else if self.keyword("let") && !clauses.is_empty() {
                self.at += 1;
                let name = self.name()?;
                self.want("=")?;
                clauses.push(Clause::Let(name, self.expression()?));
            } else {
                break;
            }
            // A comma may part clauses.
            if *self.token() == Token::Comma && !self.is("{") {
                let next = self.ahead(1);
                if matches!(next, Token::Name(name) if matches!(name.as_str(), "if" | "for" | "let"))
                    || *next == Token::Mark("{")
                {
                    self.at += 1;
                }
            }
        }
        if !self.is("{") {
            return Err(self.expected("'{'"));
        }
        let body = self.primary()?;
        Ok(Comprehension { clauses, body })
    }

    fn name(&mut self) -> Result<String, SyntaxError> {
        match self.token().clone() {
            Token::Name(name) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.expected("'IDENT'")),
        }
    }

    fn expression(&mut self) -> Result<ExprId, SyntaxError> {
        self.binary(1)
    }

    fn operator(&self) -> Option<(Op, u8)> {
        let Token::Mark(mark) = self.token() else { return None };
        Some(match *mark {
            "|" => (Op::Or, 1),
            "&" => (Op::Unify, 2),
            "||" => (Op::BoolOr, 3),
            "&&" => (Op::BoolAnd, 4),
            "==" => (Op::Equal, 5),
            "!=" => (Op::NotEqual, 5),
            "<" => (Op::Less, 5),
            "<=" => (Op::LessEqual, 5),
            ">" => (Op::Greater, 5),
            ">=" => (Op::GreaterEqual, 5),
            "=~" => (Op::Match, 5),
            "!~" => (Op::NotMatch, 5),
            "+" => (Op::Add, 6),
            "-" => (Op::Subtract, 6),
            "*" => (Op::Multiply, 7),
            "/" => (Op::Divide, 7),
            _ => return None,
        })
    }

    fn binary(&mut self, least: u8) -> Result<ExprId, SyntaxError> {
        let mut left = self.unary()?;
        while let Some((op, strength)) = self.operator() {
            if strength < least {
                break;
            }
            let offset = self.offset();
            self.at += 1;
            let right = self.binary(strength + 1)?;
            left = self.add(Expr::Binary(op, left, right), offset);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<ExprId, SyntaxError> {
        let offset = self.offset();
        let Token::Mark(mark) = self.token() else { return self.primary() };
        let op = match *mark {
            "+" => Op::Add,
            "-" => Op::Subtract,
            "!" => Op::Not,
            "*" => Op::Default,
            "!=" => Op::NotEqual,
            "<" => Op::Less,
            "<=" => Op::LessEqual,
            ">" => Op::Greater,
            ">=" => Op::GreaterEqual,
            "=~" => Op::Match,
            "!~" => Op::NotMatch,
            _ => return self.primary(),
        };
        self.enter()?;
        self.at += 1;
        let value = self.unary()?;
        self.depth -= 1;
        Ok(self.add(Expr::Unary(op, value), offset))
    }

    fn primary(&mut self) -> Result<ExprId, SyntaxError> {
        let mut value = self.operand()?;
        loop {
            let offset = self.offset();
            if self.is(".") {
                self.at += 1;
                let name = match self.token().clone() {
                    Token::Name(name) => name,
                    Token::Text(pieces) => match pieces.as_slice() {
                        [Piece::Text(name)] => name.clone(),
                        _ => return Err(self.unsupported("a selector that is computed")),
                    },
                    _ => return Err(self.expected("'IDENT'")),
                };
                self.at += 1;
                value = self.add(Expr::Select(value, name), offset);
            } else if self.is("(") {
                self.at += 1;
                let mut arguments = Vec::new();
                self.commas();
                while !self.eat(")") {
                    arguments.push(self.expression()?);
                    if *self.token() != Token::Comma && !self.is(")") {
                        return Err(self.expected("',' or ')'"));
                    }
                    self.commas();
                }
                value = self.add(Expr::Call(value, arguments), offset);
            } else if self.is("[") {
                self.at += 1;
                let index = self.expression()?;
                if self.is(":") {
                    return Err(self.unsupported("a slice"));
                }
                self.want("]")?;
                value = self.add(Expr::Index(value, index), offset);
            } else {
                return Ok(value);
            }
        }
    }

    fn operand(&mut self) -> Result<ExprId, SyntaxError> {
        let offset = self.offset();
        let token = self.token().clone();
        self.at += 1;
        let expr = match token {
            Token::Name(name) => match name.as_str() {
                "_" => Expr::Top,
                "true" => Expr::Bool(true),
                "false" => Expr::Bool(false),
                "null" => Expr::Null,
                "div" | "mod" | "quo" | "rem" if !self.is("(") => {
                    return Err(self.unsupported("an infix division"));
                }
                _ => Expr::Name(name),
            },
            Token::Number(number) => Expr::Number(number),
            Token::Text(pieces) => self.text(pieces)?,
            Token::Mark("_|_") => Expr::Bottom,
            Token::Mark("(") => {
                self.enter()?;
                let inner = self.expression()?;
                self.depth -= 1;
                self.commas();
                self.want(")")?;
                Expr::Paren(inner)
            }
            Token::Mark("{") => {
                self.enter()?;
                let decls = self.decls("}")?;
                self.depth -= 1;
                Expr::Struct(decls)
            }
            Token::Mark("[") => {
                self.enter()?;
                let list = self.list()?;
                self.depth -= 1;
                list
            }
            _ => {
                self.at -= 1;
                return Err(self.expected("operand"));
            }
        };
        Ok(self.add(expr, offset))
    }

    fn text(&mut self, pieces: Vec<Piece>) -> Result<Expr, SyntaxError> {
        if let [Piece::Text(text)] = pieces.as_slice() {
            return Ok(Expr::Text(text.clone()));
        }
        let mut parts = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) if text.is_empty() => {}
                Piece::Text(text) => parts.push(Part::Text(text)),
                Piece::Source(source, base) => {
                    self.enter()?;
                    let tokens = lex(&source)?;
                    let mut inner = Parser {
                        tokens,
                        at: 0,
                        syntax: &mut *self.syntax,
                        depth: self.depth,
                        base: self.base + base,
                    };
                    let value = inner.expression()?;
                    inner.commas();
                    if *inner.token() != Token::End {
                        return Err(inner.expected("')'"));
                    }
                    self.depth -= 1;
                    parts.push(Part::Value(value));
                }
            }
        }
        Ok(Expr::Interpolation(parts))
    }

    fn list(&mut self) -> Result<Expr, SyntaxError> {
        let mut items = Vec::new();
        loop {
            self.commas();
            if self.eat("]") {
                return Ok(Expr::List { items, rest: None });
            }
            if self.eat("...") {
                let rest = if *self.token() == Token::Comma || self.is("]") {
                    None
                } else {
                    Some(self.expression()?)
                };
                self.commas();
                self.want("]")?;
                return Ok(Expr::List { items, rest: Some(rest) });
            }
            if self.keyword("for") || self.keyword("if") {
                items.push(Item::Each(self.comprehension()?));
            } else {
                items.push(Item::Value(self.expression()?));
            }
            if *self.token() != Token::Comma && !self.is("]") {
                return Err(self.expected("']' or ','"));
            }
        }
    }
}
