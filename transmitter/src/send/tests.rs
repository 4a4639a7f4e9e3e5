//! Against a link in one process, served over a real socket: a half whose decisions can be checked by hand, and `phy`.

use super::args::What;
use super::*;
use clap::Parser;
use corpus::{Clip as CorpusClip, Sequence};
use link::PeerUrl;
use link::convert::{
    conditions_from_wire, conditions_to_wire, noise_key_from_wire, prediction_to_wire, report_to_wire,
};
use link::serve::{Services, Socket, serve};
use link::{Drain, MAX_MESSAGE_BYTES};
use metrics::{Binary, Fading, Prediction, PredictionRow, matched_filter};
use phy::{Conditions, Equaliser, NoiseKey, SnrDb, Symbols, draw, equalise, realised_snr_db};
use proto::v1::modality::Content;
use proto::v1::transmitter_server::{Transmitter, TransmitterServer};
use proto::v1::{Clip, ErrorCode, GetModelRequest, Model, Outcome, Timings, outcome};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

const SYMBOLS: usize = 25;

/// Sends the mean of the audio features (or the length of the transcript, less fifteen) as a constant amplitude, and reads
/// its sign from the equalised mean. Features beyond 9 are refused.
fn answer(clip: &Clip, live: Conditions) -> Outcome {
    let mut outcome = Outcome { delivery: clip.delivery.clone(), clip_id: clip.id.clone(), ..Outcome::default() };
    let content = |modality: &Option<proto::v1::Modality>| modality.as_ref().and_then(|m| m.content.clone());
    let level = match (content(&clip.audio), content(&clip.text)) {
        (Some(Content::Features(features)), _) => {
            let bytes = features.data.as_chunks::<4>().0;
            bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)).sum::<f32>() / bytes.len() as f32
        }
        (_, Some(Content::Transcript(text))) => text.len() as f32 - 15.0,
        _ => f32::INFINITY,
    };
    if level > 9.0 {
        let message = "the level is beyond 9".to_owned();
        let error = proto::v1::Error { code: ErrorCode::TooLong.into(), field: "audio".into(), message };
        return Outcome { result: Some(outcome::Result::Error(error)), ..outcome };
    }
    let conditions = clip.conditions.as_ref().map_or(live, |pinned| conditions_from_wire(pinned).unwrap());
    let key = clip.noise.as_ref().map(noise_key_from_wire);
    let key = key.unwrap_or(NoiseKey { seed: 77, draw: 0, row: clip.delivery.as_ref().unwrap().sequence });
    let (prediction, report) = cross(level, key, &conditions);
    outcome.result = Some(outcome::Result::Prediction(prediction_to_wire(&prediction)));
    outcome.channel = Some(report);
    outcome.timings = Some(Timings { transmitter_us: 1500, emulator_us: 200, receiver_us: 2000 });
    outcome.model_id = "by-hand".into();
    outcome
}

fn cross(level: f32, key: NoiseKey, conditions: &Conditions) -> (Prediction, proto::v1::ChannelReport) {
    let burst = Symbols::new([level, 0.0].repeat(SYMBOLS)).unwrap().normalise();
    let realisation = draw(key, conditions, SYMBOLS);
    let received = realisation.apply(&burst);
    let equalised = equalise(received.symbols.reals(), received.h, received.n0, Equaliser::Mmse).unwrap();
    let mean = equalised.reals.iter().step_by(2).sum::<f32>() / SYMBOLS as f32;
    let p_pos = 1.0 / (1.0 + (-2.0 * mean).exp());
    let classes = [1.0 - p_pos, 0.0, 0.0, 0.0, 0.0, 0.0, p_pos];
    let prediction = Prediction { p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos, classes, score: 4.0 * p_pos - 2.0 };
    (prediction, report_to_wire(conditions, &received, realised_snr_db(&burst, &realisation)))
}

#[derive(Clone)]
struct Link {
    /// What clips meet that pin nothing.
    live: Conditions,
    /// Streams end without a word after so many outcomes.
    end_after: usize,
    /// Every stream ends with this.
    refuse: Option<Status>,
    /// Named in every outcome.
    model_id: &'static str,
    streams: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<Clip>>>,
}

#[tonic::async_trait]
impl Transmitter for Link {
    type SendStream = ReceiverStream<Result<Outcome, Status>>;

    async fn send(&self, request: tonic::Request<Streaming<Clip>>) -> Result<Response<Self::SendStream>, Status> {
        let mut clips = request.into_inner();
        let link = self.clone();
        let (sender, outcomes) = mpsc::channel(8);
        link.streams.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            if let Some(status) = link.refuse {
                let _ = sender.send(Err(status)).await;
                return;
            }
            for _ in 0..link.end_after {
                let Ok(Some(clip)) = clips.message().await else { return };
                link.received.lock().unwrap().push(clip.clone());
                let outcome = Outcome { model_id: link.model_id.into(), ..answer(&clip, link.live) };
                if sender.send(Ok(outcome)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(outcomes)))
    }

