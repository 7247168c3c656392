//! Patterns of identities: what they let pass beside what they say.

use super::sample::{branches, matching};
use super::{Counterexample, Linter};
use crate::policy::identity::{PolicyIdentity, check_identities};
use crate::policy::model::{AuthorityKind, ClusterImagePolicy};
use crate::policy::regexp::GoRegex;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Issuer,
    Subject,
}

pub(super) fn lint(policy: &ClusterImagePolicy, linter: &mut Linter<'_>) {
    for (at, authority) in policy.authorities.iter().enumerate() {
        let AuthorityKind::Keyless(keyless) = &authority.kind else { continue };
        for (entry, identity) in keyless.identities.iter().enumerate() {
            let place = format!("/spec/authorities/{at}/keyless/identities/{entry}");
            for (side, field, pattern) in [
                (Side::Issuer, "issuerRegExp", &identity.issuer_regexp),
                (Side::Subject, "subjectRegExp", &identity.subject_regexp),
            ] {
                if !pattern.is_empty() {
                    Pattern { identity, side, pattern, pointer: format!("{place}/{field}") }.lint(linter);
                }
            }
            for (field, exact) in [("issuer", &identity.issuer), ("subject", &identity.subject)] {
                let pointer = format!("{place}/{field}");
                if exact.contains('*') {
                    let message = format!("{field} is compared exactly, a `*` in it stands for itself");
                    let counterexample =
                        refused(identity, &exact.replace("**", "x").replace('*', "x"), field == "issuer");
                    linter.report(
                        "identity-star",
                        &pointer,
                        message,
                        format!("use {field}RegExp with anchors"),
                        counterexample,
                    );
                }
                if exact.contains(char::is_whitespace) {
                    let message = format!("{field} has a blank in it, which no certificate has");
                    let plain: String = exact.split_whitespace().collect();
                    let counterexample = refused(identity, &plain, field == "issuer");
                    linter.report("identity-blank", &pointer, message, BLANK, counterexample);
                }
            }
        }
    }
}

const BLANK: &str = "write it on one line: YAML folds the line break of a quoted text into a blank";

struct Pattern<'a> {
    identity: &'a PolicyIdentity,
    side: Side,
    pattern: &'a str,
    pointer: String,
}

