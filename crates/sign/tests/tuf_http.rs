//! A TUF repository over HTTP, on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use lotse_sign::sandbox::{Sandbox, TufRepository};
use lotse_sign::tuf::{HttpRepository, Limits, MemoryStore, Rule, TRUSTED_ROOT, Update};
use lotse_sign::{Client, Error, Time};

/// Status and body by path; `None` for a body without end.
type Answers = Arc<Mutex<BTreeMap<String, (u16, Option<Vec<u8>>)>>>;

fn now() -> Time {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

/// Serves until the test ends; what it has no answer for is a 404.
fn serve(answers: Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/repository", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answers) = (stream.unwrap(), Arc::clone(&answers));
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(first)) = lines.next() {
                    let path = first.split(' ').nth(1).unwrap().to_owned();
                    while lines.next().unwrap().unwrap() != "" {}
                    let path = path.strip_prefix("/repository/").unwrap_or(&path).to_owned();
                    let (status, body) =
                        answers.lock().unwrap().get(&path).cloned().unwrap_or((404, Some(b"none".to_vec())));
                    match body {
                        Some(body) => {
                            write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len())
                                .unwrap();
                            stream.write_all(&body).unwrap();
                        }
                        None => {
                            write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n").unwrap();
                            while stream.write_all(&[b' '; 65536]).is_ok() {}
                            return;
                        }
                    }
                }
            });
        }
    });
    url
}

fn served(repository: &TufRepository) -> Answers {
    let files = repository.files().iter();
    Arc::new(Mutex::new(files.map(|(path, bytes)| (path.clone(), (200, Some(bytes.clone())))).collect()))
}

fn fetch(repository: &TufRepository, url: &str) -> Result<Vec<u8>, Error> {
    let http = HttpRepository::sigstore(Client::new(None).unwrap(), url);
    let mut update = Update::new(&repository.initial_root(), now(), Limits::default()).unwrap();
    update.fetch(TRUSTED_ROOT, &mut MemoryStore::new(), &http)
}

#[test]
fn a_repository_over_http_is_read() {
    let repository = Sandbox::new("http", now()).tuf().unwrap();
    let answers = served(&repository);
    let url = serve(Arc::clone(&answers));
    assert!(fetch(&repository, &url).is_ok());
    assert!(fetch(&repository, &format!("{url}/")).is_ok());
    // Buckets that may not be listed say 403 where there is nothing.
    answers.lock().unwrap().insert("2.root.json".to_owned(), (403, Some(Vec::new())));
    assert!(fetch(&repository, &url).is_ok());
}

#[test]
fn what_cannot_be_said_to_be_absent_ends_the_update() {
    let repository = Sandbox::new("http", now()).tuf().unwrap();
    for status in [500, 503, 301, 204, 401] {
        let answers = served(&repository);
        // A server that is overloaded must not make a new root look as if there were none.
        answers.lock().unwrap().insert("2.root.json".to_owned(), (status, Some(Vec::new())));
        let error = fetch(&repository, &serve(answers)).unwrap_err();
        assert!(
            matches!(&error, Error::Service { reason, .. } if reason.contains("2.root.json")),
            "{status}: {error}"
        );
    }
}

#[test]
fn endless_data_is_read_up_to_the_limit() {
    let repository = Sandbox::new("http", now()).tuf().unwrap();
    for path in ["2.root.json", "timestamp.json", "11.snapshot.json", "11.targets.json"] {
        let answers = served(&repository);
        answers.lock().unwrap().insert(path.to_owned(), (200, None));
        let error = fetch(&repository, &serve(answers)).unwrap_err();
        assert!(
            matches!(&error, Error::Tuf(refusal) if refusal.rule == Rule::EndlessData),
            "{path}: {error}"
        );
    }
}
