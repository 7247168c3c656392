use std::collections::BTreeMap;

/// One challenge of a `WWW-Authenticate` field (RFC 9110, section 11.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// `bearer`, `basic`, …, in lower case.
    pub scheme: String,
    /// The parameters by their names in lower case; the first of two with one name counts.
    pub parameters: BTreeMap<String, String>,
}

/// Challenges and parameters that are read of one field.
const MOST: usize = 64;

impl Challenge {
    /// Reads a field, which may hold several challenges. What is no challenge ends the reading; the ones before it stand.
    #[must_use]
    pub fn parse(field: &str) -> Vec<Self> {
        let mut input = Input(field);
        let mut challenges: Vec<Self> = Vec::new();
        let mut parameters = 0;
        loop {
            input.skip(|c| c == ',' || c == ' ' || c == '\t');
            let Some(word) = input.token() else { break };
            if challenges.len() >= MOST || parameters >= MOST {
                break;
            }
            input.skip(|c| c == ' ' || c == '\t');
            // `name = value` belongs to the challenge before it; anything else begins one.
            if let (true, Some(last)) = (input.0.starts_with('='), challenges.last_mut()) {
                input.skip_one();
                input.skip(|c| c == ' ' || c == '\t');
                let Some(value) = input.value() else { break };
                last.parameters.entry(word.to_ascii_lowercase()).or_insert(value);
                parameters += 1;
            } else if input.0.starts_with('=') {
                break;
            } else {
                challenges.push(Self { scheme: word.to_ascii_lowercase(), parameters: BTreeMap::new() });
                input.token68();
            }
        }
        challenges
    }

    /// A parameter by its name in lower case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

struct Input<'a>(&'a str);

impl<'a> Input<'a> {
    fn skip(&mut self, what: fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(what);
    }

    fn skip_one(&mut self) {
        let mut characters = self.0.chars();
        characters.next();
        self.0 = characters.as_str();
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self.0.find(|c: char| !is_token(c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A `token68` right after a scheme is passed over: no scheme of a registry has one.
    fn token68(&mut self) {
        let end = self.0.find([',', ' ', '\t']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        let padding = word.trim_end_matches('=');
        let is_68 = !padding.is_empty()
            && padding.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c))
            && (rest.trim_start().is_empty() || rest.trim_start().starts_with(','));
        if is_68 && (padding.len() < word.len() || padding.contains('/') || rest.is_empty()) {
            self.0 = rest;
        }
    }

    fn value(&mut self) -> Option<String> {
        let Some(rest) = self.0.strip_prefix('"') else { return self.token().map(str::to_owned) };
        let mut value = String::new();
        let mut characters = rest.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => {
                    self.0 = characters.as_str();
                    return Some(value);
                }
                '\\' => value.push(characters.next()?),
                other => value.push(other),
            }
        }
        None
    }
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}
