//! What commands print, to readers that may leave early: `latentlink … | head -1`.
//!
//! `println!` panics when its pipe is closed. Here a closed pipe is no error: whoever has read enough has read enough, and
//! what else a command does, such as writing its files, goes on. A full disk behind standard output is one.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

/// Standard output that takes no more, for another reason than a reader that left.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct PrintError(#[from] io::Error);

/// Prints `text` as it is, without a line end of its own. Nothing happens if nobody reads.
///
/// # Errors
/// If standard output cannot be written, such as to a full disk.
pub fn print(text: impl Display) -> Result<(), PrintError> {
    stream(text).map(drop)
}

/// As [`print`], for commands that have nothing left to do once nobody reads: `Break` then.
///
/// # Errors
/// If standard output cannot be written, such as to a full disk.
pub fn stream(text: impl Display) -> Result<ControlFlow<()>, PrintError> {
    Ok(write(&mut io::stdout().lock(), &text)?)
}

fn write(out: &mut impl Write, text: &impl Display) -> io::Result<ControlFlow<()>> {
    // In one piece: a text with many parts would be flushed line by line, and torn where the reader leaves.
    let written = out.write_all(text.to_string().as_bytes()).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error),
    }
}

/// Says a line to people, on standard error. Nothing happens if nobody hears.
pub fn note(line: impl Display) {
    // There is no place left to say that it failed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Says why a command failed, with all causes; gives its exit code.
pub fn fail(error: impl AsRef<dyn Error + 'static>) -> ExitCode {
    note(format_args!("error: {}", chain(error.as_ref())));
    ExitCode::FAILURE
}

/// What an error says and what its causes say, outermost first, joined by `: `, each thing once. Many errors say their
/// cause themselves and name it as their source, too; then it is not repeated.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        next = error.source();
        if parts.iter().any(|part| says(part, &text)) {
            continue;
        }
        // The cause may name the file that its context names.
        if parts.last().is_some_and(|last| text.starts_with(&format!("{last}: "))) {
            parts.pop();
        }
        parts.push(text);
    }
    parts.join(": ")
}

/// Whether `whole` holds `part`, not torn out of a word or a number.
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

    /// An error that says `text`, with or without the cause that it has.
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
        // No part of another word or number is taken for the cause.
        assert_eq!(said(&["epoch 12", "1"]), "epoch 12: 1");
        assert_eq!(said(&["unreadable", "read"]), "unreadable: read");
    }
}
