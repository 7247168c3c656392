use std::fmt;

use lotse_yaml::Position;

/// One mistake in `lotse.yaml`: what, where, and what to do. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of mistake, such as `key-unknown`: stable, to be looked up.
    pub code: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The JSON pointer of the place.
    pub pointer: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Every mistake in one file, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// The file, as the caller calls it.
    pub file: String,
    /// The mistakes, never none.
    pub list: Vec<Diagnostic>,
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.list.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            let Diagnostic { code, line, column, message, .. } = mistake;
            write!(f, "{}:{line}:{column}: error[{code}]: {message}", self.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Collects mistakes while a file is read.
#[derive(Debug, Default)]
pub(super) struct Collector {
    list: Vec<Diagnostic>,
}

/// More mistakes than this help nobody.
const MOST: usize = 100;

impl Collector {
    pub(super) fn add(
        &mut self,
        code: &'static str,
        at: Position,
        pointer: &str,
        message: impl Into<String>,
    ) {
        if self.list.len() < MOST {
            let (line, column) = (at.line, at.column);
            self.list.push(Diagnostic {
                code,
                line,
                column,
                pointer: pointer.to_owned(),
                message: message.into(),
            });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn finish(mut self, file: &str) -> Diagnostics {
        self.list.sort_by(|a, b| (a.line, a.column, a.code).cmp(&(b.line, b.column, b.code)));
        self.list.dedup();
        Diagnostics { file: file.to_owned(), list: self.list }
    }
}

/// The word of `known` that is nearest to `word`, if one is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = word.chars().count().max(3) / 3 + 1;
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words, where neighbours that changed places count once.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (index, character) in a.chars().enumerate() {
        let mut next = vec![index + 1];
        for (column, other) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&row, column) + usize::from(character != *other);
            let mut best = replaced.min(at(&row, column + 1) + 1).min(at(&next, column) + 1);
            let swapped = column > 0 && previous == Some(*other) && b.get(column - 1) == Some(&character);
            if swapped {
                best = best.min(at(&before, column - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(character);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_word_is_found_for_a_typo() {
        let known = ["connections", "components", "command", "redis", "mysql"];
        for (typo, meant) in
            [("conections", "connections"), ("redsi", "redis"), ("msyql", "mysql"), ("comand", "command")]
        {
            assert_eq!(nearest(typo, known), Some(meant), "{typo}");
        }
        assert_eq!(nearest("kubernetes", known), None);
    }
}
