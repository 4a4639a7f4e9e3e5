//! A client of HTTP/1.1 that sends requests exactly as given.

use crate::PATIENCE;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A complete HTTP response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The status and the sentence of a response that is a problem.
    #[track_caller]
    pub fn problem(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().unwrap().to_owned())
    }
}

/// Sends a GET request.
pub async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")).await
}

/// Sends a POST or DELETE request with a JSON body, as the page does.
pub async fn call(address: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    send(address, &(head + body)).await
}

/// Sends a POST request with a file, as the page does.
pub async fn post_file(address: SocketAddr, path: &str, file: &[u8]) -> Answer {
    let length = file.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
    );
    send(address, &[head.as_bytes(), file].concat()).await
}

/// Sends the bytes of any request; returns the complete response.
pub async fn send(address: SocketAddr, request: &(impl AsRef<[u8]> + ?Sized)) -> Answer {
    let all = async {
        let (mut answer, mut chunks) = open(address, request).await;
        chunks.whole(&mut answer).await;
        answer
    };
    timeout(PATIENCE, all).await.expect("no answer")
}

/// Sends a request and reads the head of the response.
async fn open(address: SocketAddr, request: &(impl AsRef<[u8]> + ?Sized)) -> (Answer, Chunks) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses a request need not have read all of it.
    let _ = stream.write_all(request.as_ref()).await;
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines[1..].iter().map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_lowercase(), value.to_owned())
    });
    (Answer { status, headers: headers.collect(), body: Vec::new() }, Chunks { stream })
}

struct Chunks {
    stream: BufReader<TcpStream>,
}

impl Chunks {
    /// Reads the body of a response to its end.
    async fn whole(&mut self, answer: &mut Answer) {
        if let Ok(length) = answer.header("content-length").parse() {
            answer.body.resize(length, 0);
            self.stream.read_exact(&mut answer.body).await.unwrap();
        } else if answer.header("transfer-encoding") == "chunked" {
            while let Some(chunk) = self.chunk().await {
                answer.body.extend(chunk);
            }
        }
    }

    /// The next chunk of the body; `None` at its end.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut size = String::new();
        self.stream.read_line(&mut size).await.ok()?;
        let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).await.ok()?;
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }
}

/// A client of the event stream of states.
pub struct Events {
    chunks: Chunks,
    text: String,
}

impl Events {
    pub async fn open(address: SocketAddr) -> Events {
        Events::try_open(address).await.unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    /// Opens the event stream; the error is the response that refused it.
    pub async fn try_open(address: SocketAddr) -> Result<Events, Answer> {
        let request = format!("GET /api/events HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let (mut answer, mut chunks) = timeout(PATIENCE, open(address, &request)).await.expect("no answer");
        match answer.status {
            200 => {
                assert_eq!(answer.header("content-type"), "text/event-stream");
                Ok(Events { chunks, text: String::new() })
            }
            _ => {
                chunks.whole(&mut answer).await;
                Err(answer)
            }
        }
    }

    /// The next state; `None` if the stream has ended.
    pub async fn next(&mut self) -> Option<Value> {
        timeout(PATIENCE, async {
            loop {
                while let Some(end) = self.text.find("\n\n") {
                    let event: String = self.text.drain(..end + 2).collect();
                    if let Some(data) = event.strip_prefix("event: state\ndata: ") {
                        return Some(serde_json::from_str(data).unwrap());
                    }
                    assert!(event == ":\n\n" || event == "retry: 1000\n\n", "{event:?}");
                }
                self.text += std::str::from_utf8(&self.chunks.chunk().await?).unwrap();
            }
        })
        .await
        .expect("no state")
    }

    /// Reads states until one satisfies `wanted`, and returns that one.
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = std::time::Instant::now();
        loop {
            let state = self.next().await.expect("the stream ended");
            if wanted(&state) {
                return state;
            }
            assert!(began.elapsed() < PATIENCE, "still not: {state}");
        }
    }
}
