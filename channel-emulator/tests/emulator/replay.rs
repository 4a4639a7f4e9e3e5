//! Replaying over real sockets: to a receiver, through an emulator, from files that are whole and files that are not.

use crate::common::{Emulator, MODEL, Manner, TestReceiver, burst, serve_args, with_payload};
use proto::v1::{self, Burst};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Records `bursts` through an emulator; what the receiver got.
async fn record(stem: &Path, bursts: Vec<Burst>) -> Vec<Burst> {
    let receiver = TestReceiver::start(0, Manner::default());
    let mut args = serve_args(receiver.port);
    args.record = Some(stem.to_owned());
    let emulator = Emulator::with(args).await;
    emulator.relay(bursts).await.unwrap();
    emulator.drain.start();
    emulator.running.await.unwrap().unwrap();
    receiver.bursts.lock().unwrap().clone()
}

fn bursts(count: u64) -> Vec<Burst> {
    let mut bursts: Vec<Burst> = (0..count).map(|k| burst(k, 25)).collect();
    for (k, burst) in bursts.iter_mut().enumerate() {
        let reference = Some(v1::Reference { clip_id: format!("clip {k}"), label: Some(1.5), caption: String::new() });
        *burst = with_payload(burst.clone(), &v1::BurstPayload { reference, ..v1::BurstPayload::default() });
        burst.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
        if k % 2 == 1 {
            burst.conditions = Some(v1::Conditions { kind: 2, snr_db: Some(k as f64), k_factor: None });
            burst.noise = Some(v1::NoiseKey { seed: 8, draw: 1, row: k as u64 });
        }
    }
    bursts
}

fn command(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_channel-emulator"));
    command.arg("replay").args(line.split(' ')).env_remove("RUST_LOG");
    command
}

/// Off the runtime, on which the peers of the test run.
async fn replay(line: String) -> Output {
    tokio::task::spawn_blocking(move || command(&line).output().unwrap()).await.unwrap()
}

async fn summary(line: String) -> Value {
    let output = replay(format!("{line} --json")).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn refused(line: String) -> String {
    let output = replay(line).await;
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap().lines().last().unwrap().to_owned()
}

fn symbols(bursts: &[Burst]) -> Vec<&[u8]> {
    bursts.iter().map(|burst| &burst.symbols[..]).collect()
}

#[tokio::test]
async fn a_receiver_gets_what_it_got_under_new_keys_or_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("run");
    let mut sent = bursts(30);
    sent.push(burst(30, 200_000));
    let original = record(&stem, sent).await;

    let receiver = TestReceiver::start(0, Manner::default());
    let url = format!("http://127.0.0.1:{}", receiver.port);
    let done = summary(format!("{} --receiver {url}", stem.display())).await;
    assert_eq!((&done["bursts"], &done["predictions"], &done["labelled"]), (&31.into(), &31.into(), &30.into()));
    // The test's receiver answers without a probability above zero.
    assert_eq!((&done["acc2_pos"], &done["errors"]), (&0.0.into(), &0.into()));
    let run = |burst: &Burst| burst.delivery.clone().unwrap().run_id;
    {
        let again = receiver.bursts.lock().unwrap();
        for (k, (again, original)) in again.iter().zip(&original).enumerate() {
            let key = again.delivery.clone().unwrap();
            assert_ne!(run(again), run(original));
            assert_eq!(key.sequence, k as u64);
            let expected = Burst { delivery: Some(key), traceparent: None, ..original.clone() };
            assert!(*again == expected, "burst {k}");
        }
    }
    receiver.bursts.lock().unwrap().clear();
    summary(format!("{}-in.sigmf-meta --receiver {url} --same-keys", stem.display())).await;
    assert!(*receiver.bursts.lock().unwrap() == original, "with the same keys nothing differs");
}

