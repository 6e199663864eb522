//! A server on the loopback interface with the parts of HTTP, S3, Azure Blob and WebDAV that the program uses. It logs
//! its requests and the bytes it sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The method and the path, with its query.
    pub request: String,
    /// The status.
    pub status: u16,
    /// Bytes of the body that were sent.
    pub bytes: u64,
    /// The address that led here, if the request names one.
    pub referer: Option<String>,
}

/// A server; the first folder of a path is the bucket or container, and some bucket names cause failures.
pub struct ObjectServer {
    /// `127.0.0.1:port`.
    pub address: String,
    answers: Arc<Mutex<Vec<Answer>>>,
}

type Files = Arc<BTreeMap<String, Vec<u8>>>;

/// Objects per page of a listing: few, so that listings have several pages.
const PAGE: usize = 20;

/// How long a server may stay silent.
const SILENCE: Duration = Duration::from_secs(30);

const DATE: &str = "Mon, 02 Mar 2026 10:00:00 GMT";

impl ObjectServer {
    /// Serves `files`, named by their paths below the bucket. Buckets with these names answer otherwise:
    ///
    /// - `whole`: without parts of files
    /// - `denied`: 403 to everything
    /// - `cut`: half of every body, every time
    /// - `flaky`: half of the first body, then all
    /// - `stall`: nothing after the first half
    /// - `moving`: another version with each answer
    /// - `broken`: 500
    /// - `echo`: 403 that repeats the address and the credentials that it was asked with
    /// - `near`: a redirect to the bucket `web` of this server
    /// - `far`: a redirect to the address that stands after `far/`, up to the next slash
    pub fn start(files: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let answers = Arc::new(Mutex::new(Vec::new()));
        let (files, log): (Files, _) = (Arc::new(files), Arc::clone(&answers));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, log) = (Arc::clone(&files), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &files, &log));
            }
        });
        Self { address, answers }
    }

    /// Takes the log of responses.
    pub fn answers(&self) -> Vec<Answer> {
        std::mem::take(&mut self.answers.lock().expect("a log"))
    }

    /// Bytes of bodies sent since the log was taken.
    pub fn bytes(&self) -> u64 {
        self.answers().iter().map(|answer| answer.bytes).sum()
    }
}

/// Every file in `folder` with its path, separated by `/`.
pub fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| entry.file_type().is_file());
    let named = files.map(|file| {
        let name = file.path().strip_prefix(folder).expect("below").to_string_lossy().replace('\\', "/");
        (name, std::fs::read(file.path()).expect("readable"))
    });
    named.collect()
}

struct Request {
    method: String,
    target: String,
    range: Option<Range<u64>>,
    referer: Option<String>,
    authorization: String,
}

fn read_request(input: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let (mut range, mut length, mut referer, mut authorization) = (None, 0, None, String::new());
    loop {
        let mut header = String::new();
        input.read_line(&mut header).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let (start, end) = value.trim().strip_prefix("bytes=")?.split_once('-')?;
                range = Some(start.parse().ok()?..end.parse::<u64>().ok()?.saturating_add(1));
            }
            "referer" => referer = Some(value.trim().to_owned()),
            "authorization" => authorization = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    input.take(length).read_to_end(&mut Vec::new()).ok()?;
    Some(Request { method, target, range, referer, authorization })
}

fn serve(stream: TcpStream, files: &Files, log: &Mutex<Vec<Answer>>) {
    let _ = stream.set_nodelay(true);
    let mut input = BufReader::new(stream.try_clone().expect("a socket"));
    let mut output = stream;
    while let Some(request) = read_request(&mut input) {
        if answer(&request, &mut output, files, log).is_none() {
            break;
        }
    }
}

