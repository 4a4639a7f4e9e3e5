//! Tests that the predictions of the three processes equal, bit for bit, those that `trainer evaluate` computes in one
//! process.

use std::collections::HashSet;

use latentlink_tests::{Process, Stack, rows_of};

use crate::{SITE, evaluate, sweep_args, text};

#[test]
fn three_processes_equal_evaluate_bit_for_bit() {
    let stack = Stack::up(&SITE, "equality");
    let (inside, outside) = (stack.folder().join("inside.csv"), stack.folder().join("outside.csv"));
    let json = [stack.folder().join("inside.json"), stack.folder().join("outside.json")];
    let sweep = ["--channel", "none,awgn,rayleigh", "--snr", "-12:21:33", "--draws", "2", "--seed", "5"];
    evaluate(&[&sweep[..], &["--json", text(&json[0])]].concat(), &inside);
    let args = [&sweep_args(&sweep, &outside)[..], &["--json", text(&json[1])]].concat();
    stack.send(&args).succeeded();

    let rows = rows_of(&outside);
    // The noiseless channel has no draws.
    assert_eq!(rows.len(), SITE.test_clips() * (1 + 2 * 2 * 2));
    assert_eq!(rows, rows_of(&inside));
    // Weights that predict the same for every clip would make any two runs equal.
    let answers: HashSet<&str> = rows.iter().filter_map(|row| row.split(',').nth(9)).collect();
    assert!(answers.len() > rows.len() / 2, "only {} answers in {} rows", answers.len(), rows.len());

    let [inside, outside] = json.map(|file| records(&file));
    assert_eq!(inside.len(), 5);
    assert_eq!(inside, outside);
}

#[test]
fn one_draw_sent_equals_that_draw_evaluated() {
    let stack = Stack::up(&SITE, "one-draw");
    let (inside, outside) = (stack.folder().join("inside.csv"), stack.folder().join("outside.csv"));
    let at = ["--channel", "rayleigh", "--snr", "-6", "--seed", "9"];
    evaluate(&[&at[..], &["--draws", "3"]].concat(), &inside);
    stack.send(&sweep_args(&[&at[..], &["--draw", "2"]].concat(), &outside)).succeeded();
    let draw = |draw: &str| -> Vec<String> {
        rows_of(&inside).into_iter().filter(|row| row.split(',').nth(1) == Some(draw)).collect()
    };
    assert_eq!(rows_of(&outside), draw("2"));
    assert_ne!(draw("1"), draw("2"));
}

/// Every kind of scheme runs over the same three processes: another network, codewords of a quantised latent, a
/// transmitter with CSIT, and transport blocks, most of which are lost at this SNR.
#[test]
fn other_schemes_cross_the_same_link() {
    let mut schemes: Vec<(&str, &[&str])> = vec![
        ("t-deepsc", &["--scheme", "t-deepsc"]),
        ("quantised-latent", &["--scheme", "quantised-latent"]),
        ("proposed+feedback", &["--feedback"]),
    ];
    if cfg!(feature = "video") {
        schemes.push(("conventional", &["--scheme", "conventional"]));
    }
    for (scheme, options) in schemes {
        let folder = SITE.folder(&format!("{scheme}-weights"));
        let weights = folder.join("run");
        let train = ["trainer", "train", "--corpus", text(SITE.corpus()), "--epochs", "6"];
        let train =
            [&train[..], options, &["--preset", "small", "--validation", "valid", "--out", text(&weights)]].concat();
        Process::run(SITE.binary(), &train).succeeded();
        let stack = Stack::down(&SITE, scheme, &weights, &weights).started();
        let (inside, outside) = (folder.join("inside.csv"), folder.join("outside.csv"));
        let json = [folder.join("inside.json"), folder.join("outside.json")];
        let sweep = ["--channel", "none,rayleigh", "--snr", "-6", "--draws", "2", "--seed", "3"];
        let fixed =
            ["trainer", "evaluate", "--weights", text(&weights), "--corpus", text(SITE.corpus()), "--split", "test"];
        let evaluate = [&fixed[..], &["--predictions", text(&inside), "--json", text(&json[0])], &sweep].concat();
        Process::run(SITE.binary(), &evaluate).succeeded();
        let args = [&sweep_args(&sweep, &outside)[..], &["--json", text(&json[1])]].concat();
        stack.send(&args).succeeded();
        let rows = rows_of(&outside);
        assert_eq!((rows.len(), &rows), (SITE.test_clips() * 3, &rows_of(&inside)), "{scheme}");
        let answers: HashSet<&str> = rows.iter().filter_map(|row| row.split(',').nth(9)).collect();
        assert!(answers.len() > SITE.test_clips() / 2, "{scheme}: only {} answers", answers.len());
        let [inside, outside] = json.map(|file| records(&file));
        assert_eq!(inside, outside);
        assert!(outside.iter().all(|record| record["scheme"] == scheme), "{scheme}");
    }
}

/// The records of a JSON file of results.
fn records(file: &std::path::Path) -> Vec<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}
