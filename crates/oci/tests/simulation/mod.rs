//! A registry, a network and processes that fail where a seed says.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::time::Duration;

use lotse_digest::Digest;
use lotse_oci::distribution::{
    Body, Credentials, Download, Exchange, Method, Next, Patience, Referrers, Repository, Request, Response,
    Session, UpdateReferrers, Upload, UploadOptions, UploadState, Uploaded, Url,
};
use lotse_oci::registry::{Auth, Fault, Options, Registry, Rule};
use lotse_oci::{Descriptor, Error};

/// Numbers from a seed (xorshift).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if limit == 0 { 0 } else { (self.0 >> 11) % limit }
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

pub(crate) fn content(seed: u64, size: usize) -> Vec<u8> {
    let mut chance = Chance::new(seed ^ 0xb10b);
    (0..size).map(|_| chance.below(256) as u8).collect()
}

/// What happens to a request, or to the process that sends it.
#[derive(Clone, Debug)]
pub(crate) enum Mishap {
    /// The process ends before it is sent.
    Kill,
    /// The process ends when so many bytes of it are sent.
    KillWithin { after: u64 },
    /// The process ends when it is answered.
    KillAfter,
    /// Something that the registry or the network does.
    Fault(Fault),
}

pub(crate) struct World {
    registry: Registry,
    repository: Repository,
    /// Of ten requests, how many meet a mishap.
    pub(crate) rate: u64,
    /// Mishaps of certain requests with content, counted from 0.
    pub(crate) plan: Vec<(u64, Mishap)>,
    pub(crate) kills: u64,
    /// The registry lost something, or sent something twice, by itself.
    pub(crate) forgetful: bool,
    /// Proof went elsewhere.
    pub(crate) leaked: bool,
    /// Bytes sent that the registry had.
    pub(crate) again: u64,
    /// Bytes of content received.
    pub(crate) received: u64,
    sent: u64,
}

const ELSEWHERE: &str = "http://elsewhere.example";

enum Came {
    Answer(Response, Option<Box<dyn Read + Send>>),
    Broken,
    Killed,
}

impl World {
    pub(crate) fn new(seed: u64, keeps_cut_uploads: bool) -> Self {
        let auth = Auth::Token {
            username: "u".to_owned(),
            password: "p".to_owned(),
            requests: 5 + (seed % 20) as u32,
            anonymous_pull: false,
        };
        let registry = Registry::new(Options { auth, keeps_cut_uploads, ..Options::default() }).unwrap();
        Self {
            registry,
            repository: Repository::new(&"registry.example/team/app".parse().unwrap(), true).unwrap(),
            rate: 0,
            plan: Vec::new(),
            kills: 0,
            forgetful: false,
            leaked: false,
            again: 0,
            received: 0,
            sent: 0,
        }
    }

    fn session(&self) -> Session {
        let credentials = Credentials::Password { username: "u".to_owned(), password: "p".to_owned() };
        Session::new(self.repository.root().clone(), credentials)
    }

    fn patience() -> Patience {
        Patience { first_wait: Duration::ZERO, attempts: 8, ..Patience::default() }
    }