impl Pattern<'_> {
    fn lint(&self, linter: &mut Linter<'_>) {
        if self.pattern.contains(char::is_whitespace) {
            let plain: String = self.pattern.split_whitespace().collect();
            let counterexample =
                matching(&plain).and_then(|good| refused(self.identity, &good, self.side == Side::Issuer));
            let message =
                "the pattern has a blank in it, which no subject or issuer has: it refuses everybody";
            linter.report("identity-blank", &self.pointer, message, BLANK, counterexample);
            // What follows is about the pattern that was meant.
            let mut identity = self.identity.clone();
            match self.side {
                Side::Issuer => identity.issuer_regexp.clone_from(&plain),
                Side::Subject => identity.subject_regexp.clone_from(&plain),
            }
            Pattern { identity: &identity, side: self.side, pattern: &plain, pointer: self.pointer.clone() }
                .lint(linter);
            return;
        }
        let Ok(regex) = GoRegex::new(self.pattern) else { return };
        let anybody = match self.side {
            Side::Issuer => "https://evil.example",
            Side::Subject => "https://evil.example/anything",
        };
        if regex.matches(anybody) && regex.matches("q") {
            let message = "the pattern matches whatever a certificate says";
            let advice = "name the issuer exactly, and the subject by an anchored pattern";
            linter.report("identity-any", &self.pointer, message, advice, self.admits(anybody));
            return;
        }
        self.anchors(linter);
        self.dots(linter);
    }

    fn anchors(&self, linter: &mut Linter<'_>) {
        let parts = branches(self.pattern);
        let core = |part: &str| {
            let part = part.strip_prefix('^').or_else(|| part.strip_prefix("\\A")).unwrap_or(part);
            let part = match part.strip_suffix('$') {
                Some(rest) if !rest.ends_with('\\') => rest,
                _ => part.strip_suffix("\\z").unwrap_or(part),
            };
            part.to_owned()
        };
        let cores: Vec<String> = parts.iter().map(|part| core(part)).collect();
        let intended = format!("^(?:{})$", cores.join("|"));
        let Ok(meant) = GoRegex::new(&intended) else { return };
        let Ok(regex) = GoRegex::new(self.pattern) else { return };
        let mut found = None;
        for core in &cores {
            let Some(good) = matching(core) else { continue };
            // The shortest that does harm: somebody else's host before it, or a continuation behind it.
            for candidate in [
                format!("{good}-evil"),
                format!("{good}.evil.example"),
                format!("https://evil.example/{good}"),
                format!("x{good}"),
            ] {
                if found.is_none() && regex.matches(&candidate) && !meant.matches(&candidate) {
                    found = self.admits(&candidate);
                }
            }
        }
        let Some(counterexample) = found else { return };
        let (rule, message) =
            if parts.len() > 1 && parts.iter().any(|part| part.starts_with('^') || part.ends_with('$')) {
                (
                    "identity-alternation",
                    "`|` binds less than the anchors: each of them holds for one alternative only",
                )
            } else {
                (
                    "identity-unanchored",
                    "the pattern is not anchored at both ends: it is looked for anywhere in the text",
                )
            };
        linter.report(rule, &self.pointer, message, format!("write {intended}"), Some(counterexample));
    }

    fn dots(&self, linter: &mut Linter<'_>) {
        let mut escaped = String::new();
        let mut bare = 0;
        let characters: Vec<char> = self.pattern.chars().collect();
        let (mut class, mut skip) = (false, false);
        for (at, &character) in characters.iter().enumerate() {
            let repeated = matches!(characters.get(at + 1), Some('*' | '+' | '?' | '{'));
            let plain = !class && !skip && character == '.' && !repeated;
            if plain {
                escaped.push('\\');
                bare += 1;
            }
            match character {
                _ if skip => skip = false,
                '\\' => skip = true,
                '[' => class = true,
                ']' => class = false,
                _ => {}
            }
            escaped.push(character);
        }
        if bare == 0 {
            return;
        }
        let (Ok(regex), Ok(meant)) = (GoRegex::new(self.pattern), GoRegex::new(&escaped)) else { return };
        let Some(good) = matching(&escaped) else { return };
        let counterexample =
            good.char_indices().filter(|(_, character)| *character == '.').find_map(|(at, _)| {
                let mut bad = good.clone();
                bad.replace_range(at..=at, "x");
                (regex.matches(&bad) && !meant.matches(&bad)).then(|| self.admits(&bad)).flatten()
            });
        if counterexample.is_some() {
            let message = format!("{bare} dots stand for any character");
            linter.report(
                "identity-dot",
                &self.pointer,
                message,
                format!("escape them: {escaped}"),
                counterexample,
            );
        }
    }

    /// The identity with this text on this side, if the policy's entry admits it.
    fn admits(&self, text: &str) -> Option<Counterexample> {
        let (issuer, subject) = partner(self.identity, text, self.side == Side::Issuer)?;
        let admitted = check_identities(std::slice::from_ref(self.identity), &issuer, &[&subject]).is_ok();
        admitted.then_some(Counterexample::Identity { issuer, subject })
    }
}

/// The identity with this text on one side and something good on the other, if the policy's entry refuses it.
fn refused(identity: &PolicyIdentity, text: &str, is_issuer: bool) -> Option<Counterexample> {
    let (issuer, subject) = partner(identity, text, is_issuer)?;
    let admitted = check_identities(std::slice::from_ref(identity), &issuer, &[&subject]).is_ok();
    (!admitted).then_some(Counterexample::RefusedIdentity { issuer, subject })
}

fn partner(identity: &PolicyIdentity, text: &str, is_issuer: bool) -> Option<(String, String)> {
    let good = |exact: &str, pattern: &str| {
        if pattern.is_empty() {
            return Some(exact.to_owned());
        }
        matching(pattern).or_else(|| matching(&pattern.split_whitespace().collect::<String>()))
    };
    if is_issuer {
        Some((text.to_owned(), good(&identity.subject, &identity.subject_regexp)?))
    } else {
        Some((good(&identity.issuer, &identity.issuer_regexp)?, text.to_owned()))
    }
}
