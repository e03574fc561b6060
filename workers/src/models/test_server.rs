//! A web server with one file and bad manners, for tests of downloading.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// How one request is answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reply {
    /// The file, from the asked offset on.
    Ranged,
    /// The whole file, whatever was asked.
    WithoutRanges,
    /// From the asked offset on, but the connection breaks after so many bytes.
    CutAfter(usize),
    /// A file of the same length with another content.
    WrongBytes,
    /// So many bytes more than the file has, without saying its length.
    TooMuch(usize),
    /// A status without a file.
    Status(u16),
    /// The same file at another address, as hosts of large files answer.
    Moved,
    /// Not a byte until the client gives up.
    Silence,
}

/// The running server; it ends with the last of its replies.
pub(super) struct TestServer {
    address: SocketAddr,
    ranges: Arc<Mutex<Vec<Option<usize>>>>,
    thread: JoinHandle<()>,
}

impl TestServer {
    /// Serves `content`, one reply a request.
    pub(super) fn start(content: &[u8], replies: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (content, mut replies) = (content.to_vec(), VecDeque::from(replies.to_vec()));
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&ranges);
        let thread = std::thread::spawn(move || {
            while let Some(reply) = replies.pop_front() {
                let (stream, _) = listener.accept().unwrap();
                let offset = read_request(&stream);
                asked.lock().unwrap().push(offset);
                answer(stream, reply, &content, offset);
            }
        });
        TestServer { address, ranges, thread }
    }

    /// Address of the file.
    pub(super) fn url(&self) -> String {
        format!("http://{}/model.bin", self.address)
    }

    /// Waits until every reply was given; the offsets that were asked for, in order.
    pub(super) fn finish(self) -> Vec<Option<usize>> {
        self.thread.join().unwrap();
        self.ranges.lock().unwrap().clone()
    }
}

/// Reads the head of a request; the offset of its `Range`, where it has one.
fn read_request(stream: &TcpStream) -> Option<usize> {
    let lines = BufReader::new(stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
    let mut offset = None;
    for line in lines {
        if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            offset = range.trim_end_matches('-').parse().ok();
        }
    }
    offset
}

fn answer(mut stream: TcpStream, reply: Reply, content: &[u8], offset: Option<usize>) {
    let start = offset.unwrap_or(0);
    let head = match (reply, offset) {
        (Reply::Status(status), _) => format!("{status} Whatever\r\nContent-Length: 0"),
        (Reply::Moved, _) => "302 Found\r\nLocation: /elsewhere.bin\r\nContent-Length: 0".to_owned(),
        (Reply::TooMuch(_), _) => "200 OK".to_owned(),
        (Reply::Ranged | Reply::CutAfter(_), Some(_)) => format!(
            "206 Partial Content\r\nContent-Range: bytes {start}-{}/{}\r\nContent-Length: {}",
            content.len() - 1,
            content.len(),
            content.len() - start
        ),
        _ => format!("200 OK\r\nContent-Length: {}", content.len()),
    };
    let body = match reply {
        Reply::Ranged => content[start..].to_vec(),
        Reply::WithoutRanges => content.to_vec(),
        Reply::CutAfter(bytes) => content[start..start + bytes].to_vec(),
        Reply::WrongBytes => content.iter().map(|byte| !byte).collect(),
        Reply::TooMuch(bytes) => [content, &vec![0; bytes]].concat(),
        Reply::Status(_) | Reply::Moved => Vec::new(),
        Reply::Silence => {
            // Returns when the client has closed its end.
            let _ = std::io::Read::read(&mut stream, &mut [0]);
            return;
        }
    };
    // A client that has seen enough hangs up: not this server's fault.
    let _ = stream
        .write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes())
        .and_then(|()| stream.write_all(&body));
}