/// Sends a response; None if the connection must not be reused.
fn answer(request: &Request, output: &mut TcpStream, files: &Files, log: &Mutex<Vec<Answer>>) -> Option<()> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let path = decoded(path);
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let count = log.lock().expect("a log").len();
    let referer = &request.referer;
    let note = |status: u16, bytes: usize| {
        let request = format!("{} {}", request.method, request.target);
        log.lock().expect("a log").push(Answer { request, status, bytes: bytes as u64, referer: referer.clone() });
    };
    let mut send = |status: u16, headers: &str, body: &[u8], length: usize| -> Option<()> {
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nlast-modified: {DATE}\r\n{headers}\r\n");
        let sent = if request.method == "HEAD" { &[][..] } else { body };
        note(status, sent.len());
        output.write_all(head.as_bytes()).and_then(|()| output.write_all(sent)).and_then(|()| output.flush()).ok()
    };
    if bucket == "denied" {
        let body = "<Error><Code>AccessDenied</Code><Message>Access\u{1b}[31m Denied</Message></Error>";
        return send(403, "", body.as_bytes(), body.len());
    }
    if bucket == "echo" {
        let words = format!("no access to {} with {}", request.target, request.authorization);
        let body = format!("<Error><Code>AuthenticationFailed</Code><Message>{}</Message></Error>", escaped(&words));
        return send(403, "", body.as_bytes(), body.len());
    }
    if bucket == "near" {
        return send(302, &format!("location: /web/{key}\r\n"), b"", 0);
    }
    if bucket == "far" {
        let (address, key) = key.split_once('/').expect("an address");
        return send(302, &format!("location: http://{address}/web/{key}\r\n"), b"", 0);
    }
    if bucket == "broken" {
        return send(500, "", b"out of order", 12);
    }
    let listing = match () {
        () if request.method == "PROPFIND" => Some((207, propfind(bucket, key, files))),
        () if query.contains("list-type=2") => Some((200, s3_page(query, files))),
        () if query.contains("comp=list") => Some((200, azure_page(query, files))),
        () => None,
    };
    if let Some((status, body)) = listing {
        return send(status, "content-type: application/xml\r\n", body.as_bytes(), body.len());
    }
    let Some(file) = files.get(key) else {
        return send(404, "", b"<Error><Code>NoSuchKey</Code></Error>", 37);
    };
    let version = if bucket == "moving" { count } else { 0 };
    let mut headers = format!("etag: \"v{version}\"\r\n");
    let range = request.range.clone().filter(|_| bucket != "whole");
    let (status, body) = match &range {
        Some(range) if range.start >= file.len() as u64 => return send(416, "", b"", 0),
        Some(range) => {
            let end = range.end.min(file.len() as u64);
            let _ = write!(headers, "content-range: bytes {}-{}/{}\r\n", range.start, end - 1, file.len());
            (206, &file[range.start as usize..end as usize])
        }
        None => (200, &file[..]),
    };
    // The first byte reveals the length of the file: it is always sent.
    let half = &body[..body.len() / 2];
    match bucket {
        "cut" if body.len() > 1 => {
            send(status, &headers, half, body.len())?;
            None
        }
        "flaky" if body.len() > 1 && count == 1 => {
            send(status, &headers, half, body.len())?;
            None
        }
        "stall" if body.len() > 1 => {
            send(status, &headers, half, body.len())?;
            std::thread::sleep(SILENCE);
            None
        }
        _ => send(status, &headers, body, body.len()),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())) {
            (b'%', Some(digits)) => {
                bytes.push(u8::from_str_radix(digits, 16).expect("a percent code"));
                rest = &rest[2..];
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).expect("text")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn parameter(query: &str, name: &str) -> String {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    decoded(&value.unwrap_or("").replace('+', " "))
}

/// The objects of a page, and the marker of the next one.
fn page<'a>(files: &'a Files, prefix: &str, marker: &str) -> (Vec<(&'a String, usize)>, Option<&'a String>) {
    let below = files.iter().filter(|(name, _)| name.starts_with(prefix) && name.as_str() >= marker);
    let mut below = below.map(|(name, bytes)| (name, bytes.len()));
    let page = below.by_ref().take(PAGE).collect();
    (page, below.next().map(|(name, _)| name))
}

fn s3_page(query: &str, files: &Files) -> String {
    let (page, next) = page(files, &parameter(query, "prefix"), &parameter(query, "continuation-token"));
    let mut xml = "<ListBucketResult>".to_owned();
    for (name, bytes) in page {
        let _ = write!(
            xml,
            "<Contents><Key>{}</Key><Size>{bytes}</Size><LastModified>2026-03-02T10:00:00.000Z</LastModified>\
             <ETag>\"v0\"</ETag></Contents>",
            escaped(name)
        );
    }
    if let Some(next) = next {
        let _ = write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", escaped(next));
    }
    xml + "</ListBucketResult>"
}

fn azure_page(query: &str, files: &Files) -> String {
    let (page, next) = page(files, &parameter(query, "prefix"), &parameter(query, "marker"));
    let mut xml = "<EnumerationResults><Blobs>".to_owned();
    for (name, bytes) in page {
        let _ = write!(
            xml,
            "<Blob><Name>{}</Name><Properties><Last-Modified>{DATE}</Last-Modified><Content-Length>{bytes}\
             </Content-Length><Content-Type>text/plain</Content-Type><Etag>\"v0\"</Etag></Properties></Blob>",
            escaped(name)
        );
    }
    let next = next.map(|next| escaped(next)).unwrap_or_default();
    xml + &format!("</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>")
}

fn propfind(bucket: &str, key: &str, files: &Files) -> String {
    let mut xml = "<D:multistatus xmlns:D=\"DAV:\">".to_owned();
    for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with(key)) {
        let href = name.replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace('?', "%3F");
        let _ = write!(
            xml,
            "<D:response><D:href>/{bucket}/{}</D:href><D:propstat><D:prop><D:getlastmodified>{DATE}\
             </D:getlastmodified><D:getcontentlength>{}</D:getcontentlength><D:resourcetype/><D:getetag>\"v0\"\
             </D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>",
            escaped(&href),
            bytes.len()
        );
    }
    xml + "</D:multistatus>"
}
