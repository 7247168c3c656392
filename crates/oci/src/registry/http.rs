//! HTTP/1.1 as far as clients of a registry speak it (RFC 9112).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::Registry;
use super::reply::Reply;
use crate::distribution::{Method, Request, Url};

/// Bytes of a request's header, and fields in it.
const HEAD: usize = 64 << 10;
const FIELDS: usize = 100;
/// Bytes of a body that nobody read which are passed over so that the connection can be used again.
const REST: u64 = 4 << 20;

/// Answers requests on a connection until it ends.
pub(super) fn converse(registry: &Registry, stream: &TcpStream) -> io::Result<()> {
    let mut input = BufReader::with_capacity(64 << 10, stream);
    let mut output = stream;
    loop {
        let Some(head) = read_head(&mut input)? else { return Ok(()) };
        let Some(incoming) = parse(&head) else {
            let reply = Reply::error(400, "UNSUPPORTED", "that is no request that a registry knows");
            write(&mut output, reply, false, true)?;
            return Ok(());
        };
        let Incoming { request, length, chunked, keep, expects } = incoming;
        let head_only = request.method == Method::Head;
        if expects {
            output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let mut body: Box<dyn Read + '_> = if chunked {
            Box::new(Chunked { input: &mut input, left: 0, state: Chunk::Size })
        } else {
            Box::new(Exact { input: &mut input, left: length })
        };
        let reply = registry.handle(&request, &mut body)?;
        let drained = drain(&mut body)?;
        drop(body);
        write(&mut output, reply, head_only, !keep || !drained)?;
        if !keep || !drained {
            return Ok(());
        }
    }
}

struct Incoming {
    request: Request,
    length: u64,
    chunked: bool,
    keep: bool,
    expects: bool,
}

fn read_head(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        let count = input.take(u64::try_from(HEAD - before).unwrap_or(0)).read_until(b'\n', &mut head)?;
        if count == 0 {
            return if before == 0 { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        if head.ends_with(b"\r\n\r\n") {
            return Ok(Some(head));
        }
        if head.len() >= HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the header is too long"));
        }
    }
}

fn parse(head: &[u8]) -> Option<Incoming> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed.parse(head).ok().filter(httparse::Status::is_complete)?;
    let method = Method::from_name(parsed.method?)?;
    let field = |name: &str| {
        let found = parsed.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    let target = parsed.path?;
    let url: Url = if target.starts_with('/') {
        let host = field("host").filter(|host| !host.is_empty()).unwrap_or("localhost");
        // Braces and the like are sent as they are by some clients.
        let target = target.replace('{', "%7B").replace('}', "%7D").replace('|', "%7C");
        format!("http://{host}{target}").parse().ok()?
    } else {
        target.parse().ok()?
    };
    let connection = field("connection").unwrap_or_default().to_ascii_lowercase();
    let chunked = field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    if field("transfer-encoding").is_some() && (!chunked || field("content-length").is_some()) {
        return None;
    }
    let length = field("content-length").map_or(Some(0), |text| text.trim().parse().ok())?;
    let expects = field("expect").is_some_and(|what| what.eq_ignore_ascii_case("100-continue"));
    let keep = parsed.version == Some(1) && !connection.contains("close");
    let mut request = Request::new(method, url);
    for found in parsed.headers.iter() {
        request.headers.push(found.name, String::from_utf8_lossy(found.value).into_owned());
    }
    Some(Incoming { request, length, chunked, keep, expects })
}

/// A body of a known length; one that ends before is a connection that broke.
struct Exact<'a, R> {
    input: &'a mut R,
    left: u64,
}

impl<R: Read> Read for Exact<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.input.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

struct Chunked<'a, R> {
    input: &'a mut R,
    left: u64,
    state: Chunk,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Size,
    Data,
    End,
}

impl<R: BufRead> Chunked<'_, R> {
    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.input.take(1024).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

impl<R: BufRead> Read for Chunked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.state == Chunk::Size {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let wrong = || io::Error::new(io::ErrorKind::InvalidData, "that is no chunk");
            self.left = u64::from_str_radix(digits, 16).map_err(|_| wrong())?;
            self.state = if self.left == 0 { Chunk::End } else { Chunk::Data };
            if self.left == 0 {
                while !self.line()?.is_empty() {}
            }
        }
        if self.state == Chunk::End || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.input.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        if self.left == 0 {
            self.line()?;
            self.state = Chunk::Size;
        }
        Ok(count)
    }
}

/// Passes over what nobody read of a body; whether it ended.
fn drain(body: &mut dyn Read) -> io::Result<bool> {
    io::copy(&mut body.take(REST), &mut io::sink())?;
    let mut one = [0];
    Ok(body.read(&mut one)? == 0)
}

fn write(output: &mut impl Write, reply: Reply, head_only: bool, close: bool) -> io::Result<()> {
    let reason = match reply.status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        416 => "Range Not Satisfiable",
        _ => "Status",
    };
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", reply.status);
    for (name, value) in reply.headers.iter() {
        if reply.status == 204 && name.eq_ignore_ascii_case("content-length") {
            continue;
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if close {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    let mut body = reply.body;
    // A small answer goes out in one piece.
    let mut first = vec![0; 16 << 10];
    let mut filled = 0;
    let mut failed = None;
    while !head_only && filled < first.len() {
        match body.read(first.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(first.get(..filled).unwrap_or_default());
    output.write_all(&bytes)?;
    if let Some(error) = failed {
        return Err(error);
    }
    if !head_only {
        io::copy(&mut body, output)?;
    }
    output.flush()
}
