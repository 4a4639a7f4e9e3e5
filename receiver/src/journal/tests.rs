use super::*;
use metrics::Prediction;
use proto::v1::{ChannelKind, ChannelReport, Conditions, Timings};
use rand::{RngExt, SeedableRng};
use tokio::sync::oneshot;
use wire::Delivery;

const RUN: &str = "6f1c2a52-6a0c-4a0e-9a55-0d6f1d1f3c11";
type Reply = oneshot::Receiver<Result<Answer, Refusal>>;

/// An entry with pseudo-random numbers that use all their bits, which a conversion through text or rounding would
/// change.
fn entry(sequence: u64, seed: u64) -> Entry {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut number = || rng.random::<f32>();
    let snr_db = Some([-12.0, 0.1 + 0.2][sequence as usize % 2]);
    Entry {
        delivery: Delivery { run: RUN.parse().unwrap(), sequence },
        clip_id: format!("clip \"{sequence}\" ü"),
        label: match sequence % 7 {
            0 => None,
            1 => Some(0.0),
            _ => Some(number() * 6.0 - 3.0),
        },
        caption: format!("words of {sequence}"),
        written_at_ms: 0,
        answer: Answer {
            prediction: Prediction {
                p_neg: number(),
                p_zero: number(),
                p_pos: number(),
                classes: std::array::from_fn(|_| number()),
                score: -0.0,
            },
            channel: ChannelReport {
                conditions: Some(Conditions { kind: ChannelKind::Rician as i32, snr_db, k_factor: Some(1.0 / 3.0) }),
                h_re: number(),
                h_im: -number(),
                n0: f32::MIN_POSITIVE / 8.0,
                realised_snr_db: Some(f64::from(number()) / 3.0),
            },
            timings: Timings { transmitter_us: 1, emulator_us: u64::MAX, receiver_us: 0 },
        },
    }
}

fn job(entry: Entry) -> (Job, Reply) {
    let (reply, answer) = oneshot::channel();
    let reply = move |answer| drop(reply.send(answer));
    (Job { entry, arrived: Instant::now(), reply: Box::new(reply) }, answer)
}

/// Commits entries in one transaction and returns their answers.
fn commit(writer: &mut Writer, entries: Vec<Entry>) -> Vec<Result<Answer, Refusal>> {
    let (jobs, answers): (Vec<Job>, Vec<Reply>) = entries.into_iter().map(job).unzip();
    writer.commit(jobs);
    answers.into_iter().map(|answer| answer.blocking_recv().unwrap()).collect()
}

fn bits(answer: &Answer) -> Vec<u64> {
    let Answer { prediction, channel, timings } = answer;
    let Prediction { p_neg, p_zero, p_pos, classes, score } = prediction;
    let conditions = channel.conditions.unwrap();
    let singles = [p_neg, p_zero, p_pos, score, &channel.h_re, &channel.h_im, &channel.n0];
    let doubles = [conditions.snr_db, conditions.k_factor, channel.realised_snr_db];
    let mut bits: Vec<u64> = singles.into_iter().chain(classes).map(|value| u64::from(value.to_bits())).collect();
    bits.extend(doubles.into_iter().map(|value| value.unwrap().to_bits()));
    bits.extend([timings.transmitter_us, timings.emulator_us, timings.receiver_us]);
    bits
}

#[test]
fn a_repeated_key_gets_the_first_answer_bit_for_bit_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (mut writer, mut live) = Writer::open(&path, "model").unwrap();
    let first = commit(&mut writer, vec![entry(0, 1), entry(u64::MAX, 2), entry(0, 3)]);
    let [zero, max, again] = [0, 1, 2].map(|index| first[index].as_ref().unwrap());
    assert_ne!(bits(zero), bits(max));
    assert_eq!(bits(zero), bits(again), "both copies in one transaction");
    assert_eq!(live.snapshot(10).clips, 2);
    drop(writer);

    let (mut writer, mut live) = Writer::open(&path, "model").unwrap();
    let second = commit(&mut writer, vec![entry(u64::MAX, 9), entry(0, 9), entry(7, 9)]);
    assert_eq!(bits(second[0].as_ref().unwrap()), bits(max));
    assert_eq!(bits(second[1].as_ref().unwrap()), bits(zero));
    assert_eq!(live.snapshot(10).clips, 3);
}

