//! Calibration of the deployed decision head: it is part of the weights, changes no decision about the sign without a
//! matched filter, and can be switched off.

mod support;

use metrics::sign_ece;
use phy::{ChannelKind, Conditions, NoiseKey, SnrDb};
use schemes::scheme::ClipInput;
use schemes::weights::load;
use std::path::Path;
use support::{clip, data, settings};
use tempfile::TempDir;
use trainer::config::RunConfig;
use trainer::threads::Threads;
use trainer::train::Trainer;

fn trained(calibrate: bool, sharpen: bool) -> (TempDir, String) {
    let mut config = RunConfig { calibrate, sharpen, ..settings() };
    config.schedule.epochs = 40;
    config.patience = 40;
    let (folder, data) = (tempfile::tempdir().unwrap(), data());
    let mut trainer = Trainer::new(&config, &data).unwrap().on(Threads::One);
    trainer.run(None, &mut |_| ()).unwrap();
    let id = trainer.deploy(folder.path(), None).unwrap();
    (folder, id)
}

/// Predictions and labels of 300 test clips, sent over AWGN at −9 dB.
fn answers(folder: &Path) -> Vec<(metrics::Prediction, f32)> {
    let (transmitter, receiver) = load(folder).unwrap();
    let point = Conditions::new(ChannelKind::Awgn, Some(SnrDb::try_from(-9.0).unwrap()), None).unwrap();
    let clips: Vec<_> = (100..400).map(|row| clip(row, "test")).collect();
    let inputs: Vec<ClipInput> = clips.iter().map(ClipInput::from).collect();
    let bursts = transmitter.transmit(&inputs, &[]).into_iter().enumerate();
    let received = bursts.map(|(row, burst)| {
        let burst = burst.unwrap().symbols;
        let key = NoiseKey { seed: 4, draw: 0, row: row as u64 };
        let received = phy::draw(key, &point, burst.len()).apply(&burst);
        let equaliser = receiver.card().equaliser;
        phy::equalise(received.symbols.reals(), received.h, received.n0, equaliser).unwrap().into()
    });
    let predictions = receiver.receive(&received.collect::<Vec<_>>());
    predictions.into_iter().map(Result::unwrap).zip(clips.iter().map(|clip| clip.label)).collect()
}

#[test]
fn calibration_changes_how_sure_the_sign_is_and_never_the_sign() {
    let ((plain, plain_id), (calibrated, id)) = (trained(false, true), trained(true, false));
    assert_ne!(id, plain_id);
    let (before, after) = (answers(plain.path()), answers(calibrated.path()));
    assert!(before.iter().zip(&after).all(|((a, _), (b, _))| a.is_pos() == b.is_pos()));
    let moved = before.iter().zip(&after).filter(|((a, _), (b, _))| (a.p_pos - b.p_pos).abs() > 1e-3).count();
    assert!(moved > 200, "{moved} of 300");
    let error = |rows: &[(metrics::Prediction, f32)]| sign_ece(rows.iter().map(|(p, y)| (p, *y))).unwrap();
    assert!(error(&after) < error(&before) + 0.02, "{} → {}", error(&before), error(&after));
}

/// The matched-filter soft decision gets a weight only where it corrects more signs than it breaks. Of 300 clips, 3
/// are allowed for chance.
#[test]
fn a_sharpened_sign_is_right_as_often_at_least() {
    let ((plain, _), (sharpened, id)) = (trained(true, false), trained(true, true));
    let right = |folder: &Path| answers(folder).iter().filter(|(p, y)| p.is_pos() == (*y > 0.0)).count();
    let (before, after) = (right(plain.path()), right(sharpened.path()));
    println!("{before} and {after} signs of 300 are right");
    assert!(after + 3 >= before, "{before} → {after}");
    let receiver = std::fs::read(sharpened.path().join("receiver/weights.safetensors")).unwrap();
    assert!(String::from_utf8_lossy(&receiver).contains("head.matched.weight"), "{id}");
}
