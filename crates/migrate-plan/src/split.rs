//! A script into its statements.

use crate::engine::Engine;
use crate::error::Error;
use crate::token::{Broken, Lexer, Placed, Token};

/// Scripts above this size are data, not migrations.
const MAX_BYTES: usize = 8 << 20;

/// One statement of a script.
#[derive(Debug, Clone)]
pub struct Statement {
    text: String,
    line: u32,
    pub(crate) tokens: Vec<Token>,
}

impl Statement {
    /// The statement as written, without its end mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line of its first word, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }
}

/// Splits a script as the engine's own client does: `DELIMITER` and `/*! … */` of MySQL and MariaDB, dollar quotes and
/// `BEGIN ATOMIC` of PostgreSQL, trigger bodies of SQLite. Empty statements are dropped.
///
/// # Errors
/// [`Error::Malformed`] where a string, comment or body does not end, [`Error::TooLarge`] above 8 MiB.
pub fn split(path: &str, text: &str, engine: Engine) -> Result<Vec<Statement>, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::TooLarge { path: path.to_owned(), bytes: text.len(), limit: MAX_BYTES });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Splitter {
        text,
        engine,
        lexer: Lexer::new(text, engine),
        delimiter: ";".to_owned(),
        line: 1,
        counted: 0,
        body: Body::default(),
    }
    .run()
    .map_err(|(offset, reason)| {
        let before = text.get(..offset).unwrap_or_default();
        let line = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1);
        Error::Malformed { path: path.to_owned(), line, reason }
    })
}

struct Splitter<'a> {
    text: &'a str,
    engine: Engine,
    lexer: Lexer<'a>,
    delimiter: String,
    line: u32,
    counted: usize,
    body: Body,
}

impl Splitter<'_> {
    fn run(mut self) -> Result<Vec<Statement>, Broken> {
        let mut out = Vec::new();
        let mut current: Vec<Placed> = Vec::new();
        loop {
            self.lexer.blank()?;
            if current.is_empty() && self.engine.is_mysql_family() && self.delimiter_command() {
                continue;
            }
            let rest = self.text.get(self.lexer.at()..).unwrap_or_default();
            if rest.starts_with(&self.delimiter) && !self.body.is_open() {
                let end = self.lexer.at();
                self.lexer.jump(end.saturating_add(self.delimiter.len()));
                self.finish(&mut current, &mut out);
                continue;
            }
            match self.lexer.next()? {
                Some(placed) => {
                    self.body.take(&placed.token, self.engine);
                    current.push(placed);
                }
                None => break,
            }
        }
        if self.body.is_open() {
            return Err((current.first().map_or(0, |p| p.start), "the text ends inside a BEGIN … END body"));
        }
        self.finish(&mut current, &mut out);
        Ok(out)
    }

    /// `DELIMITER //` is the client's own line and never reaches the server.
    fn delimiter_command(&mut self) -> bool {
        let at = self.lexer.at();
        let line = self.text.get(at..).unwrap_or_default().lines().next().unwrap_or_default();
        let Some((command, mark)) = line.split_once([' ', '\t']) else { return false };
        let mark = mark.split_whitespace().next().unwrap_or_default();
        if !command.eq_ignore_ascii_case("delimiter") || mark.is_empty() {
            return false;
        }
        mark.clone_into(&mut self.delimiter);
        self.lexer.jump(at.saturating_add(line.len()));
        true
    }

    fn finish(&mut self, current: &mut Vec<Placed>, out: &mut Vec<Statement>) {
        self.body = Body::default();
        let (Some(first), Some(last)) = (current.first(), current.last()) else { return };
        let (start, end) = (first.start, last.end);
        let new_lines = self.text.get(self.counted..start).unwrap_or_default().matches('\n').count();
        self.line = self.line.saturating_add(u32::try_from(new_lines).unwrap_or(u32::MAX));
        self.counted = start;
        out.push(Statement {
            text: self.text.get(start..end).unwrap_or_default().to_owned(),
            line: self.line,
            tokens: current.drain(..).map(|p| p.token).collect(),
        });
    }
}

/// Whether a semicolon belongs to a body (`BEGIN … END` of a SQLite trigger, `BEGIN ATOMIC … END` of a PostgreSQL
/// routine), kept up to date word by word.
#[derive(Default)]
struct Body {
    head: Vec<String>,
    last_was_begin: bool,
    depth: usize,
}

impl Body {
    fn is_open(&self) -> bool {
        self.depth > 0
    }

    fn take(&mut self, token: &Token, engine: Engine) {
        let Token::Word(word) = token else { return };
        if self.head.len() < 6 {
            self.head.push(word.clone());
        }
        let mut head = self.head.iter().map(String::as_str);
        let creates = head.next() == Some("create");
        let (has_body, atomic) = match engine {
            Engine::Sqlite => (creates && head.take(2).any(|w| w == "trigger"), false),
            Engine::Postgres => (creates && head.any(|w| w == "function" || w == "procedure"), true),
            _ => (false, false),
        };
        let opens = if atomic { word == "atomic" && self.last_was_begin } else { word == "begin" };
        self.last_was_begin = word == "begin";
        if !has_body {
            return;
        }
        match word.as_str() {
            _ if opens => self.depth = self.depth.saturating_add(1),
            "case" if self.depth > 0 => self.depth = self.depth.saturating_add(1),
            "end" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
