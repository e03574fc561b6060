//! A web server with one recording and bad manners.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How each request is answered; the last reply is repeated.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// The recording.
    Whole,
    /// The recording, without saying its length.
    WithoutLength,
    /// The recording's true length, and fewer bytes.
    Cut,
    /// A status without a body.
    Status(u16),
    /// Another place.
    Moved(String),
    /// The head, then nothing until the client gives up.
    Stalls,
}

/// What a request asked: its first line and its headers, as sent.
pub(crate) type Request = Vec<String>;

/// The running server. Its thread ends with the test's process.
pub(crate) struct TestServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl TestServer {
    pub(crate) fn start(content: &[u8], replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, content) = (Arc::clone(&requests), content.to_vec());
        std::thread::spawn(move || {
            let last = replies.last().unwrap().clone();
            let mut replies = replies.into_iter();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                seen.lock().unwrap().push(lines.take_while(|line| !line.is_empty()).collect());
                let reply = replies.next().unwrap_or_else(|| last.clone());
                let content = content.clone();
                std::thread::spawn(move || answer(stream, &reply, &content));
            }
        });
        TestServer { address, requests }
    }

    /// Address of the server's root, with a closing slash.
    pub(crate) fn root(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, reply: &Reply, content: &[u8]) {
    let length = content.len();
    let head = match reply {
        Reply::Whole | Reply::Cut | Reply::Stalls => format!("200 OK\r\nContent-Length: {length}"),
        Reply::WithoutLength => "200 OK".to_owned(),
        Reply::Status(status) => format!("{status} Whatever\r\nContent-Length: 0"),
        Reply::Moved(place) => format!("302 Found\r\nLocation: {place}\r\nContent-Length: 0"),
    };
    let date = "Last-Modified: Wed, 25 Nov 2026 10:00:00 GMT\r\nETag: \"1\"";
    let body = match reply {
        Reply::Whole | Reply::WithoutLength => content,
        Reply::Cut => &content[..length / 2],
        _ => &[],
    };
    // A client that has seen enough hangs up: not this server's fault.
    let _ = stream
        .write_all(format!("HTTP/1.1 {head}\r\n{date}\r\nConnection: close\r\n\r\n").as_bytes())
        .and_then(|()| stream.write_all(body));
    if matches!(reply, Reply::Stalls) {
        // Returns when the client has closed its end.
        let _ = stream.read(&mut [0]);
    }
}
