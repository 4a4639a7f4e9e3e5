//! A transcript of the user's own.

use super::super::{run, transcript};
use super::link::{answer, bound, good, snr, start};
use super::options::Cli;
use clap::Parser;
use phy::Conditions;
use proto::v1::modality::Content;
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
    let Some(Content::Transcript(text)) = received[0].text.clone().unwrap().content else { panic!() };
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
