//! The weights folder: what is saved comes back, whole or not at all, and what is wrong with it is named.

mod support;

use candle_core::{Device, Tensor};
use latentlink_schemes::scheme::{ChannelKnowledge, Receive, Transmit};
use latentlink_schemes::weights;
use network::config::{Config, Preset};
use network::proposed::{RECEIVER, TRANSMITTER};
use phy::Equalised;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Model, WIDTHS, clips, received, sent};
use tempfile::TempDir;

fn saved(seed: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Model::new(seed).save(folder.path()).unwrap();
    folder
}

/// All bits that the two halves give for some clips.
fn answers(transmitter: &dyn Transmit, receiver: &dyn Receive) -> String {
    let bursts = sent(transmitter, &clips(16, &WIDTHS));
    let equalised = |reals: &[f32]| Equalised { reals: reals.to_vec(), noise_var: 0.1, rho: 0.9 };
    let bursts_received: Vec<Equalised> = bursts.iter().map(|burst| equalised(burst.reals())).collect();
    format!("{bursts:?} {:?}", received(receiver, &bursts_received))
}

/// Every file below `folder` with its content, in the order of their paths.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files.push((path.clone(), Vec::new()));
                folders.push(path);
            } else {
                files.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in content(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        if path.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
        } else {
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::write(target, bytes).unwrap();
        }
    }
}

fn tensors(file: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(file, &Device::Cpu).unwrap()
}

#[test]
fn what_is_saved_gives_the_same_bits_when_loaded() {
    let (model, folder) = (Model::new(1), tempfile::tempdir().unwrap());
    let id = model.save(folder.path()).unwrap();
    let (transmitter, receiver) = weights::load(folder.path()).unwrap();
    assert_eq!((&transmitter.card().model_id, &receiver.card().model_id), (&id, &id));
    let expected = answers(&model.transmitter(), &model.receiver());
    assert_eq!(answers(transmitter.as_ref(), receiver.as_ref()), expected);
    // From the halves themselves, each alone in a folder elsewhere.
    let alone = tempfile::tempdir().unwrap();
    for half in ["transmitter", "receiver"] {
        copy(&folder.path().join(half), &alone.path().join(format!("only-{half}")));
    }
    let transmitter = weights::load_transmitter(&alone.path().join("only-transmitter")).unwrap();
    let receiver = weights::load_receiver(&alone.path().join("only-receiver")).unwrap();
    assert_eq!(answers(transmitter.as_ref(), receiver.as_ref()), expected);
    // Saving again changes no byte, other parameters or sizes change the id.
    let before = content(folder.path());
    assert_eq!(model.save(folder.path()).unwrap(), id);
    assert_eq!(content(folder.path()), before);
    assert_ne!(Model::new(2).save(folder.path()).unwrap(), id);
}

