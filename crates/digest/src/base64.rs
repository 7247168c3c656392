//! Standard base64 with padding (RFC 4648): too little for a dependency.

/// The base64 form of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        for (to, from) in group.iter_mut().zip(chunk) {
            *to = *from;
        }
        let [a, b, c] = group;
        let sextets = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        for (position, sextet) in sextets.into_iter().enumerate() {
            let character = ALPHABET.get(usize::from(sextet)).map_or('=', |&byte| char::from(byte));
            text.push(if position <= chunk.len() { character } else { '=' });
        }
    }
    text
}
