//! Tests of the options of `transmitter send`, and of the files that it writes.

use super::super::args::{Args, What};
use super::super::run;
use super::link::{bound, corpus, good, start};
use clap::Parser;
use phy::Conditions;
use runtime::PeerUrl;

#[derive(Parser)]
pub struct Cli {
    #[command(flatten)]
    pub args: Args,
}

fn parse(words: &[&str]) -> Result<Args, clap::Error> {
    Ok(Cli::try_parse_from([&["send", "--to", "http://127.0.0.1:1"], words].concat())?.args)
}

#[test]
fn options_mean_what_they_say_together() {
    let corpus = ["--corpus", "builtin"];
    let args = |more: &[&str]| parse(&[&corpus, more].concat()).unwrap();
    assert_eq!(args(&[]).points().unwrap(), None);
    assert_eq!((args(&[]).draws(), args(&[]).seed(), args(&[]).split.as_str()), (0..10, 0, "test"));
    assert_eq!(args(&["--draws", "3"]).draws(), 0..3);
    assert_eq!(args(&["--draw", "3"]).draws(), 3..4);
    assert_eq!(args(&["--channel", "none"]).points().unwrap(), Some(vec![Conditions::None]));
    for snr in [&["--snr", "-12:21:3"][..], &["--snr=-12:21:3"]] {
        let points = args(&[&["--channel", "none,awgn"], snr].concat()).points().unwrap().unwrap();
        assert_eq!(points.len(), 13);
    }
    let missing = args(&["--channel", "none,rayleigh"]).points().unwrap_err().to_string();
    assert!(missing.starts_with("--channel rayleigh needs --snr"), "{missing}");

    let error = |words: &[&str]| parse(words).unwrap_err().to_string();
    assert!(error(&["--corpus", "builtin", "--snr", "3"]).contains("--channel"));
    assert!(error(&["--corpus", "builtin", "--text", "so"]).contains("--text"));
    assert!(error(&["--corpus", "builtin", "--draws", "1", "--draw", "1"]).contains("--draw"));
    assert!(error(&["--corpus", "builtin", "--draws", "0"]).contains("--draws"));
    assert!(error(&[]).contains("--corpus"));
    for words in [
        &["--clips", "-", "--text", "so"][..],
        &["--clips", "-", "--corpus", "builtin"],
        &["--clips", "-", "--split", "dev"],
    ] {
        assert!(error(words).contains("--clips"), "{words:?}");
    }
    assert!(error(&["--text", "so", "--split", "dev"]).contains("--split"));
    let noiseless = args(&["--channel", "none", "--snr", "3"]).points().unwrap_err().to_string();
    assert!(noiseless.starts_with("--snr goes with a channel that has noise"), "{noiseless}");
    assert!(error(&["--text", "so", "--forever"]).contains("--forever"));
    assert!(error(&["--corpus", "builtin", "--forever", "--predictions", "x"]).contains("--forever"));
    assert!(error(&["--corpus", "builtin", "--rate", "0"]).contains("clips a second"));
    assert!(error(&["--corpus", "builtin", "--jsonl"]).contains("--jsonl"));
    assert_eq!(args(&["--forever"]).draws(), 0..1);
    let clips = |more: &[&str]| parse(&[&["--clips", "-"], more].concat()).unwrap();
    assert_eq!((clips(&[]).draws(), clips(&[]).clips_seed()), (0..1, None));
    assert_eq!(clips(&["--channel", "none"]).clips_seed(), Some(0));
    assert_eq!(clips(&["--draws", "3", "--seed", "4"]).clips_seed(), Some(4));
    assert!(matches!(parse(&["--text", "so"]).unwrap().what().unwrap(), What::Transcript("so")));
}

#[test]
fn a_channel_has_the_grammar_of_all_commands() {
    for (text, conditions) in [("rician:4", "rician:4 3 dB"), ("awgn", "awgn 3 dB"), ("rician:0.5", "rician:0.5 3 dB")]
    {
        let points =
            parse(&["--corpus", "builtin", "--channel", text, "--snr", "3"]).unwrap().points().unwrap().unwrap();
        assert_eq!(points.iter().map(Conditions::to_string).collect::<Vec<_>>(), [conditions]);
    }
    for text in ["rician", "rician:x", "rician:-1", "awgn:4", "foggy"] {
        let refused = text.parse::<phy::ChannelSpec>().unwrap_err().to_string();
        let error = parse(&["--corpus", "builtin", "--channel", text, "--snr", "3"]).unwrap_err().to_string();
        assert!(error.contains(&refused), "{text}: {error}");
    }
}

#[test]
fn what_is_said_in_a_file_goes_with_records_and_draws_and_alone_it_does_not() {
    let more = ["--text", "so", "--json", "out.json", "--draws", "3"];
    let args = |words: &[&str]| parse(words).unwrap();
    assert!(matches!(args(&[&["a.mp4"], &more[..]].concat()).what(), Ok(What::Clips(paths)) if paths.len() == 1));
    let error = |words: &[&str]| args(words).what().err().expect("refused").to_string();
    assert_eq!(error(&more), "--draws does not go with --text alone; give a file or --clips");
    assert!(error(&["--text", "so", "--json", "x"]).contains("--json"));
    assert!(error(&["a.mp4", "b.mp4", "--text", "so"]).contains("use --transcripts"));
}

#[tokio::test]
async fn files_hold_what_was_printed_and_are_not_there_if_the_run_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (json, csv) = (folder.path().join("records.json"), folder.path().join("predictions.csv"));
    let corpus_folder = folder.path().join("corpus");
    corpus(30).save(&corpus_folder).unwrap();
    let args = |url: &PeerUrl, split: &str| {
        let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        let (url, corpus, json, csv) = (url.to_string(), text(&corpus_folder), text(&json), text(&csv));
        let words =
            ["send", "--to", &url, "--corpus", &corpus, "--split", split, "--json", &json, "--predictions", &csv];
        let sweep = ["--channel", "awgn", "--snr", "0,3", "--draws", "1"];
        Cli::try_parse_from(words.into_iter().chain(sweep)).unwrap().args
    };
    let (socket, url) = bound().await;
    start(&good(), socket);
    let missing = format!("{:#}", run(args(&url, "dev")).await.unwrap_err());
    assert!(missing.contains("`dev`") && missing.contains("`train`") && missing.contains("`test`"), "{missing}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the corpus");

    run(args(&url, "test")).await.unwrap();
    let records: Vec<metrics::Record> = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(records.iter().map(|record| record.snr_db).collect::<Vec<_>>(), [Some(0.0), Some(3.0)]);
    let csv = std::fs::read_to_string(&csv).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * 20);
    assert!(csv.starts_with("id,draw,channel,snr_db,label,"));
}
