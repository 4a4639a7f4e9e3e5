//! Recordings: what is in the files, whatever happens to the process and the disk.

use crate::common::{Emulator, Manner, PATIENT, Process, TestReceiver, burst, serve_args, with_payload};
use proto::v1::{self, Burst};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// One side of a recording, read with nothing of the emulator's own.
struct Side {
    global: Value,
    annotations: Vec<Value>,
    samples: Vec<[f32; 2]>,
}

fn side(folder: &Path, name: &str) -> Side {
    let meta = std::fs::read(folder.join(format!("{name}.sigmf-meta"))).unwrap();
    let mut meta: Value = serde_json::from_slice(&meta).unwrap_or_else(|error| panic!("{name}: {error}"));
    let data = std::fs::read(folder.join(format!("{name}.sigmf-data"))).unwrap();
    let value = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    let samples = data.chunks_exact(8).map(|sample| [value(&sample[..4]), value(&sample[4..])]).collect();
    let annotations = meta["annotations"].as_array().unwrap().clone();
    let side = Side { global: meta["global"].take(), annotations, samples };
    side.check(name, meta["captures"].as_array().unwrap());
    side
}

impl Side {
    /// What SigMF asks for.
    fn check(&self, name: &str, captures: &[Value]) {
        assert_eq!(self.global["core:datatype"], "cf32_le");
        assert_eq!(self.global["core:version"], "1.2.6");
        let extension = &self.global["core:extensions"][0];
        assert_eq!((&extension["name"], &extension["optional"]), (&"latentlink".into(), &true.into()));
        assert_eq!(captures[0]["core:sample_start"], 0);
        let datetime = captures[0]["core:datetime"].as_str().unwrap();
        assert!(datetime.len() == 27 && datetime.starts_with("20") && datetime.ends_with('Z'), "{datetime}");
        let mut end = 0;
        for annotation in &self.annotations {
            let (start, count) = self.range(annotation);
            assert_eq!(start, end, "{name}: annotations follow each other");
            end = start + count;
        }
        assert!(end <= self.samples.len(), "{name}: {end} samples are annotated, there are {}", self.samples.len());
    }

    fn range(&self, annotation: &Value) -> (usize, usize) {
        let number = |key: &str| annotation[key].as_u64().unwrap() as usize;
        (number("core:sample_start"), number("core:sample_count"))
    }

