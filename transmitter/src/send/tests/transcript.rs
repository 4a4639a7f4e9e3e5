//! Tests of `--text`: a transcript of the user's own.

use super::super::{run, transcript};
use super::link::{answer, bound, good, snr, start};
use super::options::Cli;
use clap::Parser;
use phy::Conditions;
use proto::v1::content::Kind;
use wire::convert::conditions_to_wire;

#[tokio::test]
async fn a_transcript_is_sent_as_it_is_and_its_prediction_is_readable() {
    let (socket, url) = bound().await;
    let link = good();
    start(&link, socket);
    let url = url.to_string();
    let send = |more: &'static [&str]| {
        let words = [&["send", "--to", &url, "--text", "what a wonderful film"], more].concat();
        run(Cli::try_parse_from(words).unwrap().args)
    };
    send(&[]).await.unwrap();
    send(&["--channel", "rayleigh", "--snr", "-3,6", "--seed", "4"]).await.unwrap();
    let received = link.received.lock().unwrap().clone();
    assert_eq!(received.len(), 3);
    assert_eq!((received[0].conditions, received[0].noise), (None, None));
    assert_eq!(received[1].conditions, Some(conditions_to_wire(&Conditions::Rayleigh(snr(-3.0)))));
    assert_eq!(received[2].noise.unwrap().seed, 4);
    assert!(received.iter().all(|clip| clip.label.is_none()));
    let Some(Kind::Transcript(text)) = received[0].modalities["text"].kind.clone() else { panic!() };
    assert_eq!(text, "what a wonderful film");

    let text = transcript::readable(&text, answer(&received[2], link.live)).unwrap();
    let parts = ["\"what a wonderful film\"", "sentiment  positive", "class      +3 (-3 ", "rayleigh 6 dB, h = "];
    for part in parts.into_iter().chain(["transmitter 1.5 ms", "model      by-hand"]) {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let refused = send_refused(&url).await;
    assert!(refused.contains("the level is beyond 9"), "{refused}");
}

async fn send_refused(url: &str) -> String {
    let args = Cli::try_parse_from(["send", "--to", url, "--text", &"long ".repeat(10)]).unwrap().args;
    format!("{:#}", run(args).await.unwrap_err())
}

#[tokio::test]
async fn jsonl_prints_each_outcome_of_a_transcript_as_an_object() {
    let args = |words: &[&str]| {
        let words = [&["send", "--to", "http://127.0.0.1:1", "--jsonl", "--text", "what a wonderful film"], words];
        Cli::try_parse_from(words.concat()).unwrap().args
    };
    let args = args(&["--channel", "rician:4", "--snr", "6", "--draw", "3"]);
    let plan = transcript::plan(&args, args.text.as_deref().unwrap()).unwrap();
    let line = |level: &str| -> (serde_json::Value, bool) {
        let mut message = plan.message(0);
        let content = proto::v1::Content { kind: Some(Kind::Transcript(level.into())) };
        message.modalities.insert("text".into(), content);
        let (line, predicted) = transcript::json_line(&plan, 0, &answer(&message, Conditions::None)).unwrap();
        assert!(!line.contains('\n'), "{line}");
        (serde_json::from_str(&line).unwrap(), predicted)
    };
    let (object, predicted) = line("what a wonderful film");
    assert!(predicted && object["error"].is_null(), "{object}");
    assert_eq!(
        (&object["id"], &object["source"], &object["draw"]),
        (&"transcript".into(), &"--text".into(), &3.into())
    );
    assert_eq!((&object["sentiment"], &object["model_id"]), (&"positive".into(), &"by-hand".into()));
    let channel = &object["channel"];
    assert_eq!(
        (&channel["kind"], &channel["k_factor"], &channel["snr_db"]),
        (&"rician".into(), &4.0.into(), &6.0.into())
    );
    let (object, predicted) = line(&"long ".repeat(10));
    assert!(!predicted && object["score"].is_null(), "{object}");
    assert_eq!(object["error"]["code"], "TOO_LONG");
}

#[tokio::test]
async fn a_transcript_with_jsonl_fails_after_all_its_outcomes() {
    let (socket, url) = bound().await;
    let link = good();
    start(&link, socket);
    let long = "long ".repeat(10);
    let words = ["send", "--to", &url.to_string(), "--jsonl", "--text", &long, "--channel", "awgn", "--snr", "0,3"];
    let error = format!("{:#}", run(Cli::try_parse_from(words).unwrap().args).await.unwrap_err());
    assert_eq!(error, "the transcript was not predicted: 2 of 2 were answered with an error");
}
