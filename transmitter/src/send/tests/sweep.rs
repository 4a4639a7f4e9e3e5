//! Tests of sweeps over a corpus.

use super::super::{Request, check, send_corpus};
use super::link::{Link, SYMBOLS, bound, corpus, cross, good, snr, start};
use corpus::{Clip as CorpusClip, Corpus, Sequence};
use metrics::{Binary, Fading, PredictionRow, matched_filter};
use phy::{Conditions, NoiseKey, SnrDb};
use runtime::PeerUrl;
use runtime::serve::Socket;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tonic::Status;

/// The rows that [`send_corpus`] must return at a point and draw, computed here.
pub fn expected(corpus: &Corpus, conditions: Conditions, draw: u32, seed: u64) -> Vec<PredictionRow> {
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

pub const SEED: u64 = 5;

pub fn request<'a>(to: &'a PeerUrl, corpus: &'a Corpus, points: Option<&'a [Conditions]>) -> Request<'a> {
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
    assert_eq!(
        (rayleigh.symbols, rayleigh.channel_uses, rayleigh.training_seed),
        (Some(SYMBOLS), Some(SYMBOLS as f64), Some(11))
    );
    // The reference comes from the noiseless pass, which is not itself reported.
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
