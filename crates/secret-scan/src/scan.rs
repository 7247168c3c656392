//! One piece of content against all rules.

use crate::error::{Error, Limits};
use crate::finding::{Finding, Findings, NotScanned, Place, Proof};
use crate::kubernetes::{self, secret_values};
use crate::rules::{BUILTIN, Rule, entropy_tenths, find_keys, is_example_address, is_placeholder, pem};
use crate::secret::Secret;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex::bytes::{Regex, RegexBuilder};
use std::io::Read;
use std::ops::Range;

/// The compiled rules. Build it once; it can be shared between threads.
#[derive(Debug)]
pub struct Scanner {
    keywords: AhoCorasick,
    /// Per keyword of the automaton the rules that ask for it.
    asking: Vec<Vec<usize>>,
    patterns: Vec<Regex>,
    /// Positions of the words that call for the two readers that are no patterns.
    pem_word: usize,
    secret_word: usize,
    limits: Limits,
}

/// A hit before it is told where it stands.
struct Hit<'a> {
    rule: &'static str,
    description: &'static str,
    public: usize,
    range: Range<usize>,
    secret: Secret<'a>,
    proof: Proof,
}

/// Where to look.
struct Windows {
    of_rules: Vec<Vec<Range<usize>>>,
    pem: bool,
    secret: bool,
}

