//! Secrets made at run time from pieces, so that no scanner trips over this repository.
#![allow(dead_code, reason = "each test file uses its part")]

const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Text of an alphabet, different for every seed.
pub(crate) fn random(alphabet: &str, length: usize, seed: u64) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[usize::try_from(state >> 33).unwrap() % letters.len()]
    };
    (0..16).for_each(|_| {
        next();
    });
    (0..length).map(|_| next()).collect()
}

pub(crate) fn base62(length: usize, seed: u64) -> String {
    random(BASE62, length, seed)
}

pub(crate) fn hex(length: usize, seed: u64) -> String {
    random("0123456789abcdef", length, seed)
}

/// A token with the checksum of GitHub and npm.
pub(crate) fn with_crc(prefix: &str, seed: u64) -> String {
    let body = base62(30, seed);
    let mut rest = crc32(body.as_bytes());
    let mut sum = Vec::new();
    for _ in 0..6 {
        sum.push(BASE62.as_bytes()[usize::try_from(rest % 62).unwrap()]);
        rest /= 62;
    }
    sum.reverse();
    format!("{prefix}_{body}{}", String::from_utf8(sum).unwrap())
}

/// CRC-32 bit by bit: independent of the crate under test.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn base64_url(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let text = hex(length * 2, seed);
    (0..length).map(|i| u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).unwrap()).collect()
}

/// A block that looks like a key: DER of a sequence of random bytes.
pub(crate) fn pem(label: &str, seed: u64) -> String {
    let mut der = vec![0x30, 0x82, 0x02, 0x00];
    if label.starts_with("OPENSSH") {
        der = b"openssh-key-v1\0".to_vec();
    }
    der.extend(bytes(512, seed));
    let body = base64(&der);
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|i| &body[i..body.len().min(i + 64)]).collect();
    let dashes = "-----";
    format!("{dashes}BEGIN {label}{dashes}\n{}\n{dashes}END {label}{dashes}\n", lines.join("\n"))
}