    fn symbols(&self, index: usize) -> Vec<u8> {
        let (start, count) = self.range(&self.annotations[index]);
        self.samples[start..start + count].iter().flatten().flat_map(|value| value.to_le_bytes()).collect()
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn stop(emulator: Emulator) {
    emulator.drain.start();
    tokio::time::timeout(PATIENT, emulator.running).await.expect("the drain hangs").unwrap().unwrap();
}

#[tokio::test]
async fn what_goes_in_and_what_comes_out_is_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = TestReceiver::start(0, Manner::default());
    let mut args = serve_args(receiver.port);
    args.record = Some(folder.path().join("run.1.sigmf-data"));
    let emulator = Emulator::with(args).await;
    // The last one travels in chunks.
    let mut sent: Vec<Burst> = [1, 25, 7, 300_000].into_iter().zip(0..).map(|(n, k)| burst(k, n)).collect();
    sent[1].conditions = Some(v1::Conditions { kind: 2, snr_db: Some(-3.7), k_factor: None });
    sent[1].noise = Some(v1::NoiseKey { seed: u64::MAX, draw: 2, row: 3 });
    let reference = Some(v1::Reference { clip_id: "cl\"ip".into(), label: Some(-1.1), caption: "hübsch\n".into() });
    sent[1] = with_payload(sent[1].clone(), &v1::BurstPayload { reference, ..v1::BurstPayload::default() });
    sent[1].timings = Some(v1::Timings { transmitter_us: 77, ..v1::Timings::default() });
    sent[1].traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    let mut with_refused = sent.clone();
    with_refused.insert(2, Burst { symbols: vec![0; 12].into(), ..burst(99, 1) });
    emulator.relay(with_refused).await.unwrap();
    stop(emulator).await;

    let (input, output) = (side(folder.path(), "run.1-in"), side(folder.path(), "run.1-out"));
    let arrived = receiver.bursts.lock().unwrap();
    assert_eq!((input.annotations.len(), output.annotations.len(), arrived.len()), (4, 4, 4));
    for k in 0..4 {
        assert!(input.symbols(k) == sent[k].symbols && output.symbols(k) == arrived[k].symbols, "burst {k}");
        let (annotation, report) = (&output.annotations[k], arrived[k].channel.unwrap());
        assert_eq!(annotation, &input.annotations[k]);
        assert_eq!(annotation["latentlink:delivery"]["sequence"], k);
        assert_eq!(annotation["latentlink:model_id"], crate::common::MODEL);
        let channel = &annotation["latentlink:channel"];
        let single = |key: &str| channel[key].to_string().parse::<f32>().unwrap();
        assert_eq!((single("h_re"), single("h_im"), single("n0")), (report.h_re, report.h_im, report.n0));
        assert_eq!(channel["realised_snr_db"].as_f64(), report.realised_snr_db);
        assert_eq!(channel["conditions"]["snr_db"].as_f64(), report.conditions.unwrap().snr_db);
        let emulator_us = arrived[k].timings.unwrap().emulator_us;
        assert_eq!(annotation["latentlink:timings"]["emulator_us"].as_u64(), Some(emulator_us));
    }
    let (live, pinned) = (&output.annotations[0], &output.annotations[1]);
    let keyed =
        |annotation: &Value| (annotation["latentlink:noise"].to_string(), annotation["latentlink:noise_given"] == true);
    assert_eq!(keyed(live), (r#"{"draw":0,"row":0,"seed":3}"#.into(), false));
    assert_eq!(keyed(pinned), (format!(r#"{{"draw":2,"row":3,"seed":{}}}"#, u64::MAX), true));
    assert_eq!((&live["latentlink:pinned"], &pinned["latentlink:pinned"]), (&false.into(), &true.into()));
    assert_eq!(pinned["core:label"], "cl\"ip");
    assert_eq!(pinned["latentlink:reference"]["caption"], "hübsch\n");
    assert_eq!(pinned["latentlink:reference"]["label"].to_string(), "-1.1");
    assert_eq!(pinned["latentlink:timings"]["transmitter_us"], 77);
    // The emulator's own span, in the trace of the burst.
    assert_eq!(pinned["latentlink:traceparent"], arrived[1].traceparent.clone().unwrap());
    let trace = |burst: &Burst| burst.traceparent.clone().unwrap()[..36].to_owned();
    assert_eq!(trace(&arrived[1]), trace(&sent[1]));
    assert_ne!(arrived[1].traceparent, sent[1].traceparent);

    for (side, name) in [(&input, "run.1-in"), (&output, "run.1-out")] {
        assert_eq!((&side.global["latentlink:complete"], &side.global["latentlink:bursts"]), (&true.into(), &4.into()));
        let hash = Command::new("sha512sum").arg(folder.path().join(format!("{name}.sigmf-data"))).output().unwrap();
        let hash = String::from_utf8(hash.stdout).unwrap();
        assert_eq!(side.global["core:sha512"].as_str(), hash.split(' ').next());
    }
    let collection: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("run.1.sigmf-collection")).unwrap()).unwrap();
    for (index, name) in ["run.1-in", "run.1-out"].into_iter().enumerate() {
        let stream = &collection["collection"]["core:streams"][index];
        let hash = Command::new("sha512sum").arg(folder.path().join(format!("{name}.sigmf-meta"))).output().unwrap();
        assert_eq!(
            (&stream["name"], stream["hash"].as_str()),
            (&name.into(), String::from_utf8_lossy(&hash.stdout).split(' ').next())
        );
    }
    assert_eq!(files(folder.path()).len(), 5, "nothing else is left");
}

#[tokio::test]
async fn a_recording_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut args = serve_args(9);
        args.record = Some(folder.path().join("run"));
        stop(Emulator::with(args).await).await;
    }
    assert!(side(folder.path(), "run-in").annotations.is_empty());
    assert!(side(folder.path(), "run-2-out").annotations.is_empty());
    let mut args = serve_args(9);
    // Folders are made, but not in place of a file.
    std::fs::write(folder.path().join("absent"), "a file").unwrap();
    args.record = Some(folder.path().join("absent/run"));
    let error = format!("{:#}", channel_emulator::App::new(&args).await.err().expect("no folder"));
    assert!(error.contains("absent"), "{error}");
}

/// Sends bursts through a hop until `enough` are acknowledged.
async fn send(emulator: &Process, enough: usize) -> tokio::task::JoinHandle<()> {
    let runtime::Hop { sender, mut receiver } = emulator.hop();
    let sending = tokio::spawn(async move {
        for item in 0.. {
            if sender.send(item).await.is_err() {
                break;
            }
        }
    });
    for _ in 0..enough {
        tokio::time::timeout(PATIENT, receiver.recv()).await.expect("the hop hangs").unwrap().unwrap();
    }
    tokio::spawn(async move {
        // Goes on until aborted.
        while receiver.recv().await.is_some() {}
        sending.abort();
    })
}

fn serve(receiver: &TestReceiver, stem: &Path) -> String {
    let stem = stem.display();
    let binary = env!("CARGO_BIN_EXE_channel-emulator");
    let port = receiver.port;
    format!("{binary} serve --receiver http://127.0.0.1:{port} --listen 127.0.0.1:0 --record {stem}")
}

#[tokio::test]
async fn kill_9_leaves_valid_files() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = TestReceiver::start(0, Manner::default());
    let line = serve(&receiver, &folder.path().join("run"));
    for round in 1..=3 {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec {line}")]).stderr(Stdio::null());
        let mut emulator = Process::serve(command);
        let sending = send(&emulator, 200).await;
        let name = if round == 1 { "run".to_owned() } else { format!("run-{round}") };
        let meta = folder.path().join(format!("{name}-out.sigmf-meta"));
        while std::fs::read_to_string(&meta).unwrap().matches("core:sample_start").count() < 150 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        emulator.child.kill().unwrap();
        emulator.child.wait().unwrap();
        sending.abort();

        let (input, output) = (side(folder.path(), &format!("{name}-in")), side(folder.path(), &format!("{name}-out")));
        assert_eq!(input.global["latentlink:complete"], false);
        assert_eq!(input.global.get("core:sha512"), None);
        let both = input.annotations.len().min(output.annotations.len());
        assert!(both >= 100, "round {round}: {both} bursts are recorded");
        for k in 0..both {
            let sequence = input.annotations[k]["latentlink:delivery"]["sequence"].as_u64().unwrap();
            assert_eq!(input.symbols(k), burst(sequence, 25).symbols);
            let arrived = receiver.bursts.lock().unwrap();
            let same = |burst: &&Burst| burst.delivery.as_ref().unwrap().sequence == sequence;
            if let Some(arrived) = arrived.iter().find(same) {
                assert_eq!(output.symbols(k), arrived.symbols);
            }
        }
        receiver.bursts.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_full_disk_ends_the_recording_and_not_the_relay() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = TestReceiver::start(0, Manner::default());
    let log = folder.path().join("log");
    // A limit on the size of files, in KiB, stands for a disk that is full; the signal it comes with would end the process.
    let line = serve(&receiver, &folder.path().join("run"));
    let script = format!("trap '' XFSZ; ulimit -f 2000; exec {line} 2>{}", log.display());
    let mut command = Command::new("bash");
    command.args(["-c", &script]);
    let mut emulator = Process::serve(command);
    let sending = send(&emulator, 1000).await;
    let ended = || std::fs::read_to_string(&log).unwrap().matches("the recording has ended, incomplete").count();
    let began = std::time::Instant::now();
    while ended() == 0 {
        assert!(began.elapsed() < PATIENT, "{}", std::fs::read_to_string(&log).unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = receiver.bursts.lock().unwrap().len();
    while receiver.bursts.lock().unwrap().len() < before + 500 {
        assert!(began.elapsed() < 2 * PATIENT, "relaying goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ended(), 1, "logged once");
    sending.abort();
    let pid = emulator.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert_eq!(emulator.child.wait().unwrap().code(), Some(0));

    for name in ["run-in", "run-out"] {
        let side = side(folder.path(), name);
        assert_eq!(side.global["latentlink:complete"], false);
        let problem = side.global["latentlink:problem"].as_str().unwrap();
        assert!(problem.contains("cannot write") && problem.contains("too large"), "{problem}");
        assert!(side.annotations.len() >= 50, "{}", side.annotations.len());
    }
}
