//! Tests of `--forever`: endless rounds.

use super::super::pace::Rate;
use super::super::{Request, rounds};
use super::link::{Link, bound, corpus, good, snr, start};
use super::sweep::{SEED, expected, request};
use corpus::{Corpus, Sequence};
use metrics::Binary;
use phy::Conditions;
use runtime::Drain;
use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[tokio::test]
async fn rounds_go_on_with_new_draws_until_they_are_told_to_stop() {
    let (socket, url) = bound().await;
    // The transmitter ends its streams again and again.
    let link = Link { end_after: 97, ..good() };
    start(&link, socket);
    let corpus = corpus(60);
    let points = [Conditions::Awgn(snr(-12.0)), Conditions::None];
    let request = request(&url, &corpus, Some(&points));
    let drain = Drain::default();
    let mut lines = Vec::new();
    let sent = rounds::send(&request, None, &drain, |line| {
        lines.push(line);
        if lines.len() == 3 {
            drain.start();
        }
    });
    let sent = sent.await.unwrap();
    assert!(link.streams.load(Ordering::SeqCst) > 2);
    assert_eq!(sent.failed, 0);
    assert!(lines[0].starts_with("round 1: 120 clips, Acc-2 pos "), "{lines:?}");

    // Two draws a round from draw 2: the first round is draws 2 and 3 of every sweep.
    let first: Vec<_> = (2..4).flat_map(|draw| expected(&corpus, points[0], draw, SEED)).collect();
    let all: Vec<_> = first.iter().chain(&expected(&corpus, Conditions::None, 2, SEED)).cloned().collect();
    let accuracy = Binary::pos(all.iter().map(|row| (&row.prediction, row.label))).accuracy().unwrap();
    assert!(lines[0].contains(&format!("Acc-2 pos {accuracy:.3}")), "{accuracy} {lines:?}");

    let received = link.received.lock().unwrap();
    let draws = |conditions| {
        let met = received.iter().filter(|clip| clip.conditions == Some(wire::convert::conditions_to_wire(conditions)));
        let mut draws: Vec<u32> = met.map(|clip| clip.noise.unwrap().draw).collect();
        draws.sort_unstable();
        draws.dedup();
        draws
    };
    assert!(draws(&points[0]).iter().copied().eq(2..2 + draws(&points[0]).len() as u32));
    assert!(draws(&points[0]).len() >= 6 && draws(&points[1]).starts_with(&[2, 4, 6]));
    let [none, awgn] = &sent.records[..] else { panic!("{:?}", sent.records) };
    assert_eq!((none.channel.as_str(), none.draws, awgn.clips), ("none", 1, 40));
    assert!(awgn.draws >= 6 && sent.clips >= 360, "{sent:?}");
}

#[tokio::test]
async fn other_weights_start_the_count_again_and_live_conditions_are_met() {
    let (socket, url) = bound().await;
    start(&Link { model_id: "retrained", ..good() }, socket);
    let corpus = corpus(30);
    let drain = Drain::default();
    let mut lines = Vec::new();
    let request = request(&url, &corpus, None);
    let sent = rounds::send(&request, Some("5000".parse::<Rate>().unwrap()), &drain, |line| {
        lines.push(line);
        if lines.len() == 3 {
            drain.start();
        }
    });
    let sent = sent.await.unwrap();
    assert!(lines[0].contains("from by-hand to retrained; counting starts again"), "{lines:?}");
    assert_eq!((sent.records.len(), sent.records[0].snr_db), (1, Some(3.0)));
    assert_eq!(sent.records[0].model_id, "retrained");
}

#[tokio::test]
async fn a_transmitter_that_is_not_there_can_be_waited_for_no_longer() {
    let (socket, url) = bound().await;
    drop(socket);
    let corpus = corpus(30);
    let drain = Drain::default();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drain.start();
    };
    let request = request(&url, &corpus, None);
    let (sent, ()) = tokio::join!(rounds::send(&request, None, &drain, |_| ()), stop);
    assert_eq!(sent.unwrap().clips, 0);
}

/// A corpus of `clips` clips of which the link refuses the first `refused`.
fn partly_refused(clips: usize, refused: usize) -> Corpus {
    let mut made = corpus(clips).clips;
    for clip in &mut made[..refused] {
        clip.features[1] = Some(Sequence::new(2, vec![50.0; 8]));
    }
    Corpus::new("toy", made).unwrap()
}

#[tokio::test]
async fn rounds_without_a_prediction_say_why_at_once_and_come_ever_more_slowly() {
    let (socket, url) = bound().await;
    let link = good();
    start(&link, socket);
    let corpus = partly_refused(30, 30);
    let clips = corpus.split("test").unwrap().len();
    let (drain, lines) = (Drain::default(), RefCell::new(Vec::new()));
    let request = Request { draws: 0..1, ..request(&url, &corpus, None) };
    let run = rounds::send(&request, None, &drain, |line| lines.borrow_mut().push(line));
    let stop = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let said = lines.borrow().clone();
        let reasons = said.iter().filter(|line| line.contains("the level is beyond 9")).count();
        assert!(said[0].starts_with("not predicted: clip `clip 1` at live conditions: "), "{said:?}");
        assert!(said[1].starts_with("round 1: 20 clips") && said[1].contains("the next round starts in "), "{said:?}");
        assert_eq!((reasons, said.len()), (1, 2), "{said:?}");
        assert_eq!(link.received.lock().unwrap().len(), clips, "the second round waits about a second");
        tokio::time::sleep(Duration::from_secs(2)).await;
        drain.start();
        Instant::now()
    };
    let (sent, stopped) = tokio::join!(run, stop);
    let sent = sent.unwrap();
    assert!(stopped.elapsed() < Duration::from_millis(500), "a pause is cut short: {:?}", stopped.elapsed());
    // Rounds start at 0 s, about 1 s and about 3 s.
    let rounds = link.received.lock().unwrap().len() / clips;
    assert!((2..=3).contains(&rounds), "{rounds} rounds in 2.4 s");
    assert_eq!((sent.clips, sent.failed), ((rounds * clips) as u64, (rounds * clips) as u64));
    let counted = format!("{} clips were not predicted: audio: the level is beyond 9", rounds * clips);
    assert!(lines.borrow().contains(&counted), "{lines:?}");
}

#[tokio::test]
async fn a_round_with_some_predictions_is_not_waited_for() {
    let (socket, url) = bound().await;
    start(&good(), socket);
    let corpus = partly_refused(30, 2);
    let (drain, begun) = (Drain::default(), Instant::now());
    let mut lines = Vec::new();
    let request = Request { draws: 0..1, ..request(&url, &corpus, None) };
    let sent = rounds::send(&request, None, &drain, |line| {
        lines.push(line);
        if lines.len() == 6 {
            drain.start();
        }
    });
    let sent = sent.await.unwrap();
    assert!(lines[1..6].iter().all(|line| line.starts_with("round ") && !line.contains("starts in")), "{lines:?}");
    assert!(sent.failed >= 5 && sent.failed < sent.clips, "{sent:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}
