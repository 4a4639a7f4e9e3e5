//! One row of the journal: written to SQL and read back, bit for bit.

use super::JournalError;
use crate::accuracy::Verdict;
use crate::refusal::Refusal;
use metrics::Prediction;
use proto::v1::{self, ChannelKind, ChannelReport, Conditions, Row, Tally, Timings};
use rusqlite::Error::FromSqlConversionFailure;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use wire::Delivery;
use wire::convert::prediction_to_wire;

/// The receiver's answer to a burst: what the journal stores and the acknowledgement carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The decoded distribution over the score.
    pub prediction: Prediction,
    /// The channel emulator's report on the burst: conditions, h, noise variance and realised SNR. Its `conditions` are
    /// always `Some`.
    pub channel: ChannelReport,
    /// Microseconds that the burst spent in each process.
    pub timings: Timings,
}

impl Answer {
    /// The answer as a message of the wire, with `symbols` absent: the journal keeps none.
    pub fn to_wire(&self) -> v1::Answer {
        v1::Answer {
            prediction: Some(prediction_to_wire(&self.prediction)),
            channel: Some(self.channel),
            timings: Some(self.timings),
            symbols: None,
        }
    }
}

/// A decoded burst as a row of the journal, to be written or read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The delivery key of the clip; the journal holds one row per key.
    pub delivery: Delivery,
    /// The client's identifier of the clip; empty if it gave none.
    pub clip_id: String,
    /// The reference label in [−3, 3]; `None` if the clip has no label.
    pub label: Option<f32>,
    /// The transcript of the clip, shown to people who watch; empty if there is none.
    pub caption: String,
    /// When the row was committed, in milliseconds since 1970; set by the journal's writer.
    pub written_at_ms: u64,
    /// The answer that the row stores.
    pub answer: Answer,
}

impl Entry {
    /// Which decisions of the prediction agree with the label; `None` if there is no label.
    pub fn verdict(&self) -> Option<Verdict> {
        self.label.map(|label| Verdict::of(&self.answer.prediction, label))
    }

    /// The reply of a receiver that serves the model `ours` to this entry's delivery key, which the model `theirs`
    /// answered first.
    ///
    /// # Errors
    /// Fails with [`JournalError::OtherModel`] if the two models differ.
    pub fn answer_for(self, ours: &str, theirs: String) -> Result<Answer, Refusal> {
        match theirs == ours {
            true => Ok(self.answer),
            false => Err(JournalError::OtherModel { delivery: self.delivery, theirs, ours: ours.to_owned() }.into()),
        }
    }

    /// The entry as the wire's `Row`, for watchers.
    pub fn row(&self) -> Row {
        Row {
            delivery: Some(self.delivery.to_wire()),
            clip_id: self.clip_id.clone(),
            label: self.label,
            prediction: Some(prediction_to_wire(&self.answer.prediction)),
            channel: Some(self.answer.channel),
            caption: self.caption.clone(),
            timings: Some(self.answer.timings),
            written_at_ms: self.written_at_ms,
        }
    }

    /// Replaces −0 by 0 in all numbers of the answer. The sign of zero is the only bit that the wire or SQLite may
    /// lose; without it, the first answer and a repeated one have the same bits.
    pub fn normalise(&mut self) {
        let Answer { prediction, channel, .. } = &mut self.answer;
        let Prediction { p_neg, p_zero, p_pos, score, .. } = prediction;
        for value in [p_neg, p_zero, p_pos, score, &mut channel.h_re, &mut channel.h_im, &mut channel.n0] {
            *value += 0.0;
        }
        let conditions = channel.conditions.get_or_insert_default();
        for value in
            [&mut conditions.snr_db, &mut conditions.k_factor, &mut channel.realised_snr_db].into_iter().flatten()
        {
            *value += 0.0;
        }
    }
}

