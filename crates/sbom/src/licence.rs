//! Declared licences, told apart by what may be said about them in an SPDX field.

use std::fmt;

/// A licence as a package declares it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Licence {
    /// One identifier of the SPDX list.
    Id(String),
    /// A valid SPDX expression of several.
    Expression(String),
    /// Anything else, word for word (`proprietary`, `custom:foo`).
    Text(String),
}

impl Licence {
    /// Reads one declaration. What is no SPDX identifier or expression is kept as text: never guessed.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if let Some(id) = spdx::license_id(text).filter(|id| id.name == text) {
            return Self::Id(id.name.to_owned());
        }
        match spdx::Expression::parse(text) {
            Ok(_) if !text.is_empty() => Self::Expression(text.to_owned()),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// Reads a list of which the user may choose one, as Composer means it.
    #[must_use]
    pub fn any_of(list: &[&str]) -> Vec<Self> {
        let parts: Vec<Self> = list.iter().map(|text| Self::read(text)).collect();
        let valid = parts.iter().all(|part| !matches!(part, Self::Text(_)));
        if parts.len() < 2 || !valid {
            return parts;
        }
        let words: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Self::Expression(text) => format!("({text})"),
                other => other.to_string(),
            })
            .collect();
        vec![Self::Expression(words.join(" OR "))]
    }
}

impl fmt::Display for Licence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(text) | Self::Expression(text) | Self::Text(text) => f.write_str(text),
        }
    }
}
