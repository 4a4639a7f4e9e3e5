//! The binary itself: its one line on stdout, its signals, its exit codes.

use crate::common::{MODEL, Manner, TestReceiver, burst};
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::{Burst, RelayRequest};
use runtime::PeerUrl;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use wire::Message;
use wire::chunks::Part;

struct Emulator {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

fn command(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_channel-emulator"));
    command.args(line.split(' ')).env("LATENTLINK_LOG", "json").env_remove("RUST_LOG");
    command
}

impl Emulator {
    fn start(receiver_port: u16) -> Self {
        let line = format!("serve --receiver http://127.0.0.1:{receiver_port} --listen 127.0.0.1:0");
        let mut child = command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").expect("the one line on stdout").to_owned();
        assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"), "{url}");
        Emulator { child, stdout, url }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn sigterm_and_sigint_end_it_with_0() {
    for signal in ["-TERM", "-INT"] {
        let mut emulator = Emulator::start(9);
        let began = Instant::now();
        emulator.signal(signal);
        assert_eq!(emulator.child.wait().unwrap().code(), Some(0), "{signal}");
        assert!(began.elapsed() < Duration::from_secs(5), "nothing was in flight");
        let mut rest = String::new();
        emulator.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "stdout holds one line");
        let mut logs = String::new();
        emulator.child.stderr.take().unwrap().read_to_string(&mut logs).unwrap();
        assert!(logs.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{logs}");
        assert!(logs.contains("draining"), "{logs}");
    }
}

#[test]
fn get_and_set_print_what_is_in_force() {
    let emulator = Emulator::start(9);
    let play = |line: String| {
        let output = command(&line).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let url = &emulator.url;
    let (code, out, _) = play(format!("set --emulator {url} --channel awgn --snr -6"));
    assert_eq!((code, out.as_str()), (Some(0), "awgn -6 dB\n"));
    let (code, out, _) = play(format!("get --emulator {url} --json"));
    assert_eq!((code, out.as_str()), (Some(0), "{\"kind\":\"awgn\",\"snr_db\":-6.0}\n"));
    let (code, out, err) = play(format!("set --emulator {url} --channel rician"));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert_eq!(err, "error: the channel is awgn -6 dB: channel rician needs a K factor\n");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let slow = Manner { delay: Duration::from_secs(60), ..Manner::default() };
    let receiver = TestReceiver::start(0, slow);
    let mut emulator = Emulator::start(receiver.port);
    let url: PeerUrl = emulator.url.parse().unwrap();
    // The refusal of the second burst tells that the first is in flight.
    let empty = Burst { symbols: vec![].into(), ..burst(1, 25) };
    let items = [burst(0, 25), empty].map(|burst| Message::Part(Part::Item(burst)));
    let messages = [Message::header(MODEL)].into_iter().chain(items).map(RelayRequest::from);
    let messages =
        tokio_stream::StreamExt::chain(tokio_stream::iter(messages.collect::<Vec<_>>()), tokio_stream::pending());
    let mut client = ChannelEmulatorClient::new(url.channel());
    let mut stream = client.relay(messages).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());

    emulator.signal("-TERM");
    let mut logs = BufReader::new(emulator.child.stderr.take().unwrap()).lines();
    assert!(logs.any(|line| line.unwrap().contains("draining")));
    assert_eq!(emulator.child.try_wait().unwrap(), None, "a burst is in flight");
    emulator.signal("-TERM");
    assert_eq!(emulator.child.wait().unwrap().code(), Some(128 + 15));
}