#[tokio::test]
async fn an_emulator_does_to_it_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let (stem, again) = (folder.path().join("run"), folder.path().join("again"));
    let original = record(&stem, bursts(20)).await;

    let receiver = TestReceiver::start(0, Manner::default());
    let mut args = serve_args(receiver.port);
    // Another seed, another channel: only what is recorded can make the bits equal.
    (args.seed, args.channel, args.record) = (99, phy::ChannelKind::None.into(), Some(again.clone()));
    let emulator = Emulator::with(args).await;
    summary(format!("{}.sigmf-collection --emulator {} --pinned", stem.display(), emulator.url)).await;
    assert_eq!(symbols(&receiver.bursts.lock().unwrap()), symbols(&original));
    receiver.bursts.lock().unwrap().clear();

    summary(format!("{} --emulator {}", stem.display(), emulator.url)).await;
    let sent = bursts(20);
    assert_eq!(symbols(&receiver.bursts.lock().unwrap()), symbols(&sent), "live, the channel is noiseless");
    emulator.drain.start();
    emulator.running.await.unwrap().unwrap();
    let data = |stem: &Path| std::fs::read(format!("{}-out.sigmf-data", stem.display())).unwrap();
    let length = data(&stem).len();
    assert!(data(&again)[..length] == data(&stem));
}

#[tokio::test]
async fn a_loop_goes_on_at_its_rate_through_restarts_until_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("run");
    record(&stem, bursts(7)).await;
    let receiver = TestReceiver::start(0, Manner::default());
    let url = format!("http://127.0.0.1:{}", receiver.port);
    let began = Instant::now();
    let done = summary(format!("{} --receiver {url} --loop --count 500 --rate 1000", stem.display())).await;
    assert!(began.elapsed() >= Duration::from_millis(499), "{:?}", began.elapsed());
    assert_eq!(done["predictions"], 500);
    let sequences: Vec<u64> =
        receiver.bursts.lock().unwrap().iter().map(|burst| burst.delivery.as_ref().unwrap().sequence).collect();
    assert!(sequences.into_iter().eq(0..500));

    let port = receiver.port;
    let line = format!("{} --receiver {url} --loop --rate 400 --json", stem.display());
    let mut child = command(&line).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let arrive = async |receiver: &TestReceiver, count: usize| {
        let began = Instant::now();
        while receiver.bursts.lock().unwrap().len() < count {
            assert!(began.elapsed() < Duration::from_secs(30), "nothing arrives");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    arrive(&receiver, 550).await;
    drop(receiver);
    let receiver = TestReceiver::start(port, Manner::default());
    arrive(&receiver, 50).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let done: Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!((&done["errors"], &done["unanswered"]), (&0.into(), &0.into()));
    assert_eq!(done["bursts"], done["predictions"]);
}

/// A recording whose files a test may damage.
struct Damaged {
    _folder: tempfile::TempDir,
    stem: PathBuf,
    meta: PathBuf,
    data: PathBuf,
}

impl Damaged {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("run");
        record(&stem, bursts(5)).await;
        let (meta, data) = (folder.path().join("run-out.sigmf-meta"), folder.path().join("run-out.sigmf-data"));
        Damaged { _folder: folder, stem, meta, data }
    }

    fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.meta).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(&self.meta, text.replacen(from, to, 1)).unwrap();
    }
}

