//! Tests of what must not start or go on: each case ends with one clear line and an exit code other than 0.

use std::path::{Path, PathBuf};

use latentlink_tests::{Client, Process, Role, Stack, corpus_of, request};
use proto::v1::transmitter_client::TransmitterClient;
use proto::v1::{ChannelKind, Conditions};

use crate::{SITE, sweep_args, text};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The model identifier in the manifest of a half.
fn model_id(half: &Path) -> String {
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(half.join("manifest.json")).unwrap()).unwrap();
    manifest["model_id"].as_str().unwrap().to_owned()
}

/// A folder of weights whose two halves do not belong together.
fn mixed(folder: &Path) -> PathBuf {
    let mixed = folder.join("mixed");
    copy(&SITE.weights().join("transmitter"), &mixed.join("transmitter"));
    copy(&SITE.other_weights().join("receiver"), &mixed.join("receiver"));
    mixed
}

#[test]
fn a_receiver_with_other_weights_names_both_ids() {
    let mut stack = Stack::down(&SITE, "other-weights", SITE.weights(), SITE.other_weights());
    Role::ALL.into_iter().for_each(|role| stack.start(role));
    let predictions = stack.folder().join("sent.csv");
    let sent = stack.send(&sweep_args(&["--channel", "none"], &predictions));
    let ours = model_id(&SITE.weights().join("transmitter"));
    let theirs = model_id(&SITE.other_weights().join("receiver"));
    assert_ne!(ours, theirs);
    sent.failed();
    assert!(sent.stderr.contains(&ours) && sent.stderr.contains(&theirs), "{}", sent.stderr);
    assert!(!predictions.exists(), "no predictions of a run that failed");

    let client = Client::connect(&stack.url(Role::Transmitter));
    let mut conditions = Conditions::default();
    conditions.set_kind(ChannelKind::None);
    let clip = client.clip(0, &corpus_of(1, 1, 1).clips[2], conditions);
    let status = client.block_on(async {
        let mut service = TransmitterClient::new(client.channel());
        match service.send(tokio_stream::iter([request(clip)])).await {
            Ok(stream) => stream.into_inner().message().await.expect_err("a final status"),
            Err(status) => status,
        }
    });
    assert_eq!(status.code(), tonic::Code::FailedPrecondition, "{status:?}");
    assert!(status.message().contains(&ours) && status.message().contains(&theirs), "{status:?}");
    assert!(stack.journal().is_empty());
}

#[test]
fn halves_that_do_not_belong_together_are_not_evaluated() {
    let folder = SITE.folder("mixed");
    let weights = mixed(&folder);
    let args =
        ["trainer", "evaluate", "--weights", text(&weights), "--corpus", text(SITE.corpus()), "--channel", "none"];
    let evaluated = Process::run(SITE.binary(), &args);
    let reason = evaluated.failed();
    let ids = ["transmitter", "receiver"].map(|half| model_id(&weights.join(half)));
    assert!(ids.iter().all(|id| reason.contains(id)), "{reason}");
}

#[test]
fn weights_that_were_cut_short_are_named() {
    let folder = SITE.folder("cut");
    let weights = folder.join("weights");
    copy(SITE.weights(), &weights);
    let file = weights.join("receiver/weights.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 100]).unwrap();
    let journal = folder.join("journal.sqlite");
    let args =
        ["receiver", "serve", "--listen", "127.0.0.1:0", "--weights", text(&weights), "--journal", text(&journal)];
    let served = Process::run(SITE.binary(), &args);
    assert!(served.failed().contains("weights.safetensors"), "{}", served.stderr);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = SITE.folder("port");
    let journal = folder.join("journal.sqlite");
    let nobody = "http://127.0.0.1:9";
    let roles = [
        vec!["receiver", "serve", "--weights", text(SITE.weights()), "--journal", text(&journal)],
        vec!["channel-emulator", "serve", "--receiver", nobody],
        vec!["transmitter", "serve", "--weights", text(SITE.weights()), "--emulator", nobody],
    ];
    for role in roles {
        let served = Process::run(SITE.binary(), &[&role[..], &["--listen", &address]].concat());
        assert!(served.failed().contains(&address), "{role:?}: {}", served.stderr);
        assert_eq!(served.stdout, "", "{role:?} says that it listens");
    }
}

#[test]
fn a_full_disk_leaves_no_half_written_weights() {
    let out = SITE.folder("full").join("run");
    let (corpus, out_text) = (text(SITE.corpus()), text(&out));
    let binary = text(SITE.binary());
    // Files are limited to 64 KiB, which looks like a full disk to a writer: the call fails.
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"";
    let args = ["-c", script, binary, "trainer", "train", "--corpus", corpus, "--preset", "small", "--epochs", "1"];
    let trained = Process::run(Path::new("/bin/sh"), &[&args[..], &["--out", out_text]].concat());
    let reason = trained.failed();
    assert!(reason.contains(out_text), "{reason}");
    let left: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["config.json"], "only what is whole");
}
