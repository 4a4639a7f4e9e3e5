//! What commands print, to readers that may leave early: `latentlink … | head -1`.
//!
//! `println!` panics when its pipe is closed. Here a closed pipe is no error: whoever has read enough has read enough, and
//! what else a command does, such as writing its files, goes on. A full disk behind standard output is one.

#![forbid(unsafe_code)]

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

/// Says why a command failed; gives its exit code.
pub fn fail(error: impl Display) -> ExitCode {
    note(format_args!("error: {error:#}"));
    ExitCode::FAILURE
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
}
