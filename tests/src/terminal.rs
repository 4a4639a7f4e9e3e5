//! A program in a terminal of its own: a pseudo-terminal, and a terminal emulator that keeps what is shown.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use vt100::Parser;

use crate::eventually;

/// Time limit for the program to show something or to end; generous, for a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A program and its terminal. Dropping it kills the program.
pub struct Terminal {
    child: Child,
    keyboard: File,
    line: File,
    before: Termios,
    screen: Arc<Mutex<Parser>>,
}

impl Terminal {
    /// Starts `binary ARGS…` in a controlling terminal of `columns` by `rows` characters. If the system has no
    /// pseudo-terminals or no `setsid`, reports that `test` is skipped and returns `None`.
    ///
    /// # Panics
    /// Panics if the program cannot be started.
    pub fn start(test: &str, binary: &Path, args: &[&str], columns: u16, rows: u16) -> Option<Terminal> {
        let needs = |thing: &str| {
            // Not `println!`: the test harness hides its output for tests that pass.
            let _ = writeln!(std::io::stderr(), "skipped: {test} needs {thing}");
        };
        let help = Command::new("setsid").arg("--help").output();
        if !help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--ctty")) {
            needs("setsid --ctty");
            return None;
        }
        let Some((keyboard, line)) = pair() else {
            needs("pseudo-terminals");
            return None;
        };
        tcsetwinsize(&line, size(columns, rows)).unwrap();
        let before = tcgetattr(&line).unwrap();
        let end = || Stdio::from(line.try_clone().unwrap());
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(binary).args(args).env("TERM", "xterm-256color").env_remove("NO_COLOR");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let screen = Arc::new(Mutex::new(Parser::new(cells(rows), cells(columns), 0)));
        let (mut output, shown) = (keyboard.try_clone().unwrap(), screen.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error means that the last process on the terminal has ended.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shown.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..count]);
            }
        });
        Some(Terminal { child, keyboard, line, before, screen })
    }

    fn screen(&self) -> MutexGuard<'_, Parser> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text that the terminal shows.
    pub fn text(&self) -> String {
        self.screen().screen().contents()
    }

    /// Waits until the terminal shows all of `words`.
    ///
    /// # Panics
    /// Panics with the shown text if that takes more than a minute.
    #[track_caller]
    pub fn shows(&self, words: &[&str]) {
        let start = std::time::Instant::now();
        while let Some(missing) = words.iter().find(|word| !self.text().contains(**word)) {
            assert!(start.elapsed() < LIMIT, "no {missing:?} within {LIMIT:?} in\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys, given as the bytes that they send.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Changes the size of the terminal, in characters.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.screen().screen_mut().set_size(cells(rows), cells(columns));
        // The system notifies the program.
        tcsetwinsize(&self.line, size(columns, rows)).unwrap();
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end of the program; returns its exit status.
    ///
    /// # Panics
    /// Panics if the program does not end within a minute.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the end of the program", LIMIT, || child.try_wait().unwrap())
    }

    /// Asserts that the terminal is as it was before the program: its modes, the primary screen, a visible cursor.
    ///
    /// # Panics
    /// Panics if a part of the terminal is not restored.
    #[track_caller]
    pub fn is_restored(&self) {
        let modes = |of: &Termios| (of.input_modes, of.output_modes, of.control_modes, of.local_modes);
        assert_eq!(modes(&tcgetattr(&self.line).unwrap()), modes(&self.before));
        let first = || {
            let parser = self.screen();
            (!parser.screen().alternate_screen() && !parser.screen().hide_cursor()).then_some(())
        };
        eventually("the first screen with its cursor", LIMIT, first);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both calls fail only if the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The two ends of a new pseudo-terminal: the controlling end and the program's end. `None` if the system has none.
fn pair() -> Option<(File, File)> {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).ok()?;
    grantpt(&keyboard).ok()?;
    unlockpt(&keyboard).ok()?;
    let name = ptsname(&keyboard, Vec::new()).ok()?;
    // NOCTTY: opened by a process without a terminal, it would become that process's own; `setsid` makes it the
    // program's afterwards.
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let line = rustix::fs::open(name.as_c_str(), flags, rustix::fs::Mode::empty()).ok()?;
    Some((File::from(keyboard), File::from(line)))
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has cells")
}
