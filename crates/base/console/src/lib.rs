//! Output of commands to pipes that may be closed early, such as `latentlink … | head -1`.
//!
//! `println!` panics when its pipe is closed. Here a closed pipe is not an error, and the command goes on, for example
//! to write its files. Any other failure of standard output, such as a full disk, is an error.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

/// The error of writing to standard output for another reason than a closed pipe.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct PrintError(#[from] io::Error);

/// Prints `text` to standard output without adding a line end. A closed pipe is ignored.
///
/// # Errors
/// If standard output cannot be written for another reason, such as a full disk.
pub fn print(text: impl Display) -> Result<(), PrintError> {
    stream(text).map(drop)
}

/// Prints `text` to standard output without adding a line end. Returns `Break` if the pipe is closed, for commands that
/// have nothing left to do then, else `Continue`.
///
/// # Errors
/// If standard output cannot be written for another reason than a closed pipe, such as a full disk.
pub fn stream(text: impl Display) -> Result<ControlFlow<()>, PrintError> {
    Ok(write(&mut io::stdout().lock(), &text)?)
}

fn write(out: &mut impl Write, text: &impl Display) -> io::Result<ControlFlow<()>> {
    // Written in one piece: a text with many parts would be flushed line by line, and cut off where the pipe is closed.
    let written = out.write_all(text.to_string().as_bytes()).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error),
    }
}

/// Prints a line to standard error. Failure to write it is ignored.
pub fn note(line: impl Display) {
    // There is nowhere to report that standard error failed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints why a command failed, with all causes, to standard error; returns the exit code of failure.
pub fn fail(error: impl AsRef<dyn Error + 'static>) -> ExitCode {
    note(format_args!("error: {}", chain(error.as_ref())));
    ExitCode::FAILURE
}

/// The messages of an error and of its causes, outermost first, joined by `: `. A cause whose message is already
/// contained in an earlier one is left out, because many errors include the message of their source.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        next = error.source();
        if parts.iter().any(|part| says(part, &text)) {
            continue;
        }
        // The message of a cause may begin with its context, such as the name of a file.
        if parts.last().is_some_and(|last| text.starts_with(&format!("{last}: "))) {
            parts.pop();
        }
        parts.push(text);
    }
    parts.join(": ")
}

/// Whether `whole` contains `part` at the boundaries of words and numbers, not within one.
fn says(whole: &str, part: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (first, last) = (part.chars().next(), part.chars().next_back());
    whole.match_indices(part).any(|(at, _)| {
        let (before, after) = (whole[..at].chars().next_back(), whole[at + part.len()..].chars().next());
        let (torn_before, torn_after) = (word(before) && word(first), word(last) && word(after));
        !torn_before && !torn_after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_from_other_failures() {
        struct Broken(ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut kept = Vec::new();
        assert_eq!(write(&mut kept, &"as it is").unwrap(), ControlFlow::Continue(()));
        assert_eq!(kept, b"as it is");
        assert_eq!(write(&mut Broken(ErrorKind::BrokenPipe), &"x").unwrap(), ControlFlow::Break(()));
        assert_eq!(write(&mut Broken(ErrorKind::StorageFull), &"x").unwrap_err().kind(), ErrorKind::StorageFull);
    }

    /// A test error with the message `text`, which may have a cause.
    #[derive(Debug)]
    struct Says(&'static str, Option<Box<Says>>);

    impl Display for Says {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Says {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &(dyn Error + 'static))
        }
    }

    #[test]
    fn each_cause_is_said_once() {
        let said = |parts: &[&'static str]| {
            let mut error = None;
            for part in parts.iter().rev() {
                error = Some(Box::new(Says(part, error)));
            }
            chain(&*error.unwrap())
        };
        assert_eq!(
            said(&["cannot listen", "Address already in use (os error 98)"]),
            "cannot listen: Address already in use (os error 98)"
        );
        assert_eq!(
            said(&["cannot listen on x:1: in use (os error 98)", "in use (os error 98)"]),
            "cannot listen on x:1: in use (os error 98)"
        );
        assert_eq!(said(&["a.csv", "a.csv: line 3", "line 3"]), "a.csv: line 3");
        assert_eq!(said(&["start: b: c", "b: c", "c"]), "start: b: c");
        // A part of another word or number is not taken for the message of the cause.
        assert_eq!(said(&["epoch 12", "1"]), "epoch 12: 1");
        assert_eq!(said(&["unreadable", "read"]), "unreadable: read");
    }
}
