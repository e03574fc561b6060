//! The child: the file is its standard input, messages leave by its standard output, words by its standard error.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::process::ExitCode;

use hirenet_core::Code;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::fcntl_setpipe_size;

use crate::message::{Message, Stop};
use crate::task::{Task, perform};
use crate::{Refusal, input, limits, protocol};

/// Bytes that the pipe holds, where the system allows it: half an analysis frame or more.
const PIPE_BYTES: usize = 1 << 20;

/// The hidden subcommand `decode-child`: does the task in its only argument, and ends.
///
/// Call it before anything else is started: it limits its own process.
#[must_use]
pub fn child_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match serve(args) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent went away; there is nobody to tell.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("decode-child: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(args: impl IntoIterator<Item = OsString>) -> io::Result<()> {
    let task: Task = args
        .into_iter()
        .next()
        .and_then(|json| serde_json::from_slice(json.as_encoded_bytes()).ok())
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "this command is started by the program itself"))?;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    limits::apply(&task.settings)?;
    limits::forbid_files()?;
    match end_with_the_reader(out.try_clone()?) {
        // A thread's stack counts too, and whoever starts one is told to try again.
        Err(error) if error.kind() == ErrorKind::WouldBlock && input::is_out_of_room() => {
            return protocol::write(&mut out, &Message::Refused(Refusal::plain(Code::LimitMemory)));
        }
        started => started?,
    }
    // Only speed: an unprivileged user may have used up what the system grants for pipes.
    let _size = fcntl_setpipe_size(&out, PIPE_BYTES);
    let done = perform(file, &task, &mut |message| protocol::write(&mut out, &message).map_err(|_| Stop::Closed));
    match done {
        Ok(()) => Ok(()),
        Err(Stop::Refused(refusal)) => protocol::write(&mut out, &Message::Refused(refusal)),
        Err(Stop::Closed) => Err(ErrorKind::BrokenPipe.into()),
    }
}

/// Ends this process as soon as nobody reads its output, however busy it is: the parent dropped the decoding or died.
///
/// `PR_SET_PDEATHSIG` would not do: it fires when the parent's *thread* ends that started the child.
fn end_with_the_reader(out: File) -> io::Result<()> {
    std::thread::Builder::new().name("reader-watch".to_owned()).spawn(move || {
        // No events are asked for: only an error (the read end is closed) wakes this.
        let mut watched = [PollFd::new(&out, PollFlags::empty())];
        while poll(&mut watched, None).is_err() {}
        std::process::exit(1);
    })?;
    Ok(())
}
