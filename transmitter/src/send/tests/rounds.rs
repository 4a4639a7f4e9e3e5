//! Rounds without an end.

use super::super::pace::Rate;
use super::super::rounds;
use super::link::{Link, bound, corpus, good, snr, start};
use super::sweep::{SEED, expected, request};
use metrics::Binary;
use phy::Conditions;
use runtime::Drain;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn rounds_go_on_with_new_draws_until_they_are_told_to_stop() {
    let (socket, url) = bound().await;
    // The transmitter breaks off again and again.
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
