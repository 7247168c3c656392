//! The registry for tests as other programs see it: bytes on a socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use lotse_digest::{Algorithm, Digest};
use lotse_oci::registry::{Auth, Fault, Options, Registry, Rule, Running};

/// What comes back for these bytes, all of it.
fn ask(registry: &Running, request: &str) -> String {
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    // Whoever answers a request that is none closes at once, sometimes before this.
    match stream.shutdown(Shutdown::Write) {
        Err(error) if error.kind() != std::io::ErrorKind::NotConnected => panic!("{error}"),
        _ => {}
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A request with `Content-Length`.
fn send(registry: &Running, line: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    ask(registry, &format!("{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{fields}\r\n{body}"))
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn put_blob(registry: &Running, name: &str, content: &str) -> Digest {
    let digest = Digest::sha256(content.as_bytes());
    let answer = send(registry, &format!("POST /v2/{name}/blobs/uploads/?digest={digest}"), "", content);
    assert_eq!(status(&answer), 201, "{answer}");
    digest
}

#[test]
fn paths_and_methods_are_answered_as_the_specification_says() {
    let registry = Registry::start(Options::default()).unwrap();
    let digest = put_blob(&registry, "a/b", "content");
    let other = Digest::sha256(b"other");
    for (line, expected) in [
        ("GET /v2/", 200),
        ("GET /v2", 200),
        ("GET /", 404),
        ("GET /v1/_ping", 404),
        ("POST /v2/", 405),
        (&format!("GET /v2/a/b/blobs/{digest}"), 200),
        (&format!("HEAD /v2/a/b/blobs/{digest}"), 200),
        (&format!("GET /v2/a/c/blobs/{digest}"), 404),
        (&format!("GET /v2/a/b/blobs/{other}"), 404),
        ("GET /v2/a/b/blobs/sha256:zz", 400),
        ("GET /v2/a/b/blobs/crc32:00", 400),
        ("GET /v2/A/blobs/sha256:zz", 400),
        ("GET /v2/a/../b/manifests/x", 404),
        ("GET /v2/a/b/manifests/none", 404),
        ("PUT /v2/a/b/manifests/-none", 400),
        ("PUT /v2/a/b/manifests/sha256:zz", 400),
        ("PUT /v2/a/b/manifests/v1", 400),
        ("GET /v2/none/tags/list", 404),
        ("GET /v2/a/b/tags/list", 200),
        ("GET /v2/a/b/referrers/sha256:zz", 400),
        (&format!("GET /v2/none/referrers/{other}"), 200),
        ("GET /v2/a/b/blobs/uploads/none", 404),
        ("PATCH /v2/a/b/blobs/uploads/none", 404),
        ("DELETE /v2/a/b/blobs/uploads/none", 404),
        (&format!("DELETE /v2/a/b/blobs/{other}"), 404),
        ("DELETE /v2/a/b/manifests/none", 404),
        ("POST /v2/a/b/blobs/uploads/?digest-algorithm=md5", 400),
        (&format!("POST /v2/a/c/blobs/uploads/?mount={digest}&from=a%2Fb"), 201),
        (&format!("POST /v2/a/d/blobs/uploads/?mount={digest}"), 201),
        (&format!("POST /v2/a/e/blobs/uploads/?mount={other}&from=a/b"), 202),
        (&format!("DELETE /v2/a/b/blobs/{digest}"), 202),
        (&format!("GET /v2/a/b/blobs/{digest}"), 404),
        (&format!("GET /v2/a/c/blobs/{digest}"), 200),
    ] {
        let answer = send(&registry, line, "", "");
        assert_eq!(status(&answer), expected, "{line}: {answer}");
        if expected >= 400 && !line.starts_with("HEAD") {
            assert!(answer.contains("{\"errors\":[{\"code\":\""), "{line}: {answer}");
        }
        if line.starts_with("HEAD") {
            assert_eq!(field(&answer, "content-length"), Some("7"));
            assert!(answer.ends_with("\r\n\r\n"), "no body: {answer:?}");
        }
    }
    let locked = Registry::start(Options { deletes: false, ..Options::default() }).unwrap();
    assert_eq!(status(&send(&locked, &format!("DELETE /v2/a/b/blobs/{other}"), "", "")), 405);
}

#[test]
fn uploads_come_whole_in_pieces_and_in_streams() {
    let registry = Registry::start(Options { chunk_minimum: Some(3), ..Options::default() }).unwrap();
    let digest = Digest::of(Algorithm::Sha512, b"hello world");
    let begun = send(&registry, "POST /v2/a/blobs/uploads/?digest-algorithm=sha512", "", "");
    assert_eq!((status(&begun), field(&begun, "range")), (202, Some("0-0")));
    assert_eq!(field(&begun, "oci-chunk-min-length"), Some("3"));
    let place = field(&begun, "location").unwrap().to_owned();
    let piece = |range: &str, body: &str| {
        send(&registry, &format!("PATCH {place}"), &format!("Content-Range: {range}\r\n"), body)
    };
    assert_eq!(field(&piece("0-3", "hell"), "range"), Some("0-3"));
    for (what, range, body, expected) in [
        ("overlapping", "0-3", "hell", 416),
        ("out of order", "6-8", "wor", 416),
        ("no range", "x-y", "wor", 416),
        ("backwards", "8-6", "wor", 416),
        ("another length", "4-9", "o", 400),
    ] {
        assert_eq!(status(&piece(range, body)), expected, "{what}");
    }
    // A stream without a range, in HTTP's own chunks, after being asked to wait.
    let streamed = ask(
        &registry,
        &format!(
            "PATCH {place} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n2\r\no \r\n3;x=y\r\nwor\r\n0\r\nTrailer: x\r\n\r\n"
        ),
    );
    assert!(streamed.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202"), "{streamed}");
    let told = send(&registry, &format!("GET {place}"), "", "");
    assert_eq!((status(&told), field(&told, "range")), (204, Some("0-8")));
    let ended = send(&registry, &format!("PUT {place}?digest={digest}"), "Content-Range: 9-10\r\n", "ld");
    assert_eq!(status(&ended), 201, "{ended}");
    assert_eq!(field(&ended, "docker-content-digest"), Some(digest.to_string().as_str()));
    let blob = send(&registry, &format!("GET /v2/a/blobs/{digest}"), "Range: bytes=6-\r\n", "");
    assert_eq!((status(&blob), field(&blob, "content-range")), (206, Some("bytes 6-10/11")));
    assert!(blob.ends_with("\r\n\r\nworld"));
    // A wrong digest ends an upload without a blob.
    let begun = send(&registry, "POST /v2/a/blobs/uploads/", "", "");
    let place = field(&begun, "location").unwrap();
    let other = Digest::sha256(b"other");
    let wrong = send(&registry, &format!("PUT {place}?digest={other}"), "", "content");
    assert_eq!(status(&wrong), 400);
    assert!(wrong.contains("DIGEST_INVALID"));
    assert_eq!(status(&send(&registry, &format!("GET {place}"), "", "")), 404);
    // Cancelled.
    let begun = send(&registry, "POST /v2/a/blobs/uploads/", "", "");
    let place = field(&begun, "location").unwrap();
    assert_eq!(status(&send(&registry, &format!("DELETE {place}"), "", "")), 204);
    assert_eq!(status(&send(&registry, &format!("GET {place}"), "", "")), 404);
}

#[test]
fn a_piece_whose_connection_breaks_is_kept_or_lost_as_the_options_say() {
    for (keeps_cut_uploads, expected) in [(true, 204), (false, 404)] {
        let registry = Registry::start(Options { keeps_cut_uploads, ..Options::default() }).unwrap();
        let begun = send(&registry, "POST /v2/a/blobs/uploads/", "", "");
        let place = field(&begun, "location").unwrap();
        // A thousand bytes are announced, and ten come.
        let request = format!("PATCH {place} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n0123456789");
        assert_eq!(ask(&registry, &request), "");
        let told = send(&registry, &format!("GET {place}"), "", "");
        assert_eq!(status(&told), expected);
        assert_eq!(field(&told, "range"), keeps_cut_uploads.then_some("0-9"));
    }
}

#[test]
fn manifests_are_written_only_where_their_conditions_hold() {
    let registry = Registry::start(Options::default()).unwrap();
    let empty = put_blob(&registry, "a", "{}");
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = |note: &str| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{{"mediaType":"a/b","digest":"{empty}","size":2}},"layers":[],"annotations":{{"note":"{note}"}}}}"#
        )
    };
    let put = |tag: &str, note: &str, condition: &str| {
        let fields = format!("Content-Type: {kind}\r\n{condition}");
        send(&registry, &format!("PUT /v2/a/manifests/{tag}"), &fields, &manifest(note))
    };
    let first = put("v1", "one", "If-None-Match: *\r\n");
    assert_eq!(status(&first), 201, "{first}");
    let tag = field(&first, "etag").unwrap();
    assert_eq!(status(&put("v1", "two", "If-None-Match: *\r\n")), 412);
    assert_eq!(status(&put("v1", "two", "If-Match: \"other\"\r\n")), 412);
    assert_eq!(status(&put("v1", "two", &format!("If-Match: {tag}\r\n"))), 201);
    assert_eq!(status(&put("v1", "three", &format!("If-Match: {tag}\r\n"))), 412, "it is another one now");
    let digest = Digest::sha256(manifest("two").as_bytes());
    let tagged = put(&format!("{digest}?tag=a&tag=b"), "two", "");
    assert_eq!(status(&tagged), 201);
    assert_eq!(tagged.lines().filter(|line| line.starts_with("OCI-Tag: ")).count(), 2);
    let list = send(&registry, "GET /v2/a/tags/list?n=2", "", "");
    assert!(list.ends_with(r#"{"name":"a","tags":["a","b"]}"#), "{list}");
    assert_eq!(field(&list, "link"), Some("</v2/a/tags/list?n=2&last=b>; rel=\"next\""));
    assert!(send(&registry, "GET /v2/a/tags/list?n=0", "", "").ends_with(r#""tags":[]}"#));
    let missing = manifest("x").replace(&empty.to_string(), &Digest::sha256(b"none").to_string());
    let refused = send(&registry, "PUT /v2/a/manifests/v2", &format!("Content-Type: {kind}\r\n"), &missing);
    assert_eq!(status(&refused), 404);
    assert!(refused.contains("MANIFEST_BLOB_UNKNOWN"));
    assert_eq!(status(&send(&registry, "DELETE /v2/a/manifests/v1", "", "")), 202);
    assert_eq!(status(&send(&registry, "GET /v2/a/manifests/v1", "", "")), 404);
    assert_eq!(status(&send(&registry, &format!("DELETE /v2/a/manifests/{digest}"), "", "")), 202);
    assert_eq!(status(&send(&registry, "GET /v2/a/manifests/a", "", "")), 404, "its tags go with it");
}

#[test]
fn requests_that_are_none_close_their_connection_and_nothing_else() {
    let registry = Registry::start(Options::default()).unwrap();
    let long = format!("GET /v2/ HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /v2/ HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1000));
    for (what, request, expected) in [
        ("no request", "hello\r\n\r\n", Some(400)),
        ("an unknown method", "BREW /v2/ HTTP/1.1\r\nHost: x\r\n\r\n", Some(400)),
        (
            "two lengths of a body",
            "PUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Some(400),
        ),
        ("no length", "PUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\n", Some(400)),
        (
            "a chunk that is none",
            "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            None,
        ),
        ("too many fields", &many, Some(400)),
        ("too long a header", &long, None),
        ("nothing", "", None),
        ("half a header", "GET /v2/ HTTP/1.1\r\nHost: x\r\n", None),
    ] {
        let answer = ask(&registry, request);
        match expected {
            Some(expected) => assert_eq!(status(&answer), expected, "{what}"),
            None => assert_eq!(answer, "", "{what}"),
        }
        assert_eq!(status(&send(&registry, "GET /v2/", "", "")), 200, "after {what}");
    }
    // Two requests on one connection, the first without a body that it announced no length of.
    let two = ask(&registry, "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.0\r\n\r\n");
    assert!(two.starts_with("HTTP/1.1 200") && two.contains("HTTP/1.1 404"), "{two}");
}

#[test]
fn faults_happen_to_the_requests_that_their_rule_names() {
    let registry = Registry::start(Options::default()).unwrap();
    let digest = put_blob(&registry, "a", "content");
    let get = || send(&registry, &format!("GET /v2/a/blobs/{digest}"), "", "");
    let fault = Fault::Status { status: 429, retry_after: Some("7".to_owned()) };
    registry.registry().inject(Rule::once(fault).path("/blobs/").after(1, 2));
    assert_eq!(status(&get()), 200, "one is let pass");
    assert_eq!(status(&send(&registry, "GET /v2/", "", "")), 200, "another path");
    for _ in 0..2 {
        let busy = get();
        assert_eq!((status(&busy), field(&busy, "retry-after")), (429, Some("7")));
    }
    assert_eq!(status(&get()), 200, "it has run out");
    registry.registry().inject(Rule::once(Fault::LoseAnswer));
    assert_eq!(get(), "");
    registry.registry().inject(Rule::once(Fault::CutAnswer { after: 3 }));
    assert!(get().ends_with("\r\n\r\ncon"));
    registry.registry().inject(Rule::once(Fault::WrongContent));
    assert!(get().ends_with("\r\n\r\nbontent"));
}

#[test]
fn who_may_do_what_is_what_the_options_say() {
    let auth = |anonymous_pull| Auth::Token {
        username: "u".to_owned(),
        password: "p".to_owned(),
        requests: 2,
        anonymous_pull,
    };
    for anonymous_pull in [true, false] {
        let registry = Registry::start(Options { auth: auth(anonymous_pull), ..Options::default() }).unwrap();
        let refused = send(&registry, "GET /v2/a/tags/list", "", "");
        assert_eq!(status(&refused), 401);
        assert_eq!(
            field(&refused, "www-authenticate"),
            Some("Bearer realm=\"http://x/token\",service=\"lotse\",scope=\"repository:a:pull\"")
        );
        let token = |fields: &str| send(&registry, "GET /token?scope=repository:a:pull,push", fields, "");
        assert_eq!(status(&token("")), if anonymous_pull { 200 } else { 401 });
        assert_eq!(status(&token("Authorization: Basic dTp4\r\n")), 401, "a wrong password");
        let given = token("Authorization: Basic dTpw\r\n");
        let word = given.rsplit("\"token\":\"").next().unwrap().split('"').next().unwrap();
        let bearer = format!("Authorization: Bearer {word}\r\n");
        assert_eq!(status(&send(&registry, "POST /v2/a/blobs/uploads/", &bearer, "")), 202);
        let wider = send(&registry, "POST /v2/b/blobs/uploads/", &bearer, "");
        assert_eq!(status(&wider), 401);
        assert!(field(&wider, "www-authenticate").unwrap().ends_with("error=\"insufficient_scope\""));
        let ended = send(&registry, "POST /v2/a/blobs/uploads/", &bearer, "");
        assert_eq!(status(&ended), 401, "after two requests it has expired");
    }
}

#[test]
fn a_registry_that_is_dropped_is_gone() {
    let registry = Registry::start(Options::default()).unwrap();
    let address = registry.address();
    let mut open = TcpStream::connect(address).unwrap();
    open.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut buffer = [0; 12];
    open.read_exact(&mut buffer).unwrap();
    drop(registry);
    let mut rest = Vec::new();
    open.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let _ = open.read_to_end(&mut rest);
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}
