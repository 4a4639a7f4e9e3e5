//! One ffmpeg process: an array of arguments and no shell, one local file and nothing else to open, a limit to the time that is
//! spent waiting for it, and an end with its owner.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Error;
use crate::source::{OnDisk, Source};

/// Containers that it may open. Playlists are not among them: they name other files.
const CONTAINERS: &str =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,ogg,mp3,flac,aac,wav,aiff,au,asf,amr,caf";
/// What it says of a file that has none of the tracks asked for.
pub const NO_STREAM: &str = "does not contain any stream";
/// Bytes that it may allocate at once.
const LARGEST_BLOCK: &str = "268435456";
/// Time between two looks at the clock, at least.
const LEAST_PAUSE: Duration = Duration::from_millis(10);
/// Bytes of its complaints that are kept.
const COMPLAINTS: usize = 2_048;

/// Time spent waiting for the process. While its output waits for us, as frames do that are looked at one by one, it stands.
#[derive(Debug, Default)]
struct Clock {
    spent: Duration,
    waiting_since: Option<Instant>,
}

impl Clock {
    fn spent(&self) -> Duration {
        self.spent + self.waiting_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Does what waits for the process, with the clock running.
fn waiting<T>(clock: &Mutex<Clock>, wait: impl FnOnce() -> T) -> T {
    let lock = || clock.lock().unwrap_or_else(PoisonError::into_inner);
    lock().waiting_since = Some(Instant::now());
    let done = wait();
    let mut clock = lock();
    clock.spent = clock.spent();
    clock.waiting_since = None;
    done
}

/// Standard output of the process.
pub struct Output {
    pipe: ChildStdout,
    clock: Arc<Mutex<Clock>>,
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        waiting(&self.clock, || self.pipe.read(buffer))
    }
}

/// A running process and its standard output.
pub struct Process {
    child: Arc<Mutex<Child>>,
    pub out: BufReader<Output>,
    clock: Arc<Mutex<Clock>>,
    complaints: Option<JoinHandle<String>>,
    /// Dropped to stop the watch.
    watched: Option<Sender<()>>,
    watch: Option<JoinHandle<bool>>,
    limit: f64,
    _input: OnDisk,
}

impl Process {
    /// Starts it on a copy of the bytes; `arguments` say what leaves by standard output.
    ///
    /// # Errors
    ///
    /// [`Error::Ffmpeg`] if it does not start.
    pub fn new(program: &Path, source: &Source, arguments: &[&str]) -> Result<Self, Error> {
        let limits = source.limits();
        let failed = |e: std::io::Error| Error::Ffmpeg(format!("it does not start: {e}"));
        let input = source.on_disk()?;
        let mut command = Command::new(program);
        command.args(["-nostdin", "-hide_banner", "-v", "error", "-max_alloc", LARGEST_BLOCK]);
        command.args(["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS]);
        command.args(["-max_pixels", &limits.pixels.min(i32::MAX as u64).to_string(), "-i"]).arg(input.path());
        command.args(arguments).arg("pipe:1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (Some(out), Some(complaints)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Error::Ffmpeg("it has no output".into()));
        };
        let complaints = std::thread::spawn(move || complained(complaints));
        let (watched, stop) = channel::<()>();
        let child = Arc::new(Mutex::new(child));
        let (doomed, limit, clock) = (Arc::clone(&child), limits.ffmpeg_seconds, Arc::<Mutex<Clock>>::default());
        let (seen, most) = (Arc::clone(&clock), Duration::from_secs_f64(limit.min(1e6)));
        let watch = std::thread::spawn(move || {
            loop {
                let left = most.saturating_sub(seen.lock().unwrap_or_else(PoisonError::into_inner).spent());
                if left.is_zero() {
                    let _ = doomed.lock().unwrap_or_else(PoisonError::into_inner).kill();
                    return true;
                }
                if stop.recv_timeout(left.max(LEAST_PAUSE)) != Err(RecvTimeoutError::Timeout) {
                    return false;
                }
            }
        });
        let out = BufReader::with_capacity(1 << 16, Output { pipe: out, clock: Arc::clone(&clock) });
        let (complaints, watched, watch) = (Some(complaints), Some(watched), Some(watch));
        Ok(Self { child, out, clock, complaints, watched, watch, limit, _input: input })
    }

    /// After its output has ended: whether that was well.
    ///
    /// # Errors
    ///
    /// [`Error::FfmpegTime`], and [`Error::Ffmpeg`] with what it said.
    pub fn finish(&mut self) -> Result<(), Error> {
        // Output is closed, so it ends by itself; the watch goes on in case it does not.
        let complaints = self.complaints.take();
        let said = waiting(&self.clock, || complaints.and_then(|c| c.join().ok())).unwrap_or_default();
        self.watched.take();
        if self.watch.take().is_some_and(|w| w.join().unwrap_or(false)) {
            return Err(Error::FfmpegTime { limit: self.limit });
        }
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) if said.is_empty() => Err(Error::Ffmpeg(status.to_string())),
            Ok(_) => Err(Error::Ffmpeg(said)),
            Err(e) => Err(Error::Ffmpeg(e.to_string())),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.watched.take();
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The last line of what it complains of; all is read, so that it never waits for a reader.
fn complained(mut from: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 1_024]);
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..n]);
        let over = kept.len().saturating_sub(COMPLAINTS);
        kept.drain(..over);
    }
    let text = String::from_utf8_lossy(&kept);
    text.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or_default().trim().to_owned()
}
