//! A server for one test: it speaks just enough HTTP/1.1 for an AWS SDK, keeps
//! every request, and answers as the test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone)]
pub struct Request {
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// `AssumeRole`, or the action of an `X-Amz-Target`.
    pub fn action(&self) -> String {
        match self.header("x-amz-target").rsplit_once('.') {
            Some((_, action)) => action.to_owned(),
            None => self.form("Action"),
        }
    }

    /// A field of a form.
    pub fn form(&self, name: &str) -> String {
        let body = std::str::from_utf8(&self.body).unwrap();
        let value = body.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
        let value = value.map_or("", |(_, value)| value);
        value.replace("%3A", ":").replace("%2F", "/")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// `Credential=`, `SignedHeaders=` or `Signature=` of the authorization.
    pub fn authorization(&self, part: &str) -> &str {
        let header = self.header("authorization");
        let (_, value) = header.split_once(&format!("{part}=")).unwrap();
        value.split(',').next().unwrap()
    }
}

pub type Answer = (u16, String);
type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub async fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        tokio::spawn({
            let requests = Arc::clone(&requests);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&handler), Arc::clone(&requests)));
                }
            }
        });
        Self { url, requests }
    }

    /// The requests since the last call, in the order of their arrival.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

async fn serve(mut stream: TcpStream, handler: Arc<Handler>, requests: Arc<Mutex<Vec<Request>>>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let (status, body) = {
            // Kept and answered in one step, so that the order of the list is
            // the order in which the answers were decided.
            let mut requests = requests.lock().unwrap();
            requests.push(request.clone());
            handler(&request)
        };
        let kind = if body.starts_with('<') { "text/xml" } else { "application/x-amz-json-1.1" };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// `None` when the client has gone.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..end + 4).collect()).unwrap();
    let headers: BTreeMap<String, String> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { headers, body: buffer.drain(..length).collect() })
}