#[test]
fn a_half_holds_its_own_tensors_only() {
    let folder = saved(1);
    for (half, own) in [("transmitter", &TRANSMITTER[..]), ("receiver", &RECEIVER[..])] {
        let names = tensors(&folder.path().join(half).join("weights.safetensors"));
        for prefix in own {
            assert!(names.keys().any(|name| name.starts_with(prefix)), "{half} lacks {prefix}");
        }
        for name in names.keys() {
            assert!(own.iter().any(|prefix| name.starts_with(prefix)), "{half} holds {name}");
        }
    }
    let files = content(folder.path());
    let names: Vec<String> =
        files.iter().map(|f| f.0.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
    assert_eq!(
        names,
        [
            "receiver",
            "receiver/manifest.json",
            "receiver/weights.safetensors",
            "transmitter",
            "transmitter/manifest.json",
            "transmitter/text-encoder",
            "transmitter/text-encoder/config.json",
            "transmitter/text-encoder/model.safetensors",
            "transmitter/text-encoder/tokenizer.json",
            "transmitter/weights.safetensors",
        ]
    );
    let receiver = weights::receiver_manifest(folder.path()).unwrap();
    assert!(receiver.standardisation.is_empty());
    assert_eq!(weights::transmitter_manifest(folder.path()).unwrap().standardisation.len(), 3);
}

/// The one-line error of loading a folder that was changed, the folder itself cut out.
fn error(change: impl FnOnce(&Path)) -> String {
    let folder = saved(1);
    change(folder.path());
    let message = match weights::load(folder.path()) {
        Ok(_) => panic!("changed weights were loaded"),
        Err(e) => e.to_string(),
    };
    assert!(!message.contains('\n'), "{message}");
    message.replace(&format!("{}/", folder.path().display()), "")
}

fn tensor_error(half: &str, change: impl FnOnce(&mut HashMap<String, Tensor>)) -> String {
    error(|folder| {
        let file = folder.join(half).join("weights.safetensors");
        let mut all = tensors(&file);
        change(&mut all);
        candle_core::safetensors::save(&all, file).unwrap();
    })
}

fn manifest_error(half: &str, change: impl FnOnce(&mut Value)) -> String {
    error(|folder| {
        let file = folder.join(half).join("manifest.json");
        let mut value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(file, value.to_string()).unwrap();
    })
}

fn filled(value: f32, n: usize) -> Tensor {
    Tensor::full(value, n, &Device::Cpu).unwrap()
}

#[test]
fn a_wrong_tensor_is_named() {
    for (half, name, n) in [("transmitter", "encoder.output.bias", 50), ("receiver", "head.bias", 9)] {
        let wrong = |what: &str| format!("{half}/weights.safetensors: tensor `{name}` {what}");
        let with = |tensor: Tensor| tensor_error(half, |all| drop(all.insert(name.into(), tensor)));
        assert_eq!(tensor_error(half, |all| drop(all.remove(name))), wrong("is missing"));
        assert_eq!(with(filled(0.0, n + 1)), wrong(&format!("has shape [{}], expected [{n}]", n + 1)));
        assert_eq!(with(filled(f32::NAN, n)), wrong("is not finite"));
        let bytes = Tensor::zeros(n, candle_core::DType::U8, &Device::Cpu).unwrap();
        assert_eq!(with(bytes), wrong("has dtype u8, expected f32, f16 or bf16"));
        let message = with(filled(0.125, n));
        assert!(message.starts_with(half) && message.contains("weights.safetensors"), "{message}");
        assert!(message.contains("not what the manifest was written for"), "{message}");
    }
}

#[test]
fn files_that_do_not_go_with_the_manifest_are_named() {
    let message = error(|folder| {
        let file = folder.join("transmitter/text-encoder/tokenizer.json");
        let json = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{json}\n")).unwrap();
    });
    assert!(message.starts_with("transmitter: ") && message.contains("text-encoder/tokenizer.json"), "{message}");
    let message = error(|folder| std::fs::remove_dir_all(folder.join("transmitter/text-encoder")).unwrap());
    assert!(message.starts_with("transmitter: weights.safetensors: not what the manifest"), "{message}");
    let message = error(|folder| std::fs::remove_file(folder.join("receiver/weights.safetensors")).unwrap());
    assert!(message.starts_with("receiver/weights.safetensors: "), "{message}");
    for keep in [0, 5, 100, 5000] {
        let message = error(|folder| {
            let file = folder.join("transmitter/weights.safetensors");
            let whole = std::fs::read(&file).unwrap();
            std::fs::write(file, &whole[..keep]).unwrap();
        });
        assert!(message.starts_with("transmitter/weights.safetensors: "), "{message}");
    }
}

#[test]
fn a_wrong_manifest_is_named() {
    for half in ["transmitter", "receiver"] {
        let file = format!("{half}/manifest.json");
        let message = error(|folder| std::fs::remove_file(folder.join(&file)).unwrap());
        assert!(message.contains(&format!("holds no {half} weights")), "{message}");
        let message = error(|folder| std::fs::write(folder.join(&file), "{").unwrap());
        assert!(message.starts_with(&format!("{file}: ")), "{message}");
        let set = |pointer: &str, value: Value| manifest_error(half, |all| *all.pointer_mut(pointer).unwrap() = value);
        assert_eq!(set("/format", json!(2)), format!("{file}: format: expected 1, got Some(2)"));
        assert_eq!(set("/half", json!("other")), format!("{file}: half: expected {half}, got other"));
        assert!(set("/scheme", json!("smoke")).starts_with(&format!("{file}: scheme: expected proposed, t-deepsc, ")));
        assert_eq!(set("/config/heads", json!(0)), format!("{file}: config.heads: expected 1 to 65536, got 0"));
        assert!(set("/config/width", json!(-1)).starts_with(&format!("{file}: ")));
        assert!(set("/config/dropout/relu", json!(1.5)).contains("config.dropout.relu"));
        assert!(set("/config/head", json!("oracle")).contains("oracle"));
        let told = manifest_error(half, |all| {
            all["config"]["feedback"] = json!(true);
            all["scheme"] = json!("sign-repetition");
        });
        assert_eq!(told, format!("{file}: config.feedback: expected scheme proposed, got sign-repetition"));
        assert!(manifest_error(half, |all| all["config"]["sizes"] = json!(1)).contains("sizes"));
        assert!(manifest_error(half, |all| drop(all.as_object_mut().unwrap().remove("config"))).contains("config"));
    }
    let standardise = |value: Value| manifest_error("transmitter", |all| all["standardisation"]["audio"] = value);
    let message = standardise(json!({"mean": [0.0], "scale": [1.0]}));
    assert!(message.starts_with("transmitter/manifest.json: standardisation.audio: expected 5"), "{message}");
    let message = standardise(json!({"mean": vec![0.25; 5], "scale": vec![1.0; 5]}));
    assert!(message.starts_with("transmitter/manifest.json: model_id: "), "{message}");
    let message = manifest_error("transmitter", |all| all["config"]["dropout"]["relu"] = json!(0.25));
    assert!(message.starts_with("transmitter/manifest.json: model_id: "), "{message}");
}

#[test]
fn halves_that_do_not_belong_together_are_told_apart() {
    let other = saved(2);
    let message = error(|folder| {
        std::fs::remove_dir_all(folder.join("receiver")).unwrap();
        copy(&other.path().join("receiver"), &folder.join("receiver"));
    });
    assert!(message.contains("do not belong together"), "{message}");
    let (ours, theirs) = (saved(1), weights::receiver_manifest(other.path()).unwrap().model_id);
    let ours = weights::transmitter_manifest(ours.path()).unwrap().model_id;
    assert!(message.contains(&ours) && message.contains(&theirs), "{message}");
    // Either service says so when it starts, not its first client.
    let mixed = tempfile::tempdir().unwrap();
    copy(&saved(1).path().join("transmitter"), &mixed.path().join("transmitter"));
    copy(&other.path().join("receiver"), &mixed.path().join("receiver"));
    let transmitter = weights::load_transmitter(mixed.path()).err().map(|e| e.to_string()).unwrap_or_default();
    let receiver = weights::load_receiver(mixed.path()).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(transmitter == receiver && receiver.contains(&ours) && receiver.contains(&theirs), "{receiver}");
    weights::load_receiver(&mixed.path().join("receiver")).unwrap();
    let Err(wrong) = weights::load_receiver(&other.path().join("transmitter")) else { panic!("half of another kind") };
    assert!(wrong.to_string().ends_with("manifest.json: half: expected receiver, got transmitter"), "{wrong}");
}

#[test]
fn what_a_dead_process_left_does_not_stand_in_the_way() {
    let folder = saved(1);
    for half in ["transmitter", "receiver"] {
        // A run of the same number died in mid-replacement, as in a container, where numbers come back.
        let left = folder.path().join(format!("{half}.old-{}", std::process::id()));
        std::fs::create_dir_all(left.join("text-encoder")).unwrap();
    }
    let id = Model::new(2).save(folder.path()).unwrap();
    assert_eq!(weights::load(folder.path()).unwrap().1.card().model_id, id);
}

/// Killed after the transmitter's half has moved to its place, before the receiver's has.
#[test]
fn a_replacement_that_was_killed_half_way_loads_as_the_new_weights_and_is_finished_by_the_next() {
    let (folder, new) = (saved(1), saved(2));
    let id = weights::receiver_manifest(new.path()).unwrap().model_id;
    std::fs::remove_dir_all(folder.path().join("transmitter")).unwrap();
    copy(&new.path().join("transmitter"), &folder.path().join("transmitter"));
    copy(&new.path().join("receiver"), &folder.path().join(".weights-next/receiver"));
    assert_eq!(weights::load(folder.path()).unwrap().1.card().model_id, id);
    // Services that are given the half itself, or the folder.
    for path in [folder.path().join("receiver"), folder.path().to_path_buf()] {
        assert_eq!(weights::load_receiver(&path).unwrap().card().model_id, id);
    }
    let last = Model::new(3).save(folder.path()).unwrap();
    assert_eq!(weights::load(folder.path()).unwrap().0.card().model_id, last);
    assert!(!folder.path().join(".weights-next").exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// Saves other weights over `folder`, which must fail, naming `file`, and change nothing; returns the error.
fn save_fails(folder: &Path, file: &Path) -> String {
    let before = content(folder);
    let message = Model::new(2).save(folder).unwrap_err().to_string();
    assert!(message.starts_with(&file.display().to_string()) && !message.contains('\n'), "{message}");
    assert!(content(folder) == before, "{message}: but something changed");
    message
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "here already").unwrap();
    let message = Model::new(1).save(&file.join("weights")).unwrap_err().to_string();
    assert!(message.starts_with(&file.join("weights").display().to_string()), "{message}");
    assert_eq!(std::fs::read(&file).unwrap(), b"here already");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_keeps_what_it_has() {
    use std::os::unix::fs::PermissionsExt;
    let folder = saved(1);
    let mode = |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    let writable = std::fs::write(folder.path().join("probe"), "").is_ok();
    if writable {
        println!("skipped: this user may write anywhere");
    } else {
        save_fails(folder.path(), folder.path());
    }
    mode(0o755);
}

/// Set in the process that may not write long files, to where it shall write.
const LIMITED: &str = "LATENTLINK_TEST_LIMITED_FOLDER";

#[cfg(unix)]
#[test]
fn a_write_that_is_cut_short_leaves_what_was_there() {
    const NAME: &str = "a_write_that_is_cut_short_leaves_what_was_there";
    if let Some(folder) = std::env::var_os(LIMITED) {
        let folder = PathBuf::from(folder);
        save_fails(&folder, &folder.join("transmitter/weights.safetensors"));
        return;
    }
    let folder = saved(1);
    // The signal ignored, a write beyond the limit fails half-way, as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" --exact \"$1\"";
    let exe = std::env::current_exe().unwrap();
    let limited = Command::new("sh").args(["-c", script]).arg(exe).arg(NAME).env(LIMITED, folder.path()).output();
    let limited = limited.unwrap();
    let said = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success() && said.contains("1 passed"), "{said}");
    weights::load(folder.path()).unwrap();
}

/// A file system of its own, unmounted at the end.
#[cfg(target_os = "linux")]
struct Mounted(PathBuf);

#[cfg(target_os = "linux")]
impl Mounted {
    /// None where this user may not mount.
    fn new(at: &Path, size: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]).arg(at);
        let done = mount.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success());
        if !done {
            println!("skipped: this user may not mount");
        }
        done.then(|| Mounted(at.into()))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    // Room for one set of weights, not for two.
    let bytes: usize = content(saved(1).path()).iter().map(|(_, bytes)| bytes.len() + 8192).sum();
    let Some(disk) = Mounted::new(folder.path(), &(bytes * 3 / 2).to_string()) else { return };
    Model::new(1).save(&disk.0).unwrap();
    let message = save_fails(&disk.0, &disk.0);
    assert!(message.contains(".safetensors: ") && message.contains("No space left"), "{message}");
    weights::load(&disk.0).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_half_that_cannot_be_moved_leaves_both_as_they_were() {
    let folder = saved(1);
    let receiver = folder.path().join("receiver");
    let kept = content(&receiver);
    let Some(disk) = Mounted::new(&receiver, "1m") else { return };
    for (path, bytes) in kept {
        std::fs::write(path, bytes).unwrap();
    }
    // A mount cannot be renamed, and the transmitter's half is in place by then.
    save_fails(folder.path(), &receiver);
    weights::load(folder.path()).unwrap();
    drop(disk);
}

/// Weights from before there was feedback are what they were, and so is their model id: it covers the configuration's bytes.
#[test]
fn feedback_is_in_the_configuration_only_where_there_is_some() {
    let shown = |feedback| {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { feedback, ..Config::preset(Preset::Small, WIDTHS) };
        let id = Model::with(config, 1).save(folder.path()).unwrap();
        assert_eq!(weights::load(folder.path()).unwrap().0.card().needs == ChannelKnowledge::Csit, feedback);
        let manifest = weights::receiver_manifest(folder.path()).unwrap();
        let value: Value =
            serde_json::from_slice(&std::fs::read(folder.path().join("receiver/manifest.json")).unwrap()).unwrap();
        (id, value["config"].get("feedback").cloned(), manifest.scheme_name())
    };
    let (without, with) = (shown(false), shown(true));
    assert_eq!((without.1, without.2.as_str()), (None, "proposed"));
    assert_eq!((with.1, with.2.as_str()), (Some(json!(true)), "proposed+feedback"));
    assert_ne!(without.0, with.0);
}
