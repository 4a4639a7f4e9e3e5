//! Processes of the binary under test.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Time limit for a process to end; generous, for a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a [`Job`] may take until it ends by itself.
const JOB_LIMIT: Duration = Duration::from_secs(240);

/// A process that serves. Dropping it kills it.
pub struct Process {
    name: String,
    child: Child,
    url: String,
    log: PathBuf,
    stdout: BufReader<ChildStdout>,
}

/// The exit status and the output of a process that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit status of the process.
    pub status: ExitStatus,
    /// Everything that the process wrote to standard output.
    pub stdout: String,
    /// Everything that the process wrote to standard error.
    pub stderr: String,
}

impl Finished {
    /// The exit code; `None` if a signal ended the process.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The last line of standard error, which states the reason of a failure.
    pub fn reason(&self) -> &str {
        self.stderr.trim_end().lines().next_back().unwrap_or_default()
    }

    /// Returns itself if the process succeeded.
    ///
    /// # Panics
    /// Panics with the process's output if it did not succeed.
    #[track_caller]
    pub fn succeeded(self) -> Finished {
        assert!(self.status.success(), "{}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr);
        self
    }

    /// The last line of standard error of a process that must have failed.
    ///
    /// # Panics
    /// Panics if the process succeeded, or died instead of ending with an exit code.
    #[track_caller]
    pub fn failed(&self) -> &str {
        assert!(self.code().is_some_and(|code| code != 0), "{}: {}{}", self.status, self.stdout, self.stderr);
        self.reason()
    }
}

/// A process that runs to its end by itself. Dropping it kills it.
pub struct Job {
    child: Option<Child>,
    output: [PathBuf; 2],
}

impl Job {
    /// Starts `binary ARGS…` with its output in `FOLDER/NAME.stdout` and `FOLDER/NAME.stderr`, marked with `NAME` (see
    /// [`MARK`]).
    pub fn start<S: AsRef<OsStr>>(binary: &Path, args: &[S], folder: &Path, name: &str) -> Job {
        let output = ["stdout", "stderr"].map(|stream| folder.join(format!("{name}.{stream}")));
        let mut command = Command::new(binary);
        command.args(args).env(MARK, name).stdin(Stdio::null());
        command.stdout(File::create(&output[0]).unwrap()).stderr(File::create(&output[1]).unwrap());
        Job { child: Some(command.spawn().unwrap()), output }
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().expect("not finished")), signal).unwrap();
    }

    /// The process id.
    pub fn id(&self) -> i32 {
        self.child.as_ref().expect("not finished").id() as i32
    }

    /// Whether the process has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().expect("not finished").try_wait().unwrap().is_none()
    }

    /// Waits for the end of the process; returns its exit status and output.
    ///
    /// # Panics
    /// Panics if the process does not end in time.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        let mut child = self.child.take().expect("not finished");
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > JOB_LIMIT {
                child.kill().unwrap();
                panic!("does not end; stderr: {}", std::fs::read_to_string(&self.output[1]).unwrap());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let [stdout, stderr] = self.output.each_ref().map(|file| std::fs::read_to_string(file).unwrap());
        Finished { status: child.wait().unwrap(), stdout, stderr }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both calls fail only if the process is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Process {
    /// Starts `binary ARGS…` with its log appended to the file `log`, and waits until it prints where it listens.
    ///
    /// # Panics
    /// Panics with the log if the process ends before it listens.
    #[track_caller]
    pub fn serve<S: AsRef<OsStr>>(binary: &Path, args: &[S], log: &Path) -> Process {
        Process::serve_with(binary, args, &[], log)
    }

    /// Starts `binary ARGS…` with the variables `environment` and its log appended to the file `log`, and waits until
    /// it prints where it listens.
    ///
    /// # Panics
    /// Panics with the log if the process ends before it listens.
    #[track_caller]
    pub fn serve_with<S: AsRef<OsStr>>(
        binary: &Path,
        args: &[S],
        environment: &[(String, String)],
        log: &Path,
    ) -> Process {
        let name = args.iter().map(|a| a.as_ref().to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
        let file = File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(binary);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            let status = child.wait().unwrap();
            panic!("{name}: {status}, said {line:?}; log: {}", std::fs::read_to_string(log).unwrap());
        };
        let url = url.to_owned();
        Process { name, child, url, log: log.to_owned(), stdout }
    }

    /// Runs `binary ARGS…` to its end; returns its exit status and output.
    pub fn run<S: AsRef<OsStr>>(binary: &Path, args: &[S]) -> Finished {
        let mut command = Command::new(binary);
        let output = command.args(args).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Finished { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The URL that the process serves at.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Reads the next line of standard output; returns the rest of it after `prefix`.
    ///
    /// # Panics
    /// Panics if the line does not start with `prefix`.
    #[track_caller]
    pub fn announced(&mut self, prefix: &str) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let Some(rest) = line.trim().strip_prefix(prefix) else {
            panic!("{}: said {line:?} instead of {prefix}…; log: {}", self.name, self.log());
        };
        rest.to_owned()
    }

    /// The log of the process so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Ends the process by SIGKILL, so that it can do nothing more.
    pub fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM to the process.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Waits for the end of the process; returns its exit status.
    ///
    /// # Panics
    /// Panics if the process does not end in time.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < LIMIT, "{} does not end; log: {}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both calls fail only if the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The environment variable that marks a process and, because it is inherited, all processes that it starts.
pub const MARK: &str = "LATENTLINK_TEST_MARK";

/// The ids of the running processes that have [`MARK`] set to `mark`. A process that has ended but was not waited for
/// has no environment any more and does not count.
pub fn running(mark: &str) -> Vec<i32> {
    let wanted = format!("{MARK}={mark}");
    let marked = |id: i32| {
        let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|&id| marked(id)).collect()
}

/// The command line of a process, its words joined by spaces; empty if the process is gone.
pub fn command_line(id: i32) -> String {
    let words = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ")
}

/// Ends the process with this id by SIGKILL.
pub fn kill_9(id: i32) {
    kill_process(Pid::from_raw(id).expect("an id"), Signal::KILL).unwrap();
}