    async fn get_model(&self, _: tonic::Request<GetModelRequest>) -> Result<Response<Model>, Status> {
        Ok(Response::new(Model {
            model_id: "by-hand".into(),
            scheme: "repetition".into(),
            symbols: SYMBOLS as u32,
            equaliser: "mmse".into(),
            training_snr_low_db: Some(-9.0),
            training_snr_high_db: Some(21.0),
            takes_text: false,
        }))
    }
}

fn snr(db: f64) -> SnrDb {
    SnrDb::try_from(db).unwrap()
}

fn good() -> Link {
    Link {
        live: Conditions::Awgn(snr(3.0)),
        end_after: usize::MAX,
        refuse: None,
        model_id: "by-hand",
        streams: Arc::default(),
        received: Arc::default(),
    }
}

async fn bound() -> (Socket, PeerUrl) {
    let socket = Socket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.address()).parse().unwrap();
    (socket, url)
}

fn start(link: &Link, socket: Socket) {
    let server = TransmitterServer::new(link.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    tokio::spawn(async move { serve(socket, Services::default().with(server), &Drain::default()).await });
}

/// Clips whose level is their label, of which one in three is for training.
fn corpus(clips: usize) -> Corpus {
    let clip = |n: usize| CorpusClip {
        id: format!("clip {n}"),
        video_id: format!("video {}", n / 5),
        split: if n.is_multiple_of(3) { "train" } else { "test" }.into(),
        label: (n as f32 * 0.7).sin() * 3.0,
        text: String::new(),
        features: [None, Some(Sequence::new(2, vec![(n as f32 * 0.7).sin() * 3.0; 8])), None],
    };
    Corpus::new("toy", (0..clips).map(clip).collect()).unwrap()
}

/// What [`send_corpus`] must give at a point, computed here.
fn expected(corpus: &Corpus, conditions: Conditions, draw: u32, seed: u64) -> Vec<PredictionRow> {
    let row = |(row, clip): (usize, &CorpusClip)| {
        let (prediction, report) = cross(clip.label, NoiseKey { seed, draw, row: row as u64 }, &conditions);
        PredictionRow {
            id: clip.id.clone(),
            row: row as u64,
            draw,
            channel: phy::ChannelSpec::from(&conditions).to_string(),
            snr_db: conditions.snr_db().map(SnrDb::db),
            label: clip.label,
            prediction,
            h_re: report.h_re,
            h_im: report.h_im,
        }
    };
    corpus.split("test").unwrap().into_iter().map(row).collect()
}

const SEED: u64 = 5;

fn request<'a>(to: &'a PeerUrl, corpus: &'a Corpus, points: Option<&'a [Conditions]>) -> Request<'a> {
    Request { to, corpus, split: "test", points, draws: 2..4, seed: SEED }
}

#[tokio::test]
async fn every_clip_is_sent_at_every_point_and_draw_under_its_own_noise() {
    let (socket, url) = bound().await;
    let link = good();
    start(&link, socket);
    let corpus = corpus(60);
    let rician: phy::ChannelSpec = "rician:4".parse().unwrap();
    let points = [Conditions::Rayleigh(snr(-12.0)), rician.at(snr(0.0))];
    let request = request(&url, &corpus, Some(&points));
    let mut done = 0;
    let sent = send_corpus(&request, || done += 1).await.unwrap();

    let rows: Vec<PredictionRow> =
        points.iter().flat_map(|p| (2..4).flat_map(|d| expected(&corpus, *p, d, SEED))).collect();
    assert_eq!(sent.rows, rows);
    assert_eq!(sent.failures, []);
    // Two draws at two points, and one noiseless pass.
    assert_eq!((sent.clips, done, request.clips().unwrap()), (40 * 5, 40 * 5, 40 * 5));

    let received = link.received.lock().unwrap();
    let mut sequences: Vec<u64> = received.iter().map(|clip| clip.delivery.as_ref().unwrap().sequence).collect();
    sequences.sort_unstable();
    assert!(sequences.into_iter().eq(0..200));
    assert!(
        received
            .iter()
            .all(|clip| clip.delivery.as_ref().unwrap().run_id == received[0].delivery.as_ref().unwrap().run_id)
    );

    let [rayleigh, rician] = &sent.records[..] else { panic!("{:?}", sent.records) };
    assert_eq!((rayleigh.channel.as_str(), rician.channel.as_str()), ("rayleigh", "rician:4"));
    assert_eq!((rayleigh.scheme.as_str(), rayleigh.equaliser.as_str()), ("repetition", "mmse"));
    assert_eq!((rayleigh.model_id.as_str(), rayleigh.corpus.as_str()), ("by-hand", "toy"));
    assert_eq!((rayleigh.in_training_range, rician.in_training_range), (Some(false), Some(true)));
    assert_eq!((rayleigh.clips, rayleigh.draws, rayleigh.seed), (40, 2, SEED));
    // From the noiseless pass, which is not itself reported.
    let noiseless = expected(&corpus, Conditions::None, 2, SEED);
    let source = Binary::pos(noiseless.iter().map(|row| (&row.prediction, row.label))).source().unwrap();
    assert_eq!(rayleigh.reference_acc2, Some(matched_filter(&source, SYMBOLS, -12.0, Fading::Rayleigh)));
}