/// Inserts an entry as a row of the model `model_id`; returns `false`, and writes nothing, if its delivery key has a
/// row already.
pub fn insert(connection: &Connection, model_id: &str, entry: &Entry) -> rusqlite::Result<bool> {
    let Answer { prediction, channel, timings } = &entry.answer;
    let conditions = channel.conditions.unwrap_or_default();
    let verdict = entry.verdict();
    let mut statement = connection.prepare_cached(
        "INSERT INTO clips (run_id, sequence, clip_id, label, model_id, p_neg, p_zero, p_pos, score, classes,
             channel, snr_db, k_factor, h_re, h_im, n0, realised_snr_db, transmitter_us, emulator_us, receiver_us,
             sign_correct, nonneg_correct, class_correct, absolute_error, written_at_ms, caption)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
             ?23, ?24, ?25, ?26)
         ON CONFLICT (run_id, sequence) DO NOTHING",
    )?;
    let rows = statement.execute(params![
        entry.delivery.run.to_string(),
        sql_sequence(entry.delivery),
        entry.clip_id,
        entry.label,
        model_id,
        prediction.p_neg,
        prediction.p_zero,
        prediction.p_pos,
        prediction.score,
        prediction.classes.iter().flat_map(|p| p.to_le_bytes()).collect::<Vec<u8>>(),
        kind_name(conditions.kind),
        conditions.snr_db,
        conditions.k_factor,
        channel.h_re,
        channel.h_im,
        channel.n0,
        channel.realised_snr_db,
        timings.transmitter_us as i64,
        timings.emulator_us as i64,
        timings.receiver_us as i64,
        verdict.and_then(|verdict| verdict.sign_correct),
        verdict.map(|verdict| verdict.nonneg_correct),
        verdict.map(|verdict| verdict.class_correct),
        verdict.map(|verdict| verdict.absolute_error),
        entry.written_at_ms as i64,
        entry.caption,
    ])?;
    Ok(rows == 1)
}

const COLUMNS: &str = "run_id, sequence, clip_id, label, p_neg, p_zero, p_pos, score, classes, channel, snr_db, \
     k_factor, h_re, h_im, n0, realised_snr_db, transmitter_us, emulator_us, receiver_us, model_id, \
     written_at_ms, caption";

/// The entry of a delivery key and the id of the model that answered it; `None` if the key has no row.
pub fn find(connection: &Connection, delivery: Delivery) -> rusqlite::Result<Option<(Entry, String)>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM clips WHERE run_id = ?1 AND sequence = ?2"))?;
    statement
        .query_row(params![delivery.run.to_string(), sql_sequence(delivery)], |row| {
            Ok((read(row)?, row.get("model_id")?))
        })
        .optional()
}

/// The newest `limit` entries of the model `model_id`, oldest first.
pub fn latest(connection: &Connection, model_id: &str, limit: usize) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM clips WHERE model_id = ?1 ORDER BY id DESC LIMIT ?2"))?;
    let mut entries = statement.query_map(params![model_id, limit as i64], read)?.collect::<Result<Vec<_>, _>>()?;
    entries.reverse();
    Ok(entries)
}

/// The counts over all rows of the model `model_id`: one tally for each different channel conditions. The counts of
/// distinct clips are left at 0.
pub fn tallies(connection: &Connection, model_id: &str) -> rusqlite::Result<Vec<Tally>> {
    let mut statement = connection.prepare_cached(
        "SELECT channel, snr_db, k_factor, count(*) AS clips, count(label) AS labelled, count(sign_correct) AS signed,
             ifnull(sum(sign_correct), 0) AS sign_correct, ifnull(sum(nonneg_correct), 0) AS nonneg_correct,
             ifnull(sum(class_correct), 0) AS class_correct, total(absolute_error) AS absolute_error,
             total(absolute_error * absolute_error) AS squared_error,
             count(*) FILTER (WHERE label > 0) AS positive,
             count(*) FILTER (WHERE label > 0 AND sign_correct) AS positive_correct,
             count(*) FILTER (WHERE label >= 0) AS nonneg,
             count(*) FILTER (WHERE label >= 0 AND nonneg_correct) AS nonneg_met
         FROM clips WHERE model_id = ?1 GROUP BY channel, snr_db, k_factor",
    )?;
    let rows = statement.query_map(params![model_id], |row| {
        let count = |name: &str| row.get::<_, i64>(name).map(|count| count as u64);
        Ok(Tally {
            conditions: Some(conditions(row)?),
            clips: count("clips")?,
            labelled: count("labelled")?,
            signed: count("signed")?,
            sign_correct: count("sign_correct")?,
            nonneg_correct: count("nonneg_correct")?,
            class_correct: count("class_correct")?,
            absolute_error: row.get("absolute_error")?,
            squared_error: row.get("squared_error")?,
            positive: count("positive")?,
            positive_correct: count("positive_correct")?,
            nonneg: count("nonneg")?,
            nonneg_met: count("nonneg_met")?,
            ..Tally::default()
        })
    })?;
    rows.collect()
}