pub(crate) fn jwt(seed: u64) -> String {
    let header = base64_url(r#"{"alg":"HS256","typ":"JWT"}"#);
    let payload = base64_url(&format!(r#"{{"sub":"{}"}}"#, hex(12, seed)));
    format!("{header}.{payload}.{}", base62(43, seed))
}

/// Rule and secret; each is what the service would issue, as far as its form is public.
pub(crate) fn secrets() -> Vec<(&'static str, String)> {
    let b64 = |n: usize, seed: u64| base64(&bytes(n, seed));
    vec![
        ("github-token", with_crc("ghp", 1)),
        ("github-token", with_crc("ghs", 2)),
        ("github-fine-grained-token", format!("github_{}_{}_{}", "pat", base62(22, 3), base62(59, 4))),
        ("gitlab-token", format!("gl{}-{}", "pat", base62(20, 5))),
        ("gitlab-token", format!("gl{}-{}", "rt", base62(20, 6))),
        ("aws-access-key-id", format!("AK{}{}", "IA", random("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16, 7))),
        ("gcp-api-key", format!("AI{}{}", "za", base62(35, 8))),
        ("gcp-oauth-secret", format!("GOC{}-{}", "SPX", base62(28, 9))),
        ("azure-client-secret", format!("{}8Q~{}", base62(3, 10), base62(34, 11))),
        ("azure-devops-token", format!("{}AZ{}{}", base62(76, 12), "DO", base62(4, 13))),
        ("digitalocean-token", format!("dop_{}_{}", "v1", hex(64, 14))),
        ("npm-token", with_crc("npm", 15)),
        ("pypi-token", format!("pypi-AgE{}{}", "IcHlwaS5vcmc", base62(120, 16))),
        ("docker-token", format!("dckr_{}_{}", "pat", base62(27, 17))),
        ("crates-io-token", format!("c{}{}", "io", base62(32, 18))),
        ("rubygems-token", format!("rubygems_{}", hex(48, 19))),
        ("slack-token", format!("xo{}-{}-{}-{}", "xb", "123456789012", "1234567890123", base62(24, 20))),
        ("stripe-key", format!("sk_{}_{}", "live", base62(24, 21))),
        ("stripe-webhook-secret", format!("wh{}_{}", "sec", base62(32, 22))),
        ("sendgrid-key", format!("S{}.{}.{}", "G", base62(22, 23), base62(43, 24))),
        ("mailgun-key", format!("key-{}", hex(32, 25))),
        ("mailchimp-key", format!("{}-us{}", hex(32, 26), 12)),
        ("twilio-key", format!("S{}{}", "K", hex(32, 27))),
        ("telegram-bot-token", format!("123456789:A{}{}", "A", base62(33, 28))),
        ("shopify-token", format!("sh{}_{}", "pat", hex(32, 29))),
        ("newrelic-key", format!("NR{}-{}", "AK", base62(27, 30).to_uppercase())),
        ("grafana-token", format!("gl{}_{}_{}", "sa", base62(32, 31), hex(8, 32))),
        ("vault-token", format!("h{}.{}", "vs", base62(95, 33))),
        ("terraform-cloud-token", format!("{}.atlas{}.{}", base62(14, 34), "v1", base62(67, 35))),
        ("pulumi-token", format!("p{}-{}", "ul", hex(40, 36))),
        ("jwt", jwt(37)),
        ("laravel-app-key", format!("base{}:{}", 64, b64(32, 38))),
        ("databricks-token", format!("da{}{}", "pi", hex(32, 39))),
        ("private-key", pem("RSA PRIVATE KEY", 40).trim_end().to_owned()),
        ("private-key", pem("PRIVATE KEY", 41).trim_end().to_owned()),
        ("private-key", pem("OPENSSH PRIVATE KEY", 42).trim_end().to_owned()),
    ]
}

/// Rule, text around (with `@` for the secret) and secret: forms that need their surroundings.
pub(crate) fn in_context() -> Vec<(&'static str, String, String)> {
    let b64 = |n: usize, seed: u64| base64(&bytes(n, seed));
    let url = |scheme: &str, user: &str| format!("{scheme}://{user}:@");
    let with = |text: String, after: &str| format!("{text}{after}");
    vec![
        (
            "aws-secret-access-key",
            format!("aws_secret_{}_key = \"@\"", "access"),
            random(&format!("{BASE62}/+"), 40, 50),
        ),
        ("azure-storage-key", format!("DefaultEndpointsProtocol=https;Account{}=@;x", "Key"), b64(64, 51)),
        (
            "docker-auth",
            "{\"auths\": {\"r.io\": {\"auth\": \"@\"}}}".to_owned(),
            base64(format!("bot:{}", base62(12, 52)).as_bytes()),
        ),
        ("database-url", with(url("mysql", "shop"), "\u{40}db:3306/shop"), base62(9, 53)),
        ("database-url", with(url("postgresql+asyncpg", "u"), "\u{40}pg/x?sslmode=require"), base62(14, 54)),
        ("database-url", with(url("redis", ""), "\u{40}redis:6379"), base62(20, 55)),
        ("database-url", with(url("mongodb+srv", "a"), "\u{40}c.acme.dev"), base62(10, 56)),
        ("url-password", with(url("https", "deploy"), "\u{40}git.acme.dev/x.git"), base62(12, 57)),
        ("env-secret", format!("{}_PASSWORD=@", "DB"), base62(16, 58)),
        ("env-secret", format!("export MAIL_{}=\"@\"", "PASSWORD"), base62(16, 59)),
        ("assigned-secret", format!("  JWT_{}: @", "SECRET"), base62(32, 63)),
        ("env-secret", format!("'DB_{}' => '@',", "PASSWORD"), base62(14, 64)),
        ("assigned-secret", format!("repo_{}: @", "token"), hex(40, 65)),
        ("assigned-secret", format!("\"client{}\": \"@\",", "Secret"), base62(32, 66)),
        (
            "slack-webhook",
            format!("https://hooks.slack.com/{}/@", "services"),
            format!("T{}/B{}/{}", base62(8, 60), base62(8, 61), base62(24, 62)),
        ),
    ]
}