#[tokio::test]
async fn what_is_damaged_is_named() {
    type Damage = fn(&Damaged);
    let cases: [(Damage, &str); 14] = [
        (
            |d| std::fs::write(&d.data, vec![0; 25 * 8 * 3 + 5]).unwrap(),
            "annotation 3: samples 75 and the 25 from there on",
        ),
        (|d| std::fs::write(&d.data, [0xff; 25 * 8 * 5]).unwrap(), "annotation 0: symbols: symbols must be finite"),
        (|d| std::fs::remove_file(&d.data).unwrap(), "run-out.sigmf-data"),
        (|d| d.edit("cf32_le", "ci16_le"), "expected core:datatype cf32_le, got ci16_le"),
        (|d| d.edit("\"core:num_channels\":1", "\"core:num_channels\":2"), "expected core:num_channels 1, got 2"),
        (|d| d.edit("\"latentlink:side\":\"out\"", "\"latentlink:side\":\"in\""), "expected latentlink:side out"),
        (
            |d| d.edit("\"core:sample_count\":25", "\"core:sample_count\":99999999999"),
            "annotation 0: expected a core:sample_count",
        ),
        (
            |d| d.edit("\"core:sample_start\":50", "\"core:sample_start\":18446744073709551615"),
            "annotation 2: samples 18446744073709551615",
        ),
        (
            |d| d.edit("\"core:sample_start\":25", "\"core:sample_start\":1e300"),
            "annotation 1: invalid type: floating point",
        ),
        (|d| d.edit("\"n0\":", "\"n0\":-1,\"nil\":"), "annotation 0: latentlink:channel.n0"),
        (|d| d.edit("\"latentlink:channel\":", "\"other:channel\":"), "annotation 0: latentlink:channel is missing"),
        (
            |d| d.edit("\"core:label\":\"clip 3\"", &format!("\"core:label\":\"{}\"", "x".repeat(2 << 20))),
            "annotation 3: more than 1048576 bytes",
        ),
        (
            |d| std::fs::write(&d.meta, &std::fs::read(&d.meta).unwrap()[..4096 + 900]).unwrap(),
            "ends within annotation",
        ),
        (|d| std::fs::write(&d.meta, "[]").unwrap(), "expected SigMF metadata"),
    ];
    let receiver = TestReceiver::start(0, Manner::default());
    for (damage, expected) in cases {
        let damaged = Damaged::new().await;
        damage(&damaged);
        let line = format!("{} --receiver http://127.0.0.1:{}", damaged.stem.display(), receiver.port);
        let error = refused(line).await;
        assert!(error.contains(expected) && error.contains("run-out.sigmf-"), "{expected}: {error}");
    }
    let error = refused(format!("/nowhere/run --receiver http://127.0.0.1:{}", receiver.port)).await;
    assert!(error.contains("no file /nowhere/run-out.sigmf-meta"), "{error}");
}

#[tokio::test]
async fn a_recording_that_was_cut_off_is_replayed_as_far_as_it_goes() {
    let damaged = Damaged::new().await;
    damaged.edit("\"latentlink:complete\":true", "\"latentlink:complete\":false");
    // A note that somebody added is passed over.
    damaged.edit(
        "{\"core:sample_start\":25,",
        "{\"core:sample_start\":0,\"core:comment\":\"look\"},\n{\"core:sample_start\":25,",
    );
    let text = std::fs::read(&damaged.meta).unwrap();
    std::fs::write(&damaged.meta, &text[..text.len() - 200]).unwrap();
    let receiver = TestReceiver::start(0, Manner::default());
    let line = format!("{} --receiver http://127.0.0.1:{}", damaged.stem.display(), receiver.port);
    let output = replay(line).await;
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("ends within annotation 5: it was cut off there"));
    assert_eq!(receiver.bursts.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn bursts_of_other_weights_are_told_apart() {
    let damaged = Damaged::new().await;
    let model = format!("\"latentlink:model_id\":\"{MODEL}\"");
    for _ in 0..2 {
        damaged.edit(&model, "\"latentlink:model_id\":\"older\"");
    }
    let receiver = TestReceiver::start(0, Manner::default());
    let line = format!("{} --receiver http://127.0.0.1:{}", damaged.stem.display(), receiver.port);
    let args = ["replay", damaged.stem.to_str().unwrap(), "--model", MODEL, "--receiver"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_channel-emulator"));
    command.args(args).arg(format!("http://127.0.0.1:{}", receiver.port));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(receiver.bursts.lock().unwrap().len(), 3);
    drop(receiver);
    let error = refused(line).await;
    assert!(error.contains("annotation 2 is of a burst of the weights the model"), "{error}");
}
