//! Drives the protocol of registries from tokio: several blobs are pushed at once and fetched again, all on one thread.
//!
//! `lotse_oci::distribution` says what to send and is told what came back; here is only what moves bytes.
#![allow(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;
use std::sync::Mutex;

use lotse_digest::Digest;
use lotse_oci::distribution::{
    Body, Credentials, Download, Exchange, Headers, Method, Next, Operation, Patience, Repository, Request,
    Response, Session, Upload, UploadOptions,
};
use lotse_oci::registry::{Auth, Fault, Options, Registry, Rule};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let (username, password) = ("pilot".to_owned(), "harbour".to_owned());
    let auth = Auth::Token {
        username: username.clone(),
        password: password.clone(),
        requests: 5,
        anonymous_pull: false,
    };
    let registry = Registry::start(Options { auth, ..Options::default() })?;
    // So that there is something to survive.
    registry.registry().inject(Rule::once(Fault::CutRequest { after: 20_000 }).method(Method::Patch));
    registry
        .registry()
        .inject(Rule::once(Fault::CutAnswer { after: 50_000 }).method(Method::Get).path("sha256"));
    let repository = Repository::new(&format!("{}/async/blobs", registry.address()).parse()?, true)?;
    let session =
        Mutex::new(Session::new(repository.root().clone(), Credentials::Password { username, password }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let blobs = [1_u8, 2, 3].map(|number| vec![number; usize::from(number) * 100_000]);
        let [one, two, three] = &blobs;
        let (one, two, three) = tokio::join!(
            there_and_back(&repository, &session, one),
            there_and_back(&repository, &session, two),
            there_and_back(&repository, &session, three),
        );
        for line in [one?, two?, three?] {
            println!("{line}");
        }
        Ok(())
    })
}

async fn there_and_back(repository: &Repository, session: &Mutex<Session>, blob: &[u8]) -> Outcome<String> {
    let (digest, size) = (Digest::sha256(blob), u64::try_from(blob.len())?);
    let options = UploadOptions { chunk: 64 << 10, ..UploadOptions::default() };
    let uploaded =
        drive(session, Upload::new(repository, digest.clone(), size, options), blob, &mut Vec::new()).await?;
    let mut back = Vec::new();
    drive(session, Download::new(repository, digest.clone(), size), &[], &mut back).await?;
    assert!(back == blob, "verified by its digest already");
    Ok(format!("{digest}: {size} bytes there and back, begun anew {} times", uploaded.restarts))
}

/// Takes an operation to its end. `source` is what is uploaded, `sink` takes what is downloaded.
async fn drive<O: Operation>(
    session: &Mutex<Session>,
    operation: O,
    source: &[u8],
    sink: &mut Vec<u8>,
) -> Outcome<O::Output> {
    let mut exchange = Exchange::new(operation, Patience::default());
    let mut content = Vec::new();
    loop {
        // The lock is held for the step alone, never while anything is awaited.
        let next = exchange.step(&mut *session.lock().map_err(|_| "poisoned")?, 0)?;
        match next {
            Next::Done(output) => return Ok(output),
            Next::Wait(time) => tokio::time::sleep(time).await,
            Next::Content { offset } => {
                sink.truncate(usize::try_from(offset)?);
                exchange.content(&content)?;
                sink.append(&mut content);
                // A body that is too short is noticed by what was asked for, and its rest is asked for.
                exchange.content_end(true)?;
            }
            Next::Send(request) => match send(&request, source).await {
                Ok(mut response) => {
                    if request.wants_content && matches!(response.status, 200 | 206) {
                        content = std::mem::take(&mut response.body);
                    }
                    exchange.answer(&mut *session.lock().map_err(|_| "poisoned")?, 0, response)?;
                }
                Err(error) => exchange.broken(&error.to_string())?,
            },
            _ => return Err("a step that this driver does not know".into()),
        }
    }
}

/// One request on a connection of its own.
async fn send(request: &Request, source: &[u8]) -> Outcome<Response> {
    let mut stream = TcpStream::connect(request.url.authority()).await?;
    let body = match &request.body {
        Body::Content { offset, length } => {
            let first = usize::try_from(*offset)?;
            source.get(first..first + usize::try_from(*length)?).ok_or("a part that is not there")?
        }
        Body::Bytes(bytes) => bytes,
        _ => &[],
    };
    let (method, target, host) = (request.method.name(), request.url.target(), request.url.authority());
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    for (name, value) in request.headers.iter() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the connection broke")? + 4;
    let body = answer.split_off(end);
    let mut lines = std::str::from_utf8(&answer)?.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?.parse()?;
    let mut headers = Headers::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.push(name, value);
    }
    Ok(Response { status, headers, body })
}
