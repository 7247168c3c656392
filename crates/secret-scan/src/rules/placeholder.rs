//! What stands where a secret would stand, and is none.

/// Words that nobody has in a real secret. Compared without ASCII case.
const WORDS: [&[u8]; 24] = [
    b"somerandom",
    b"randomstring",
    b"some-random",
    b"example",
    b"changeme",
    b"change-me",
    b"change_me",
    b"placeholder",
    b"your-",
    b"your_",
    b"yourp",
    b"dummy",
    b"sample",
    b"redacted",
    b"insert",
    b"replace",
    b"xxxx",
    b"****",
    b"....",
    b"____",
    b"not-a-secret",
    b"fake",
    b"todo",
    b"test-only",
];

/// Whole values that are no secret.
const VALUES: [&[u8]; 27] = [
    b"password",
    b"passwd",
    b"passw0rd",
    b"pass",
    b"pwd",
    b"pw",
    b"secret",
    b"token",
    b"root",
    b"admin",
    b"user",
    b"username",
    b"null",
    b"none",
    b"true",
    b"false",
    b"undefined",
    b"default",
    b"test",
    b"testing",
    b"postgres",
    b"mysql",
    b"mariadb",
    b"redis",
    b"guest",
    b"value",
    b"string",
];

/// Whether this is an obvious stand-in: a word that says so, a reference to be filled in, or a run without content.
pub(crate) fn is_placeholder(secret: &[u8]) -> bool {
    let lower = secret.to_ascii_lowercase();
    let has = |needle: &[u8]| lower.windows(needle.len()).any(|window| window == needle);
    let is_reference =
        [b"${".as_slice(), b"$(", b"{{", b"}}", b"<%", b"%(", b"%env", b"ref:", b"vault:", b"@@"]
            .iter()
            .any(|n| has(n));
    let is_variable = lower.first().is_some_and(|b| matches!(b, b'$' | b'%' | b'<' | b'{' | b'['))
        && lower
            .iter()
            .skip(1)
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'%' | b'>' | b'}' | b']'));
    VALUES.contains(&lower.as_slice())
        || WORDS.iter().any(|word| has(word))
        || is_reference
        || is_variable
        || distinct(&lower) < 4
        || is_sequence(&lower)
}

/// Whether an address leads to a name that is reserved for examples (RFC 2606).
pub(crate) fn is_example_address(address: &[u8]) -> bool {
    let Some(at) = address.iter().rposition(|b| *b == b'@') else { return false };
    let host = address.get(at..).unwrap_or_default().to_ascii_lowercase();
    [b"example.com".as_slice(), b"example.org", b"example.net", b".example"]
        .iter()
        .any(|name| host.ends_with(name))
}

fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|s| **s).count()
}

/// Mostly steps of one: `0123456789abcdef`, `abcdefgh`.
fn is_sequence(bytes: &[u8]) -> bool {
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let steps = pairs
        .filter(|(a, b)| b.wrapping_sub(**a) == 1 || (**a == b'9' && matches!(**b, b'0' | b'a')))
        .count();
    bytes.len() >= 8 && steps.saturating_mul(5) >= bytes.len().saturating_sub(1).saturating_mul(4)
}