/// Calls `seen` with the conditions, the clip identifier and the label of every labelled row of the model `model_id`.
pub fn clips(
    connection: &Connection,
    model_id: &str,
    mut seen: impl FnMut(&Conditions, &str, f32),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT channel, snr_db, k_factor, clip_id, label FROM clips WHERE model_id = ?1 AND label IS NOT NULL",
    )?;
    let mut rows = statement.query(params![model_id])?;
    while let Some(row) = rows.next()? {
        let clip_id = row.get_ref("clip_id")?.as_str()?;
        seen(&conditions(row)?, clip_id, row.get("label")?);
    }
    Ok(())
}

/// The identifiers of all models other than `model_id` that have rows, with their numbers of rows.
pub fn other_models(connection: &Connection, model_id: &str) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut statement =
        connection.prepare_cached("SELECT model_id, count(*) FROM clips WHERE model_id <> ?1 GROUP BY model_id")?;
    statement.query_map(params![model_id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    let mut classes = [0f32; 7];
    let bytes: Vec<u8> = row.get("classes")?;
    for (class, bytes) in classes.iter_mut().zip(bytes.chunks_exact(4)) {
        *class = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    let micros = |name: &str| row.get::<_, i64>(name).map(|us| us as u64);
    Ok(Entry {
        delivery: delivery(row)?,
        clip_id: row.get("clip_id")?,
        label: row.get("label")?,
        caption: row.get("caption")?,
        written_at_ms: row.get::<_, i64>("written_at_ms")? as u64,
        answer: Answer {
            prediction: Prediction {
                p_neg: row.get("p_neg")?,
                p_zero: row.get("p_zero")?,
                p_pos: row.get("p_pos")?,
                classes,
                score: row.get("score")?,
            },
            channel: ChannelReport {
                conditions: Some(conditions(row)?),
                h_re: row.get("h_re")?,
                h_im: row.get("h_im")?,
                n0: row.get("n0")?,
                realised_snr_db: row.get("realised_snr_db")?,
            },
            timings: Timings {
                transmitter_us: micros("transmitter_us")?,
                emulator_us: micros("emulator_us")?,
                receiver_us: micros("receiver_us")?,
            },
        },
    })
}

fn delivery(row: &rusqlite::Row<'_>) -> rusqlite::Result<Delivery> {
    let run: String = row.get("run_id")?;
    let run = run.parse().map_err(|error| FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
    Ok(Delivery { run, sequence: row.get::<_, i64>("sequence")? as u64 })
}

/// The sequence number of a delivery key as a signed integer of SQLite, with the same 64 bits.
fn sql_sequence(delivery: Delivery) -> i64 {
    delivery.sequence as i64
}

fn conditions(row: &rusqlite::Row<'_>) -> rusqlite::Result<Conditions> {
    let name: String = row.get("channel")?;
    Ok(Conditions { kind: kind_of(&name), snr_db: row.get("snr_db")?, k_factor: row.get("k_factor")? })
}

const KINDS: [(ChannelKind, &str); 4] = [
    (ChannelKind::None, "none"),
    (ChannelKind::Awgn, "awgn"),
    (ChannelKind::Rayleigh, "rayleigh"),
    (ChannelKind::Rician, "rician"),
];

fn kind_name(kind: i32) -> &'static str {
    KINDS.iter().find(|(known, _)| *known as i32 == kind).map_or("unspecified", |(_, name)| name)
}

fn kind_of(name: &str) -> i32 {
    KINDS.iter().find(|(_, known)| *known == name).map_or(ChannelKind::Unspecified, |(kind, _)| *kind) as i32
}
