//! `*` and `**`, matched in time proportional to pattern times text.

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wildcard {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    /// `*`
    Segment,
    /// `**`
    Anything,
}

impl Wildcard {
    /// Reads a pattern; every text is one.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('*') {
            if at > 0 {
                parts.push(Part::Text(rest.get(..at).unwrap_or_default().to_owned()));
            }
            rest = rest.get(at + 1..).unwrap_or_default();
            match rest.strip_prefix('*') {
                Some(after) => {
                    parts.push(Part::Anything);
                    rest = after;
                }
                None => parts.push(Part::Segment),
            }
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Self { source: text.to_owned(), parts }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        // The set of offsets that some way through the pattern so far reaches.
        let mut reached = vec![false; text.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for part in &self.parts {
            let mut next = vec![false; text.len() + 1];
            let mut open = false;
            for at in 0..=text.len() {
                let here = reached.get(at).copied().unwrap_or(false);
                let (offset, set) = match part {
                    Part::Text(literal) => {
                        let fits = text
                            .as_bytes()
                            .get(at..)
                            .is_some_and(|rest| rest.starts_with(literal.as_bytes()));
                        (at + literal.len(), here && fits)
                    }
                    Part::Anything => {
                        open |= here;
                        (at, open)
                    }
                    Part::Segment => {
                        open |= here;
                        let set = open;
                        if text.as_bytes().get(at) == Some(&b'/') {
                            open = false;
                        }
                        (at, set)
                    }
                };
                if set && let Some(slot) = next.get_mut(offset) {
                    *slot = true;
                }
            }
            reached = next;
        }
        // Go's `.` does not match a line break.
        reached.last().copied().unwrap_or(false) && !text.contains('\n')
    }
}