    /// Uploads a blob with as many processes as it takes.
    pub(crate) fn upload(
        &mut self,
        blob: &[u8],
        options: UploadOptions,
        chance: &mut Chance,
    ) -> Result<Uploaded, Error> {
        let digest = Digest::sha256(blob);
        let mut saved: Option<Vec<u8>> = None;
        for _ in 0..5000 {
            let mut session = self.session();
            let mut upload = Upload::new(&self.repository, digest.clone(), blob.len() as u64, options);
            if let Some(bytes) = &saved {
                upload = upload.resume(&UploadState::parse(bytes).unwrap()).unwrap();
            }
            let mut exchange = Exchange::new(upload, Self::patience());
            loop {
                match exchange.step(&mut session, 0)? {
                    Next::Done(uploaded) => return Ok(uploaded),
                    Next::Wait(_) => {}
                    Next::Send(request) => {
                        saved = exchange.operation().state().map(|state| state.to_bytes().unwrap());
                        match self.carry(&request, blob, chance) {
                            Came::Answer(response, _) => exchange.answer(&mut session, 0, response)?,
                            Came::Broken => exchange.broken("reset")?,
                            Came::Killed => break,
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
            self.kills += 1;
        }
        panic!("five thousand processes");
    }

    /// Downloads a blob, which is put there first, with as many processes as it takes.
    pub(crate) fn download(&mut self, blob: &[u8], chance: &mut Chance) -> Result<Vec<u8>, Error> {
        let rate = std::mem::take(&mut self.rate);
        self.upload(blob, UploadOptions::default(), chance)?;
        self.rate = rate;
        let mut partial = Vec::new();
        for _ in 0..5000 {
            let mut session = self.session();
            let mut download = Download::new(&self.repository, Digest::sha256(blob), blob.len() as u64);
            download.already(&partial);
            partial.truncate(download.have() as usize);
            if self.transfer(
                Exchange::new(download, Self::patience()),
                &mut session,
                &mut partial,
                blob,
                chance,
            )? {
                return Ok(partial);
            }
            self.kills += 1;
        }
        panic!("five thousand processes");
    }

    /// One process of a download; whether it came to the end.
    fn transfer(
        &mut self,
        mut exchange: Exchange<Download>,
        session: &mut Session,
        partial: &mut Vec<u8>,
        blob: &[u8],
        chance: &mut Chance,
    ) -> Result<bool, Error> {
        let mut body = None;
        loop {
            match exchange.step(session, 0)? {
                Next::Done(()) => return Ok(true),
                Next::Wait(_) => {}
                Next::Send(request) => match self.carry(&request, blob, chance) {
                    Came::Answer(response, rest) => {
                        body = rest;
                        exchange.answer(session, 0, response)?;
                    }
                    Came::Broken => exchange.broken("reset")?,
                    Came::Killed => return Ok(false),
                },
                Next::Content { offset } => {
                    partial.truncate(offset as usize);
                    let mut body = body.take().unwrap();
                    let mut buffer = vec![0; 1 + chance.below(300) as usize];
                    let complete = loop {
                        match body.read(&mut buffer) {
                            Ok(0) => break true,
                            Err(_) => break false,
                            Ok(count) => {
                                exchange.content(&buffer[..count])?;
                                partial.extend_from_slice(&buffer[..count]);
                                self.received += count as u64;
                                if self.rate > 0 && chance.one_in(40) {
                                    return Ok(false);
                                }
                            }
                        }
                    };
                    exchange.content_end(complete)?;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// The blob as the registry gives it, if it has it.
    pub(crate) fn stored(&mut self, blob: &[u8]) -> Option<Vec<u8>> {
        (self.rate, self.plan) = (0, Vec::new());
        let mut session = self.session();
        let download = Download::new(&self.repository, Digest::sha256(blob), blob.len() as u64);
        let mut found = Vec::new();
        let exchange = Exchange::new(download, Self::patience());
        match self.transfer(exchange, &mut session, &mut found, blob, &mut Chance::new(0)) {
            Ok(true) => Some(found),
            Err(Error::Registry(refusal)) if refusal.status == 404 => None,
            other => panic!("{other:?}"),
        }
    }

    fn mishap(&mut self, request: &Request, chance: &mut Chance) -> Option<Mishap> {
        let carries = matches!(request.body, Body::Content { .. });
        if carries {
            let number = self.sent;
            self.sent += 1;
            if let Some((_, mishap)) = self.plan.iter().find(|(at, _)| *at == number) {
                return Some(mishap.clone());
            }
        }
        if chance.below(10) >= self.rate {
            return None;
        }
        let length = request.body.length();
        let within = |chance: &mut Chance| chance.below(length + 1);
        let is_blob = request.method == Method::Get && request.url.path().contains("/blobs/sha256");
        let is_token = request.url.path() == "/token";
        Some(match chance.below(if is_blob { 13 } else { 11 }) {
            0 => Mishap::Kill,
            1 => Mishap::KillWithin { after: within(chance) },
            2 => Mishap::KillAfter,
            3 => Mishap::Fault(Fault::CutRequest { after: within(chance) }),
            4 => Mishap::Fault(Fault::LoseAnswer),
            5 => {
                let status = [429, 500, 502, 503][chance.below(4) as usize];
                let retry_after = chance.one_in(2).then(|| chance.below(100).to_string());
                Mishap::Fault(Fault::Status { status, retry_after })
            }
            // A token service that refuses, or leads elsewhere, is the end: there is nothing to try.
            6 if !is_token => Mishap::Fault(Fault::ExpireTokens { after: within(chance) }),
            7 if !is_token => Mishap::Fault(Fault::Redirect { to: ELSEWHERE.to_owned() }),
            6 | 7 => Mishap::Kill,
            8 => Mishap::Fault(Fault::NoLocation),
            9 if chance.one_in(2) => Mishap::Fault(Fault::LoseUploads),
            9 if carries || is_blob => Mishap::Fault(Fault::RangeRefused),
            9 => Mishap::KillAfter,
            10 | 11 => Mishap::Fault(Fault::CutAnswer { after: chance.below(3000) }),
            _ => match chance.below(3) {
                0 => Mishap::Fault(Fault::ShortContent { bytes: 1 + chance.below(1000) }),
                1 => Mishap::Fault(Fault::WholeContent),
                _ => Mishap::Fault(Fault::WrongContent),
            },
        })
    }

    /// Bytes that the registry has of an upload, as it says itself; where it says `0-0`, none.
    fn held(&self, url: &Url) -> u64 {
        let get = |url: &Url, authorization: &str| {
            let request = Request::new(Method::Get, url.clone()).header("authorization", authorization);
            self.registry.handle(&request, &mut io::empty()).unwrap().read(&request).unwrap()
        };
        let token = url.join("/token?scope=repository:team/app:pull,push").unwrap();
        let answer = String::from_utf8(get(&token, "Basic dTpw").body).unwrap();
        let token = answer.rsplit("\"token\":\"").next().unwrap().split('"').next().unwrap();
        let status = get(url, &format!("Bearer {token}"));
        let end = status.headers.get("range").and_then(|range| range.strip_prefix("0-")?.parse::<u64>().ok());
        end.filter(|&end| end > 0).map_or(0, |end| end + 1)
    }

    fn carry(&mut self, request: &Request, blob: &[u8], chance: &mut Chance) -> Came {
        if request.url.host() != "registry.example" {
            self.leaked |= request.headers.get("authorization").is_some();
            return Came::Answer(Response::new(503), None);
        }
        let mishap = self.mishap(request, chance);
        let mut request = request.clone();
        request.headers.set("content-length", request.body.length().to_string());
        let (start, length) = match request.body {
            Body::Content { offset, length } => (offset, length),
            _ => (0, 0),
        };
        let part = match &request.body {
            Body::Content { offset, length } => &blob[*offset as usize..(*offset + *length) as usize],
            Body::Bytes(bytes) => bytes,
            _ => &[],
        };
        let (mut killed, mut fault) = (false, None);
        match mishap {
            Some(Mishap::Kill) => return Came::Killed,
            Some(Mishap::KillWithin { after }) => {
                killed = true;
                fault = Some(Fault::CutRequest { after });
            }
            Some(Mishap::KillAfter) => killed = true,
            Some(Mishap::Fault(one)) => {
                self.forgetful |= matches!(
                    one,
                    Fault::NoLocation
                        | Fault::LoseUploads
                        | Fault::RangeRefused
                        | Fault::WholeContent
                        | Fault::WrongContent
                );
                fault = Some(one);
            }
            None => {}
        }
        if length > 0 {
            self.again += self.held(&request.url).saturating_sub(start).min(length);
        }
        if let Some(fault) = fault {
            self.registry.inject(Rule::once(fault));
        }
        let outcome = self.registry.handle(&request, &mut &part[..]);
        self.registry.clear_faults();
        let Ok(reply) = outcome else { return if killed { Came::Killed } else { Came::Broken } };
        if killed {
            return Came::Killed;
        }
        if request.wants_content && matches!(reply.status, 200 | 206) {
            let response = Response { status: reply.status, headers: reply.headers, body: Vec::new() };
            return Came::Answer(response, Some(Box::new(reply.body)));
        }
        match reply.read(&request) {
            Ok(response) => Came::Answer(response, None),
            Err(_) => Came::Broken,
        }
    }
}

/// Several clients add to one list of referrers, their steps in an order that chance makes. No step takes longer than ten
/// ticks, and the list is read back after fifty. Returns how many entries are missing in the end.
pub(crate) fn attach_at_once(options: Options, writers: usize, chance: &mut Chance) -> usize {
    let registry = Registry::new(Options { sparse: true, ..options }).unwrap();
    let repository = Repository::new(&"registry.example/team/app".parse().unwrap(), true).unwrap();
    let subject = Digest::sha256(b"subject");
    let mut session = Session::new(repository.root().clone(), Credentials::Anonymous);
    let entry = |number: usize| {
        let digest = Digest::sha256(format!("referrer {number}").as_bytes());
        Descriptor::new("application/vnd.oci.image.manifest.v1+json", digest, 1)
    };
    let mut waiting: Vec<(u64, Exchange<UpdateReferrers>, Option<Request>)> = (0..writers)
        .map(|number| {
            let settle = Duration::from_secs(50);
            let update = UpdateReferrers::add(&repository, &subject, entry(number), settle);
            (chance.below(60), Exchange::new(update, Patience::default()), None)
        })
        .collect();
    while !waiting.is_empty() {
        let next = waiting.iter().enumerate().min_by_key(|(_, (time, ..))| *time).unwrap().0;
        let (time, mut exchange, request) = waiting.swap_remove(next);
        if let Some(request) = request {
            let response = carry_out(&registry, &request).unwrap();
            exchange.answer(&mut session, 0, response).unwrap();
        }
        match exchange.step(&mut session, 0).unwrap() {
            Next::Done(_) => {}
            Next::Wait(settle) => waiting.push((time + 1 + settle.as_secs(), exchange, None)),
            Next::Send(request) => waiting.push((time + 1 + chance.below(10), exchange, Some(request))),
            other => panic!("{other:?}"),
        }
    }
    let mut exchange =
        Exchange::new(Referrers::new(&repository, &subject, None).unwrap(), Patience::default());
    let found = loop {
        match exchange.step(&mut session, 0).unwrap() {
            Next::Done(found) => break found,
            Next::Send(request) => {
                let response = carry_out(&registry, &request).unwrap();
                exchange.answer(&mut session, 0, response).unwrap();
            }
            other => panic!("{other:?}"),
        }
    };
    let found: BTreeSet<Digest> = found.descriptors.into_iter().map(|entry| entry.digest).collect();
    (0..writers).filter(|&number| !found.contains(&entry(number).digest)).count()
}

fn carry_out(registry: &Registry, request: &Request) -> io::Result<Response> {
    let mut request = request.clone();
    request.headers.set("content-length", request.body.length().to_string());
    let bytes = match &request.body {
        Body::Bytes(bytes) => bytes.clone(),
        _ => Vec::new(),
    };
    registry.handle(&request, &mut bytes.as_slice())?.read(&request)
}

/// The status of an answer under a fault.
pub(crate) fn check(fault: Fault) -> u16 {
    let registry = Registry::new(Options::default()).unwrap();
    registry.inject(Rule::once(fault));
    let url = "http://registry.example/v2/".parse().unwrap();
    registry.handle(&Request::new(Method::Get, url), &mut io::empty()).unwrap().status
}