impl Scanner {
    /// Compiles the built-in rules.
    ///
    /// # Errors
    /// [`Error::Rule`] if a rule does not compile, which a test of this crate excludes.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        let mut words: Vec<&'static str> = Vec::new();
        let mut asking: Vec<Vec<usize>> = Vec::new();
        let mut patterns = Vec::with_capacity(BUILTIN.len());
        for (index, rule) in BUILTIN.iter().enumerate() {
            let refuse = |reason: String| Error::Rule { rule: rule.id.to_owned(), reason };
            let pattern =
                RegexBuilder::new(rule.pattern).unicode(false).build().map_err(|e| refuse(e.to_string()))?;
            if pattern.captures_len() != 2 || rule.keywords.is_empty() {
                return Err(refuse("it needs keywords and exactly one group".to_owned()));
            }
            patterns.push(pattern);
            for keyword in rule.keywords {
                let at = words.iter().position(|w| w == keyword).unwrap_or_else(|| {
                    words.push(keyword);
                    asking.push(Vec::new());
                    words.len().saturating_sub(1)
                });
                if let Some(rules) = asking.get_mut(at) {
                    rules.push(index);
                }
            }
        }
        let (pem_word, secret_word) = (words.len(), words.len().saturating_add(1));
        words.extend(["-----begin ", "secret"]);
        let keywords = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&words)
            .map_err(|e| Error::Rule { rule: "all".to_owned(), reason: e.to_string() })?;
        Ok(Self { keywords, asking, patterns, pem_word, secret_word, limits })
    }

    /// The limits it was built with.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Scans one piece of content. UTF-16 is decoded first; a Kubernetes Secret is also scanned value by value.
    #[must_use]
    pub fn scan(&self, bytes: &[u8], place: &Place) -> Findings {
        let mut out = Findings { scanned: 1, ..Findings::default() };
        if bytes.len() > self.limits.file_bytes {
            let reason = format!("{} bytes are above the limit of {}", bytes.len(), self.limits.file_bytes);
            out.not_scanned.push(NotScanned { place: place.clone(), reason });
            out.scanned = 0;
            return out;
        }
        out.bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(reason) = unopened(bytes) {
            out.not_scanned.push(NotScanned { place: place.clone(), reason: reason.to_owned() });
        }
        match utf16(bytes) {
            Some(text) => self.text(text.as_bytes(), place, &mut out),
            None => self.text(bytes, place, &mut out),
        }
        if bytes.starts_with(GZIP) {
            self.gzip(bytes, place, &mut out);
        }
        out.sort();
        out
    }

    /// What is packed with gzip, one level deep; a tar archive in it is scanned as the text it is.
    fn gzip(&self, bytes: &[u8], place: &Place, out: &mut Findings) {
        let limit = u64::try_from(self.limits.file_bytes).unwrap_or(u64::MAX);
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(limit.saturating_add(1));
        let place = place.part("unpacked");
        if let Err(error) = reader.read_to_end(&mut unpacked) {
            let reason = format!("damaged gzip: {error}");
            out.not_scanned.push(NotScanned { place: place.clone(), reason });
        }
        if unpacked.len() > self.limits.file_bytes {
            let reason = format!("unpacked it is above the limit of {limit} bytes; scanned up to there");
            out.not_scanned.push(NotScanned { place: place.clone(), reason });
        }
        self.text(&unpacked, &place, out);
    }

    fn text(&self, bytes: &[u8], place: &Place, out: &mut Findings) {
        let (mut hits, names_secret) = self.hits(bytes);
        let values = if names_secret { secret_values(bytes) } else { Vec::new() };
        for value in &values {
            let secret = Secret(&value.decoded);
            // A value that is a known token is reported as that token, at the place of the value.
            let (inner, _) = self.hits(&value.decoded);
            let public_value = value.decoded.len() < 4 || is_placeholder(&value.decoded);
            let (rule, description, public, proof, secret) = match inner.first() {
                Some(hit) => (hit.rule, hit.description, hit.public, hit.proof, hit.secret),
                None if public_value => continue,
                None => (kubernetes::ID, kubernetes::DESCRIPTION, 0, Proof::Structure, secret),
            };
            hits.retain(|hit| {
                hit.range.start < value.offset || hit.range.start > value.offset.saturating_add(2)
            });
            let hit = Hit { rule, description, public, range: value.offset..value.offset, secret, proof };
            self.report(bytes, &[hit], &place.part(value.part.clone()), out);
        }
        self.report(bytes, &hits, place, out);
    }

    /// All matches, overlaps resolved: the earlier rule of the table keeps the place. And whether the word `secret` occurs.
    fn hits<'b>(&self, bytes: &'b [u8]) -> (Vec<Hit<'b>>, bool) {
        let Windows { of_rules, pem, secret } = self.windows(bytes);
        let mut hits: Vec<Hit<'b>> = Vec::new();
        for range in if pem { find_keys(bytes) } else { Vec::new() } {
            let Some(block) = bytes.get(range.clone()) else { continue };
            let (rule, description, proof) = (pem::ID, pem::DESCRIPTION, Proof::Structure);
            hits.push(Hit { rule, description, public: 0, range, secret: Secret(block), proof });
        }
        for (index, windows) in of_rules.into_iter().enumerate() {
            let (Some(rule), Some(pattern)) = (BUILTIN.get(index), self.patterns.get(index)) else {
                continue;
            };
            for window in windows {
                self.matches(rule, pattern, bytes, window, &mut hits);
            }
        }
        (hits, secret)
    }

    /// Per rule the stretches around its keywords, merged. No match can lie outside: it holds a keyword and is no
    /// longer than the rule's reach.
    fn windows(&self, bytes: &[u8]) -> Windows {
        let mut windows: Vec<Vec<Range<usize>>> = Vec::new();
        windows.resize_with(self.patterns.len(), Vec::new);
        let (mut pem, mut secret) = (false, false);
        for hit in self.keywords.find_overlapping_iter(bytes) {
            let word = hit.pattern().as_usize();
            pem |= word == self.pem_word;
            secret |= word == self.secret_word;
            for index in self.asking.get(word).into_iter().flatten() {
                let (Some(rule), Some(list)) = (BUILTIN.get(*index), windows.get_mut(*index)) else {
                    continue;
                };
                let start = hit.start().saturating_sub(rule.reach);
                let end = hit.end().saturating_add(rule.reach).saturating_add(1).min(bytes.len());
                match list.last_mut() {
                    Some(last) if start <= last.end => last.end = last.end.max(end),
                    _ => list.push(start..end),
                }
            }
        }
        Windows { of_rules: windows, pem, secret }
    }

    fn matches<'b>(
        &self,
        rule: &Rule,
        pattern: &Regex,
        bytes: &'b [u8],
        window: Range<usize>,
        hits: &mut Vec<Hit<'b>>,
    ) {
        // Only the end is cut, so that word boundaries at the start see what stands before.
        let text = bytes.get(..window.end).unwrap_or_default();
        let mut at = window.start;
        while at <= text.len() {
            let Some(found) = pattern.captures_at(text, at) else { return };
            let (Some(whole), Some(group)) = (found.get(0), found.get(1)) else { return };
            at = group.end().max(whole.start().saturating_add(1));
            let secret = group.as_bytes();
            if entropy_tenths(secret) <= rule.entropy && rule.entropy > 0 {
                continue;
            }
            let Some(proof) = rule.check.apply(secret) else { continue };
            if is_example_address(whole.as_bytes()) {
                continue;
            }
            if proof != Proof::Checksum
                && (is_placeholder(secret) || is_placeholder(secret.get(rule.public..).unwrap_or_default()))
            {
                continue;
            }
            let taken = |hit: &Hit<'_>| hit.range.start < group.end() && group.start() < hit.range.end;
            if hits.len() > self.limits.findings_per_file {
                return;
            }
            if !hits.iter().any(taken) {
                hits.push(Hit {
                    rule: rule.id,
                    description: rule.description,
                    public: rule.public,
                    range: group.range(),
                    secret: Secret(secret),
                    proof,
                });
            }
        }
    }

    fn report(&self, bytes: &[u8], hits: &[Hit<'_>], place: &Place, out: &mut Findings) {
        let mut place = place.clone();
        for hit in hits {
            if let Ok(secret) = std::str::from_utf8(hit.secret.0)
                && place.path.contains(secret)
            {
                place.path = place.path.replace(secret, "[masked]");
            }
        }
        let mut hits: Vec<&Hit<'_>> = hits.iter().collect();
        hits.sort_by_key(|hit| hit.range.start);
        let (mut line, mut line_start, mut seen) = (1_u64, 0_usize, 0_usize);
        for (nth, hit) in hits.into_iter().enumerate() {
            if nth >= self.limits.findings_per_file {
                let reason =
                    format!("more than {} findings; the rest is left out", self.limits.findings_per_file);
                out.not_scanned.push(NotScanned { place: place.clone(), reason });
                return;
            }
            for (i, byte) in bytes.get(seen..hit.range.start).unwrap_or_default().iter().enumerate() {
                if *byte == b'\n' {
                    line = line.saturating_add(1);
                    line_start = seen.saturating_add(i).saturating_add(1);
                }
            }
            seen = hit.range.start;
            let column = hit.range.start.saturating_sub(line_start).saturating_add(1);
            out.found.push(Finding {
                place: place.clone(),
                line,
                column: u64::try_from(column).unwrap_or(u64::MAX),
                rule: hit.rule,
                description: hit.description,
                preview: hit.secret.preview(hit.public),
                fingerprint: hit.secret.fingerprint(hit.rule),
                proof: hit.proof,
            });
        }
    }
}

