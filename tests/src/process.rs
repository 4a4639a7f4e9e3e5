//! One process of the binary under test.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take that is not expected to take any time; generous, for a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a job may take.
const JOB_LIMIT: Duration = Duration::from_secs(240);

/// A process that serves. Dropping it kills it.
pub struct Process {
    name: String,
    child: Child,
    url: String,
    log: PathBuf,
    stdout: BufReader<ChildStdout>,
}

/// What a process left that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All it wrote to standard output.
    pub stdout: String,
    /// All it wrote to standard error.
    pub stderr: String,
}

impl Finished {
    /// The exit code; none if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The last line of standard error, where the reason for a failure stands.
    pub fn reason(&self) -> &str {
        self.stderr.trim_end().lines().next_back().unwrap_or_default()
    }

    /// Itself, if the process succeeded.
    ///
    /// # Panics
    /// With its output, if not.
    #[track_caller]
    pub fn succeeded(self) -> Finished {
        assert!(self.status.success(), "{}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr);
        self
    }

    /// The last line of standard error.
    ///
    /// # Panics
    /// If the process succeeded, or died instead of ending with an exit code.
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
    /// Starts `binary ARGS…`, its output in `FOLDER/NAME.stdout` and `.stderr`, marked with `NAME` (see [`MARK`]).
    pub fn start<S: AsRef<OsStr>>(binary: &Path, args: &[S], folder: &Path, name: &str) -> Job {
        let output = ["stdout", "stderr"].map(|stream| folder.join(format!("{name}.{stream}")));
        let mut command = Command::new(binary);
        command.args(args).env(MARK, name).stdin(Stdio::null());
        command.stdout(File::create(&output[0]).unwrap()).stderr(File::create(&output[1]).unwrap());
        Job { child: Some(command.spawn().unwrap()), output }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().expect("not finished")), signal).unwrap();
    }

    /// Its process id.
    pub fn id(&self) -> i32 {
        self.child.as_ref().expect("not finished").id() as i32
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().expect("not finished").try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end.
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
            // Both fail only for a process that is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Process {
    /// Starts `binary ARGS…` and waits until it says where it listens.
    ///
    /// # Panics
    /// With its log, if it ends before that.
    #[track_caller]
    pub fn serve<S: AsRef<OsStr>>(binary: &Path, args: &[S], log: &Path) -> Process {
        Process::serve_with(binary, args, &[], log)
    }

    /// The same with further variables in its environment.
    ///
    /// # Panics
    /// With its log, if it ends before that.
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

    /// Runs `binary ARGS…` to its end.
    pub fn run<S: AsRef<OsStr>>(binary: &Path, args: &[S]) -> Finished {
        let mut command = Command::new(binary);
        let output = command.args(args).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Finished { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Where it serves.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the next line of its standard output says after `prefix`.
    ///
    /// # Panics
    /// If that line says something else.
    #[track_caller]
    pub fn announced(&mut self, prefix: &str) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let Some(rest) = line.trim().strip_prefix(prefix) else {
            panic!("{}: said {line:?} instead of {prefix}…; log: {}", self.name, self.log());
        };
        rest.to_owned()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// SIGKILL: it gets no chance to do anything more.
    pub fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// How it ended.
    ///
    /// # Panics
    /// If it does not end.
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
        // Both fail only for a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The variable that marks a process and, inherited, all that it starts.
pub const MARK: &str = "LATENTLINK_TEST_MARK";

/// The processes, by id, that run with [`MARK`] set to `mark`. One that has ended but was not waited for has no
/// environment any more and does not count.
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

/// A process's command line, its words joined by spaces; empty if it is gone.
pub fn command_line(id: i32) -> String {
    let words = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ")
}

/// SIGKILL for one process by its id.
pub fn kill_9(id: i32) {
    kill_process(Pid::from_raw(id).expect("an id"), Signal::KILL).unwrap();
}
