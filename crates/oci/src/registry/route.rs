use lotse_digest::Reference;

/// What a path asks for, below a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Token,
    Blob(String),
    Uploads,
    Upload(String),
    Manifest(String),
    Tags,
    Referrers(String),
}

/// The repository and the place of a path; `Err` if it is none.
pub(super) fn parse(path: &str) -> Result<(String, Place), &'static str> {
    match path {
        "/v2/" | "/v2" => return Ok((String::new(), Place::Root)),
        "/token" => return Ok((String::new(), Place::Token)),
        _ => {}
    }
    let rest = path.strip_prefix("/v2/").ok_or("NAME_UNKNOWN")?;
    let parts: Vec<&str> = rest.split('/').collect();
    let (name, place) = match parts.as_slice() {
        [name @ .., "blobs", "uploads", ""] | [name @ .., "blobs", "uploads"] => (name, Place::Uploads),
        [name @ .., "blobs", "uploads", id] => (name, Place::Upload((*id).to_owned())),
        [name @ .., "blobs", digest] => (name, Place::Blob(decode(digest))),
        [name @ .., "manifests", what] => (name, Place::Manifest(decode(what))),
        [name @ .., "tags", "list"] => (name, Place::Tags),
        [name @ .., "referrers", digest] => (name, Place::Referrers(decode(digest))),
        _ => return Err("NAME_UNKNOWN"),
    };
    let name = name.join("/");
    let good = format!("host.example/{name}").parse::<Reference>();
    if good.is_ok_and(|reference| reference.tag().is_none() && reference.digest().is_none()) {
        Ok((name, place))
    } else {
        Err("NAME_INVALID")
    }
}

/// The repository of a path, if it has one.
pub(super) fn name(path: &str) -> Option<String> {
    parse(path).ok().map(|(name, _)| name).filter(|name| !name.is_empty())
}

/// The pairs of a query or a form.
pub(super) fn parameters(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(256);
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || char::from(ahead.next()?).to_digit(16);
        match (byte, digit(), digit()) {
            (b'%', Some(high), Some(low)) => {
                out.extend(u8::try_from(high * 16 + low));
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
