//! The protocol without sockets: parsers and machines, by tables.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use lotse_digest::{Algorithm, Digest};
use lotse_oci::distribution::{
    Body, Challenge, Credentials, Document, Exchange, FetchManifest, Headers, Method, Next, Operation,
    Patience, Referrers, Repository, Request, Response, Session, Tags, UpdateReferrers, Upload,
    UploadOptions, UploadState, Url, is_loopback, referrers_tag,
};
use lotse_oci::{Descriptor, Error};
use proptest::prelude::*;

fn repository() -> Repository {
    Repository::new(&"registry.example/team/app".parse().unwrap(), false).unwrap()
}

fn session(repository: &Repository, credentials: Credentials) -> Session {
    Session::new(repository.root().clone(), credentials)
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let mut fields = Headers::new();
    for (name, value) in headers {
        fields.push(name, *value);
    }
    Response { status, headers: fields, body: body.as_bytes().to_vec() }
}

fn sent<T>(next: Next<T>) -> Request {
    match next {
        Next::Send(request) => request,
        Next::Wait(time) => panic!("wait {time:?}"),
        Next::Done(_) => panic!("done"),
        _ => panic!("content"),
    }
}

#[test]
fn challenges_are_read_however_many_stand_in_a_field() {
    for (field, expected) in [
        ("Basic realm=\"x\"", "basic[realm=x]"),
        (
            "Bearer realm=\"https://auth.example/token\",service=\"registry\",scope=\"repository:a/b:pull,push\"",
            "bearer[realm=https://auth.example/token;scope=repository:a/b:pull,push;service=registry]",
        ),
        (
            "Basic realm=\"a, b=\\\"c\\\"\", Bearer realm=r , service = s",
            "basic[realm=a, b=\"c\"] bearer[realm=r;service=s]",
        ),
        ("Negotiate, Basic realm=x", "negotiate[] basic[realm=x]"),
        ("Negotiate YII/=, Bearer realm=x", "negotiate[] bearer[realm=x]"),
        (",, ,Bearer  REALM=x,,", "bearer[realm=x]"),
        ("Bearer realm=first,realm=second", "bearer[realm=first]"),
        ("realm=\"x\"", ""),
        ("Bearer realm=\"never ends", "bearer[]"),
        ("", ""),
        ("Bearer", "bearer[]"),
    ] {
        let shown: Vec<String> = Challenge::parse(field)
            .iter()
            .map(|challenge| {
                let pairs: Vec<String> =
                    challenge.parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("{}[{}]", challenge.scheme, pairs.join(";"))
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{field}");
    }
}

#[test]
fn locations_are_seen_from_where_they_were_given() {
    let base: Url = "https://registry.example:5000/v2/a/blobs/uploads/1?_state=abc".parse().unwrap();
    for (location, expected) in [
        ("https://other.example/x?y=z", Some("https://other.example/x?y=z")),
        ("HTTPS://Other.Example/x", Some("https://other.example/x")),
        ("/v2/b?_state=a%3D%3D&x=/", Some("https://registry.example:5000/v2/b?_state=a%3D%3D&x=/")),
        ("2", Some("https://registry.example:5000/v2/a/blobs/uploads/2")),
        ("../2/./3", Some("https://registry.example:5000/v2/a/blobs/2/3")),
        ("../../../../../../etc", Some("https://registry.example:5000/etc")),
        ("?n=2", Some("https://registry.example:5000/v2/a/blobs/uploads/1?n=2")),
        ("//other.example/x", Some("https://other.example/x")),
        ("http://registry.example:5000/x#fragment", Some("http://registry.example:5000/x")),
        ("ftp://registry.example/x", None),
        ("javascript:alert(1)", None),
        ("https://user:password@registry.example/", None),
        ("https://registry.example:99999/", None),
        ("https://registry.example:+80/", None),
        ("https://[::1]:5000/x", Some("https://[::1]:5000/x")),
        ("https://[::x]/", None),
        ("/a b", None),
        ("/a\r\nX: y", None),
        ("", None),
    ] {
        let found = base.join(location).ok().map(|url| url.to_string());
        assert_eq!(found.as_deref(), expected, "{location:?}");
    }
    let with = |text: &str| text.parse::<Url>().unwrap().with_parameter("digest", "sha256:a b").to_string();
    assert_eq!(with("http://x/u"), "http://x/u?digest=sha256:a%20b");
    assert_eq!(with("http://x/u?_state=q"), "http://x/u?_state=q&digest=sha256:a%20b");
    assert_eq!(with("http://x/u?"), "http://x/u?digest=sha256:a%20b");
}

#[test]
fn loopback_is_this_machine_and_nothing_that_looks_like_it() {
    for (host, expected) in [
        ("localhost", true),
        ("localhost:5000", true),
        ("127.0.0.1", true),
        ("127.255.3.4:1", true),
        ("[::1]:5000", true),
        ("localhost.example", false),
        ("127.0.0.1.example", false),
        ("128.0.0.1", false),
        ("10.0.0.1:127", false),
        ("0.0.0.0", false),
    ] {
        assert_eq!(is_loopback(host), expected, "{host}");
    }
}

#[test]
fn docker_hub_is_known_by_all_its_names() {
    for (name, url, key) in [
        ("docker.io/busybox", "https://registry-1.docker.io/v2/", "https://index.docker.io/v1/"),
        (
            "index.docker.io/library/busybox",
            "https://registry-1.docker.io/v2/",
            "https://index.docker.io/v1/",
        ),
        ("registry.example:5000/busybox", "https://registry.example:5000/v2/", "registry.example:5000"),
    ] {
        let repository = Repository::new(&name.parse().unwrap(), false).unwrap();
        assert_eq!(repository.root().to_string(), url);
        assert_eq!(repository.credentials_key(), key);
        let expected = if name.starts_with("registry") { "busybox" } else { "library/busybox" };
        assert_eq!(repository.name(), expected, "{name}");
    }
    assert!(Repository::new(&"busybox".parse().unwrap(), false).is_err(), "no registry is made up");
}

#[test]
fn the_referrers_tag_is_cut_as_the_specification_says() {
    let sha256 = Digest::sha256(b"x");
    assert_eq!(referrers_tag(&sha256), format!("sha256-{}", sha256.encoded()));
    let sha512 = Digest::of(Algorithm::Sha512, b"x");
    assert_eq!(referrers_tag(&sha512), format!("sha512-{}", &sha512.encoded()[..64]));
}

#[test]
fn a_token_is_fetched_once_used_until_it_ends_and_fetched_again() {
    let repository = repository();
    let password = Credentials::Password { username: "u".to_owned(), password: "p".to_owned() };
    let mut session = session(&repository, password);
    let challenge = "Bearer realm=\"https://auth.example/token?x=1\",service=\"registry example\",scope=\"repository:team/app:pull\"";
    let mut now = 1000;
    let mut exchange = Exchange::new(Tags::new(&repository).unwrap(), Patience::default());
    let first = sent(exchange.step(&mut session, now).unwrap());
    assert!(first.headers.get("authorization").is_none(), "nothing is given unasked");
    exchange.answer(&mut session, now, response(401, &[("WWW-Authenticate", challenge)], "")).unwrap();
    let ask = sent(exchange.step(&mut session, now).unwrap());
    assert_eq!(
        ask.url.to_string(),
        "https://auth.example/token?x=1&service=registry%20example&scope=repository:team/app:pull"
    );
    assert_eq!(ask.headers.get("authorization"), Some("Basic dTpw"));
    exchange
        .answer(&mut session, now, response(200, &[], r#"{"access_token":"t1","expires_in":100}"#))
        .unwrap();
    let again = sent(exchange.step(&mut session, now).unwrap());
    assert_eq!(again.headers.get("authorization"), Some("Bearer t1"));
    assert_eq!(again.url, first.url);
    assert!(!format!("{again:?} {session:?}").contains("t1"), "no secret is shown");
    exchange.answer(&mut session, now, response(200, &[], r#"{"tags":["a"]}"#)).unwrap();
    assert!(matches!(exchange.step(&mut session, now), Ok(Next::Done(tags)) if tags == ["a"]));
    // Another operation has the token at once, until shortly before its end.
    for (seconds, expected) in [(89, Some("Bearer t1")), (91, None)] {
        now = 1000 + seconds;
        let mut exchange = Exchange::new(Tags::new(&repository).unwrap(), Patience::default());
        let request = sent(exchange.step(&mut session, now).unwrap());
        assert_eq!(request.headers.get("authorization").filter(|_| request.url == first.url), expected);
        assert_eq!(request.url.host(), if expected.is_some() { "registry.example" } else { "auth.example" });
    }
}

#[test]
fn credentials_go_only_where_they_belong() {
    let repository = repository();
    let secret = || Credentials::Password { username: "user".to_owned(), password: "geheim".to_owned() };
    // A token service without encryption gets nothing, nor does one whose address makes no sense.
    for realm in
        ["http://auth.example/token", "http://registry.example/token", "ftp://x/", "http://127.0.0.1/t"]
    {
        let mut session = session(&repository, secret());
        let mut exchange = Exchange::new(Tags::new(&repository).unwrap(), Patience::default());
        sent(exchange.step(&mut session, 0).unwrap());
        let field = format!("Bearer realm=\"{realm}\"");
        let outcome = exchange.answer(&mut session, 0, response(401, &[("www-authenticate", &field)], ""));
        assert!(outcome.is_err(), "{realm}");
    }
    // A redirect to another host carries no proof, and that host's challenge is answered with none.
    let mut session = session(&repository, secret());
    let mut exchange = Exchange::new(FetchManifest::new(&repository, "v1"), Patience::default());
    sent(exchange.step(&mut session, 0).unwrap());
    exchange.answer(&mut session, 0, response(401, &[("www-authenticate", "Basic realm=x")], "")).unwrap();
    let proved = sent(exchange.step(&mut session, 0).unwrap());
    assert!(proved.headers.get("authorization").is_some());
    exchange
        .answer(&mut session, 0, response(307, &[("location", "https://storage.example/blob")], ""))
        .unwrap();
    let redirected = sent(exchange.step(&mut session, 0).unwrap());
    assert_eq!(redirected.url.host(), "storage.example");
    assert!(redirected.headers.get("authorization").is_none());
    let refused =
        exchange.answer(&mut session, 0, response(401, &[("www-authenticate", "Basic realm=x")], ""));
    assert!(matches!(refused, Err(Error::Registry(refusal)) if refusal.status == 401));
    // A redirect out of encryption is not followed, nor one in a circle for ever.
    for (location, steps) in [("http://registry.example/x", 1), ("/v2/team/app/manifests/v1", 6)] {
        let mut exchange = Exchange::new(FetchManifest::new(&repository, "v1"), Patience::default());
        let mut count = 0;
        loop {
            sent(exchange.step(&mut session, 0).unwrap());
            count += 1;
            if exchange.answer(&mut session, 0, response(302, &[("location", location)], "")).is_err() {
                break;
            }
        }
        assert_eq!(count, steps, "{location}");
    }
}

#[test]
fn a_wider_scope_is_asked_for_when_the_registry_says_so() {
    let repository = repository();
    let mut session = session(&repository, Credentials::Anonymous);
    let mut exchange = Exchange::new(Tags::new(&repository).unwrap(), Patience::default());
    sent(exchange.step(&mut session, 0).unwrap());
    let plain = "Bearer realm=\"https://auth.example/\"";
    exchange.answer(&mut session, 0, response(401, &[("www-authenticate", plain)], "")).unwrap();
    sent(exchange.step(&mut session, 0).unwrap());
    exchange.answer(&mut session, 0, response(200, &[], r#"{"token":"t1"}"#)).unwrap();
    sent(exchange.step(&mut session, 0).unwrap());
    let wider = format!(
        "{plain},error=\"insufficient_scope\",scope=\"repository:team/app:metadata_read registry:catalog:*\""
    );
    exchange.answer(&mut session, 0, response(401, &[("www-authenticate", &wider)], "")).unwrap();
    let ask = sent(exchange.step(&mut session, 0).unwrap());
    assert_eq!(
        ask.url.query(),
        Some("scope=registry:catalog:%2A&scope=repository:team/app:metadata_read,pull")
    );
    // And a registry that is never content is given up.
    let mut rounds = 0;
    loop {
        rounds += 1;
        exchange.answer(&mut session, 0, response(200, &[], r#"{"token":"t2"}"#)).unwrap();
        sent(exchange.step(&mut session, 0).unwrap());
        if exchange.answer(&mut session, 0, response(401, &[("www-authenticate", &wider)], "")).is_err() {
            break;
        }
        sent(exchange.step(&mut session, 0).unwrap());
    }
    assert!(rounds < 5);
}

#[test]
fn an_upload_begins_at_the_byte_that_the_registry_has() {
    // `Range: 0-0` is nothing or one byte.
    let blob = vec![7; 10];
    let digest = Digest::sha256(&blob);
    let repository = repository();
    let options = UploadOptions { chunk: 4, restarts: 2 };
    let location = "/v2/team/app/blobs/uploads/1";
    for (range, expected) in [
        (Some("0-3"), Some("4-7")),
        (Some("bytes=0-7"), Some("8-9")),
        (Some("0-0"), Some("0-3")),
        // Beyond the end or without meaning: nothing to go on from, so it begins anew.
        (Some("0-10"), None),
        (Some("4-7"), None),
        (Some("0--1"), None),
        (None, None),
    ] {
        let mut session = session(&repository, Credentials::Anonymous);
        let upload = Upload::new(&repository, digest.clone(), 10, options);
        let mut exchange =
            Exchange::new(upload, Patience { first_wait: Duration::ZERO, ..Patience::default() });
        sent(exchange.step(&mut session, 0).unwrap());
        exchange.answer(&mut session, 0, response(404, &[], "")).unwrap();
        sent(exchange.step(&mut session, 0).unwrap());
        exchange
            .answer(&mut session, 0, response(202, &[("location", location), ("range", "0-0")], ""))
            .unwrap();
        let first = sent(exchange.step(&mut session, 0).unwrap());
        assert_eq!(first.headers.get("content-range"), Some("0-3"));
        exchange.broken("reset").unwrap();
        assert!(matches!(exchange.step(&mut session, 0).unwrap(), Next::Wait(_)));
        let status = sent(exchange.step(&mut session, 0).unwrap());
        assert_eq!((status.method, status.url.path()), (Method::Get, location));
        let mut headers = vec![("location", "/v2/team/app/blobs/uploads/1?_state=new")];
        headers.extend(range.map(|range| ("range", range)));
        exchange.answer(&mut session, 0, response(204, &headers, "")).unwrap();
        let next = sent(exchange.step(&mut session, 0).unwrap());
        match expected {
            Some(expected) => {
                assert_eq!(next.headers.get("content-range"), Some(expected), "{range:?}");
                assert_eq!(next.url.query(), Some("_state=new"), "each location replaces the last");
            }
            None => assert_eq!(next.method, Method::Post, "{range:?}"),
        }
    }
}

#[test]
fn an_upload_state_goes_there_and_back_and_fits_nothing_else() {
    let blob = vec![7; 100];
    let repository = repository();
    let mut session = session(&repository, Credentials::Anonymous);
    let digest = Digest::sha256(&blob);
    let new = || Upload::new(&repository, digest.clone(), 100, UploadOptions { chunk: 40, restarts: 1 });
    let mut exchange = Exchange::new(new(), Patience::default());
    sent(exchange.step(&mut session, 0).unwrap());
    exchange.answer(&mut session, 0, response(404, &[], "")).unwrap();
    assert!(exchange.operation().state().is_none(), "nothing has begun");
    sent(exchange.step(&mut session, 0).unwrap());
    exchange.answer(&mut session, 0, response(202, &[("location", "/u?s=1")], "")).unwrap();
    sent(exchange.step(&mut session, 0).unwrap());
    let headers = [("location", "/u?s=2"), ("range", "0-39")];
    exchange.answer(&mut session, 0, response(202, &headers, "")).unwrap();
    let state = exchange.operation().state().unwrap();
    assert_eq!((state.offset(), state.digest()), (40, &digest));
    let again = UploadState::parse(&state.to_bytes().unwrap()).unwrap();
    assert_eq!(again, state);
    assert!(new().resume(&again).is_ok());
    let other = Upload::new(&repository, Digest::sha256(b"other"), 100, UploadOptions::default());
    assert!(matches!(other.resume(&again), Err(Error::Caller(_))));
    assert!(UploadState::parse(b"{}").is_err());
}

#[test]
fn manifests_that_lie_are_refused() {
    let manifest = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let plain = manifest.replace(&format!("\"mediaType\":\"{kind}\",\"config\""), "\"config\"");
    let both = manifest.replace("\"layers\":[]", "\"layers\":[],\"manifests\":[]");
    let other = Digest::sha256(b"other").to_string();
    let own = Digest::sha256(manifest.as_bytes()).to_string();
    let own512 = Digest::of(Algorithm::Sha512, manifest.as_bytes()).to_string();
    for (what, tag, kind, digest, body, good) in [
        ("as it should be", "v1", kind, own.as_str(), manifest, true),
        (
            "parameters of the type do not count",
            "v1",
            &format!("{kind}; charset=utf-8")[..],
            "",
            manifest,
            true,
        ),
        ("a plain type", "v1", "application/json", "", manifest, true),
        ("no type in the document", "v1", kind, "", &plain[..], true),
        ("no type anywhere", "v1", "text/plain", "", &plain[..], true),
        ("a digest of another algorithm", "v1", kind, &own512[..], manifest, true),
        ("asked by digest", own.as_str(), kind, "", manifest, true),
        ("asked by digest, header of another", own.as_str(), kind, &other[..], manifest, true),
        ("another content than asked for", &other[..], kind, "", manifest, false),
        ("another content than its header says", "v1", kind, &other[..], manifest, false),
        ("another type", "v1", "application/vnd.oci.image.index.v1+json", "", manifest, false),
        ("CVE-2021-41190", "v1", kind, "", &both[..], false),
        ("schema 1", "v1", "application/json", "", r#"{"schemaVersion":1,"name":"x"}"#, false),
        ("no manifest", "v1", kind, "", "<html>", false),
    ] {
        let repository = repository();
        let mut session = session(&repository, Credentials::Anonymous);
        let mut exchange = Exchange::new(FetchManifest::new(&repository, tag), Patience::default());
        let request = sent(exchange.step(&mut session, 0).unwrap());
        let accept = request.headers.get("accept").unwrap();
        assert!(accept.contains("oci.image.index") && accept.contains("docker.distribution.manifest.list"));
        let mut headers = vec![("content-type", kind)];
        if !digest.is_empty() {
            headers.push(("docker-content-digest", digest));
        }
        let outcome = exchange.answer(&mut session, 0, response(200, &headers, body));
        assert_eq!(outcome.is_ok(), good, "{what}: {outcome:?}");
        if good {
            let Next::Done(document) = exchange.step(&mut session, 0).unwrap() else { panic!() };
            assert_eq!(document.bytes, body.as_bytes());
            document.descriptor.digest.verify(&document.bytes).unwrap();
        }
    }
}

#[test]
fn the_pages_of_a_list_stay_with_their_host_and_end() {
    for (what, link, good) in [
        ("relative", "</v2/team/app/tags/list?last=a&n=1>; rel=\"next\"", true),
        ("absolute", "<https://registry.example/v2/x>; rel=next", true),
        ("the second of two", "<https://evil.example/>; rel=prev, </v2/y>; rel=\"next last\"", true),
        ("another host", "<https://evil.example/v2/x>; rel=\"next\"", false),
        ("out of encryption", "<http://registry.example/v2/x>; rel=\"next\"", false),
    ] {
        let repository = repository();
        let mut session = session(&repository, Credentials::Anonymous);
        let mut exchange = Exchange::new(Tags::new(&repository).unwrap(), Patience::default());
        sent(exchange.step(&mut session, 0).unwrap());
        let outcome = exchange.answer(&mut session, 0, response(200, &[("Link", link)], r#"{"tags":["a"]}"#));
        assert_eq!(outcome.is_ok(), good, "{what}");
        if good {
            assert_eq!(sent(exchange.step(&mut session, 0).unwrap()).url.host(), "registry.example");
            // The same page again is a circle.
            let circle =
                exchange.answer(&mut session, 0, response(200, &[("Link", link)], r#"{"tags":null}"#));
            assert!(circle.is_err(), "{what}");
        }
    }
}

#[test]
fn referrers_of_subjects_that_share_a_tag_are_told_apart() {
    // Two sha512 digests may have one tag: the list under it holds the referrers of both.
    let repository = repository();
    let subject = Digest::of(Algorithm::Sha512, b"subject");
    let artifact = |of: &Digest| {
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/b","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}},"layers":[],"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{of}","size":7}}}}"#
        );
        Document::new(text.into_bytes(), None, None).unwrap()
    };
    let (own, stranger) = (artifact(&subject), artifact(&Digest::of(Algorithm::Sha512, b"stranger")));
    let entries: Vec<Descriptor> = vec![own.referrer().unwrap(), stranger.referrer().unwrap()];
    let index = lotse_oci::Index::new(entries).to_bytes().unwrap();
    let mut session = session(&repository, Credentials::Anonymous);
    let mut exchange =
        Exchange::new(Referrers::new(&repository, &subject, None).unwrap(), Patience::default());
    let known = BTreeMap::from([
        (own.descriptor.digest.to_string(), own.bytes.clone()),
        (stranger.descriptor.digest.to_string(), stranger.bytes.clone()),
        (referrers_tag(&subject), index),
    ]);
    let found = loop {
        match exchange.step(&mut session, 0).unwrap() {
            Next::Done(found) => break found,
            next => {
                let request = sent(next);
                let last = request.url.path().rsplit('/').next().unwrap().to_owned();
                let is_api = request.url.path().contains("/referrers/");
                let answer = match known.get(&last).filter(|_| !is_api) {
                    Some(bytes) => Response { body: bytes.clone(), ..Response::new(200) },
                    None => Response::new(404),
                };
                exchange.answer(&mut session, 0, answer).unwrap();
            }
        }
    };
    assert!(found.from_tag);
    let digests: Vec<&Digest> = found.descriptors.iter().map(|entry| &entry.digest).collect();
    assert_eq!(digests, [&own.descriptor.digest]);
}

#[test]
fn what_has_a_referrers_tag_and_is_no_index_is_left_alone() {
    let repository = repository();
    let subject = Digest::sha256(b"subject");
    let referrer = Descriptor::new("application/vnd.oci.image.manifest.v1+json", Digest::sha256(b"r"), 1);
    let mut session = session(&repository, Credentials::Anonymous);
    let update = UpdateReferrers::add(&repository, &subject, referrer, Duration::ZERO);
    let mut exchange = Exchange::new(update, Patience::default());
    sent(exchange.step(&mut session, 0).unwrap());
    let manifest = r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
    let outcome = exchange.answer(&mut session, 0, response(200, &[], manifest));
    assert!(matches!(outcome, Err(Error::Malformed { .. })));
}

#[test]
fn patience_ends() {
    let repository = repository();
    let patience = Patience { attempts: 4, ..Patience::default() };
    for (what, answer) in [
        ("resets", None),
        ("server errors", Some(response(503, &[], ""))),
        ("too many requests", Some(response(429, &[("retry-after", "1")], ""))),
    ] {
        let mut session = session(&repository, Credentials::Anonymous);
        let mut exchange = Exchange::new(Tags::new(&repository).unwrap(), patience);
        let (mut requests, mut waits) = (0, Vec::new());
        let error = loop {
            match exchange.step(&mut session, 0).unwrap() {
                Next::Wait(time) => waits.push(time.as_millis()),
                next => {
                    sent(next);
                    requests += 1;
                    let outcome = match &answer {
                        Some(answer) => exchange.answer(&mut session, 0, answer.clone()),
                        None => exchange.broken("reset"),
                    };
                    if let Err(error) = outcome {
                        break error;
                    }
                }
            }
        };
        assert_eq!(requests, 4, "{what}");
        let expected = if what == "too many requests" { [1000, 1000, 1000] } else { [200, 400, 800] };
        assert_eq!(waits, expected, "{what}");
        assert!(matches!(error, Error::Broken { .. } | Error::Registry(_)), "{what}");
    }
}

proptest! {
    #[test]
    fn parsers_take_anything(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Challenge::parse(&text);
        let base: Url = "https://registry.example/v2/".parse().unwrap();
        if let Ok(url) = base.join(&text) {
            prop_assert_eq!(url.to_string().parse::<Url>().unwrap(), url);
        }
        let _ = Document::new(bytes.clone(), Some(&text), None);
        let _ = UploadState::parse(&bytes);
        let repository = repository();
        for status in [200, 201, 202, 204, 206, 307, 401, 404, 416, 429] {
            let fields = ["range", "location", "content-range", "link", "retry-after", "www-authenticate", "warning"];
            let fields: Vec<(&str, &str)> = fields.iter().map(|name| (*name, text.as_str())).collect();
            let mut answer = response(status, &fields, "");
            answer.body = bytes.clone();
            let digest = Digest::sha256(b"x");
            any_answer(Upload::new(&repository, digest.clone(), 10, UploadOptions::default()), &answer);
            any_answer(Tags::new(&repository).unwrap(), &answer);
            any_answer(Referrers::new(&repository, &digest, None).unwrap(), &answer);
            any_answer(lotse_oci::distribution::Download::new(&repository, digest, 10), &answer);
        }
    }
}

/// Whatever the answers, an exchange comes to an end.
fn any_answer<O: Operation>(operation: O, answer: &Response) {
    let repository = repository();
    let mut session = session(&repository, Credentials::Anonymous);
    let mut exchange =
        Exchange::new(operation, Patience { first_wait: Duration::ZERO, ..Patience::default() });
    for _ in 0..200 {
        match exchange.step(&mut session, 0) {
            Err(_) | Ok(Next::Done(_)) => return,
            Ok(Next::Send(request)) => {
                assert!(matches!(request.body, Body::Empty | Body::Content { .. } | Body::Bytes(_)));
                if exchange.answer(&mut session, 0, answer.clone()).is_err() {
                    return;
                }
            }
            Ok(Next::Content { .. }) => {
                if exchange.content(&answer.body).is_err() || exchange.content_end(true).is_err() {
                    return;
                }
            }
            Ok(_) => {}
        }
    }
    panic!("it never ends: {answer:?}");
}