const GZIP: &[u8] = b"\x1f\x8b\x08";

/// Formats whose content is compressed: their bytes are scanned as they stand, what is inside is not.
fn unopened(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "a ZIP archive is not opened yet"),
        (b"BZh", "bzip2 is not opened yet"),
        (b"\xfd7zXZ\0", "xz is not opened yet"),
        (b"\x28\xb5\x2f\xfd", "zstd is not opened yet"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive is not opened yet"),
        (b"Rar!\x1a\x07", "a RAR archive is not opened yet"),
    ];
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, reason)| *reason)
}

/// UTF-16 by its mark, or by every second byte being zero.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (body, big) = match bytes {
        [0xff, 0xfe, body @ ..] => (body, false),
        [0xfe, 0xff, body @ ..] => (body, true),
        _ => {
            let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
            let zeros = |skip: usize| head.iter().skip(skip).step_by(2).filter(|b| **b == 0).count();
            let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
            match half >= 4 {
                true if odd * 10 >= half * 9 && even * 10 <= half => (bytes, false),
                true if even * 10 >= half * 9 && odd * 10 <= half => (bytes, true),
                _ => return None,
            }
        }
    };
    let units = body.chunks_exact(2).map(|pair| match pair {
        [a, b] if big => u16::from_be_bytes([*a, *b]),
        [a, b] => u16::from_le_bytes([*a, *b]),
        _ => 0,
    });
    Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect())
}