#[tokio::test]
async fn the_noiseless_channel_is_sent_once_and_reported_where_it_was_asked_for() {
    let (socket, url) = bound().await;
    start(&good(), socket);
    let corpus = corpus(30);
    let points = [Conditions::Awgn(snr(0.0)), Conditions::None];
    let sent = send_corpus(&request(&url, &corpus, Some(&points)), || ()).await.unwrap();
    assert_eq!(sent.clips, 20 * 3);
    assert_eq!(sent.rows[40..], expected(&corpus, Conditions::None, 2, SEED));
    let points: Vec<_> = sent.records.iter().map(|record| (record.channel.as_str(), record.snr_db)).collect();
    assert_eq!(points, [("none", None), ("awgn", Some(0.0))]);
}

#[tokio::test]
async fn live_conditions_are_what_each_clip_met() {
    let (socket, url) = bound().await;
    let link = good();
    start(&link, socket);
    let corpus = corpus(30);
    let sent = send_corpus(&request(&url, &corpus, None), || ()).await.unwrap();
    let rows: Vec<PredictionRow> = (2..4).flat_map(|d| expected(&corpus, link.live, d, SEED)).collect();
    assert_eq!(sent.rows, rows);
    assert_eq!((sent.records.len(), sent.records[0].channel.as_str(), sent.records[0].snr_db), (1, "awgn", Some(3.0)));
    assert!(sent.records[0].reference_acc2.is_some());
    assert!(link.received.lock().unwrap().iter().filter(|clip| clip.conditions.is_none()).count() == 40);
}

#[tokio::test]
async fn a_late_transmitter_that_breaks_off_changes_nothing() {
    let corpus = corpus(60);
    let points = [Conditions::Rayleigh(snr(3.0))];
    let (socket, url) = bound().await;
    let address = socket.address().to_string();
    drop(socket);
    let request = request(&url, &corpus, Some(&points));
    let link = Link { end_after: 33, ..good() };
    let late = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        start(&link, Socket::bind(&address).await.unwrap());
    };
    let (sent, ()) = tokio::join!(send_corpus(&request, || ()), late);
    let rows: Vec<PredictionRow> = (2..4).flat_map(|d| expected(&corpus, points[0], d, SEED)).collect();
    assert_eq!(sent.unwrap().rows, rows);
    assert!(link.streams.load(Ordering::SeqCst) > 3);
}

#[tokio::test]
async fn clips_that_fail_are_counted_and_shown_and_the_others_are_reported() {
    let (socket, url) = bound().await;
    start(&good(), socket);
    let mut corpus = corpus(30);
    for row in [1, 4] {
        corpus.clips[row].features[1] = Some(Sequence::new(2, vec![100.0; 2]));
    }
    let points = [Conditions::Awgn(snr(0.0))];
    let sent = send_corpus(&request(&url, &corpus, Some(&points)), || ()).await.unwrap();
    assert_eq!((sent.rows.len(), sent.failures.len()), (36, 2 * 3));
    let message = check(&sent).unwrap_err().to_string();
    assert!(
        message.starts_with("6 of 60 clips were not predicted: clip `clip 1` at awgn 0 dB: audio: the level"),
        "{message}"
    );
    assert!(message.ends_with("; and 1 more"), "{message}");
}

#[tokio::test]
async fn a_refused_stream_and_changed_weights_end_the_run() {
    let corpus = corpus(30);
    let refuse = Some(Status::failed_precondition("the transmitter's weights are a, the receiver's are b"));
    for (link, reason) in [
        (Link { refuse, ..good() }, "the transmitter's weights are a, the receiver's are b"),
        (Link { model_id: "retrained", ..good() }, "from by-hand to retrained"),
    ] {
        let (socket, url) = bound().await;
        start(&link, socket);
        let error = send_corpus(&request(&url, &corpus, None), || ()).await.unwrap_err();
        assert!(format!("{error:#}").contains(reason), "{error:#}");
        assert_eq!(link.streams.load(Ordering::SeqCst), 1);
    }
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
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
    assert!(error(&["--text", "so", "--json", "x"]).contains("--json"));
    assert!(error(&[]).contains("--corpus"));
    assert!(matches!(parse(&["--text", "so"]).unwrap().what().unwrap(), What::Transcript("so")));
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