#[test]
fn counts_after_a_restart_are_those_kept_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (mut writer, mut live) = Writer::open(&path, "model").unwrap();
    for start in [0, 100, 200] {
        commit(&mut writer, (start..start + 100).map(|sequence| entry(sequence, sequence)).collect());
    }
    let mut before = live.snapshot(1000);
    drop(writer);
    let mut after = Writer::open(&path, "model").unwrap().1.snapshot(1000);
    assert_eq!(before.tallies.len(), 2);
    for (before, after) in before.tallies.iter_mut().zip(&mut after.tallies) {
        assert!((before.absolute_error - after.absolute_error).abs() < 1e-9);
        assert!((before.squared_error - after.squared_error).abs() < 1e-9 && before.squared_error > 0.0);
        (before.absolute_error, after.absolute_error) = (0.0, 0.0);
        (before.squared_error, after.squared_error) = (0.0, 0.0);
        assert!(0 < before.positive_correct && before.positive_correct < before.positive);
        assert!(0 < before.nonneg_met && before.nonneg_met < before.nonneg && before.positive < before.nonneg);
        assert!(before.labelled < before.clips && 0 < before.class_correct && before.class_correct < before.labelled);
    }
    assert!(before.latest.iter().all(|row| row.caption.starts_with("words of") && row.written_at_ms > 0));
    assert_eq!(before, after);
}

#[test]
fn rows_of_another_model_are_neither_counted_nor_given_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    commit(&mut Writer::open(&path, "old").unwrap().0, vec![entry(1, 1)]);
    let (mut writer, mut live) = Writer::open(&path, "new").unwrap();
    let answers = commit(&mut writer, vec![entry(1, 1), entry(2, 2)]);
    let refusal = answers[0].as_ref().unwrap_err().to_string();
    assert!(refusal.contains("model old") && refusal.contains("serves new") && refusal.contains(RUN), "{refusal}");
    assert!(answers[1].is_ok());
    let snapshot = live.snapshot(10);
    assert_eq!((snapshot.clips, snapshot.latest.len()), (1, 1));
}

#[test]
fn a_full_disk_answers_nobody_and_leaves_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (mut writer, mut live) = Writer::open(&path, "model").unwrap();
    let pages: i64 = writer.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    writer.connection.pragma_update(None, "max_page_count", pages + 1).unwrap();
    let many = || (0..100).map(|sequence| entry(sequence, sequence)).collect::<Vec<_>>();
    let answers = commit(&mut writer, many());
    assert!(answers.iter().all(Result::is_err));
    let message = answers[0].as_ref().unwrap_err().to_string();
    assert!(message.contains("journal.sqlite") && message.contains("full"), "{message}");
    assert_eq!(live.snapshot(10).clips, 0);

    // The database may grow again: the same bursts are accepted, and count once.
    writer.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert!(commit(&mut writer, many()).iter().all(Result::is_ok));
    assert_eq!(live.snapshot(10).clips, 100);
}

#[tokio::test]
async fn the_writer_commits_what_it_was_given_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (journal, mut live, writer) = Journal::open(&path, "model", Meter::default()).unwrap();
    let sender = std::thread::spawn(move || {
        for sequence in 0..2000 {
            // Nobody waits for these answers; the rows count nevertheless.
            journal.blocking_write(job(entry(sequence, 0)).0);
        }
    });
    writer.await.unwrap();
    sender.join().unwrap();
    assert_eq!(live.snapshot(0).clips, 2000);
    let rows: i64 =
        Connection::open(&path).unwrap().query_row("SELECT count(*) FROM clips", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 2000);
}
