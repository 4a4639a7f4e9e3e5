//! `--forever`: sends a split repeatedly, every round with the next draws of the channel.
//!
//! Memory is bounded: the clips, the rows of the rounds in progress, one mean for each point, and the distinct reasons
//! why clips were not predicted. Rounds overlap while they bring predictions. After a round that brings none, the next
//! one starts only when that round is answered and a growing pause has passed, see [`patience`].

use super::client::{Client, Feed, Item};
use super::pace::{Pace, Rate};
use super::patience;
use super::plan::{Part, Pass, Plan};
use super::problems::Problems;
use super::sweep::{Failure, Request, check_model, count, failure, prepared, row};
use super::totals::Totals;
use anyhow::{Result, bail};
use metrics::{Binary, ChannelUses, PredictionRow, Record};
use phy::Conditions;
use proto::v1::{Model, Outcome};
use runtime::Drain;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The result of all rounds.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// One record for each point: means over the rounds.
    pub records: Vec<Record>,
    /// Number of answered clips.
    pub clips: u64,
    /// Number of answered clips without a prediction.
    pub failed: u64,
    /// The first clip that was answered without a prediction.
    pub first_failure: Option<Failure>,
}

/// Sends the split of `request` repeatedly until `drain` starts. `line` is called with a line for every round, and with
/// one for every distinct reason why a clip was not predicted, when it first occurs. The draws of `request` are those
/// of the first round.
///
/// # Errors
/// Fails if the corpus lacks the split, there is nothing to send, or the transmitter refuses the stream for good.
pub(super) async fn send(
    request: &Request<'_>,
    rate: Option<Rate>,
    drain: &Drain,
    line: impl FnMut(String),
) -> Result<Sent> {
    let clips = prepared(request)?;
    if clips.is_empty() || request.draws.is_empty() {
        bail!("nothing to send: {} clips, draws {:?}", clips.len(), request.draws);
    }
    let mut client = Client::new(request.to);
    let model = tokio::select! {
        biased;
        () = drain.started() => return Ok(Sent::default()),
        model = client.model() => model?,
    };
    let mut pace = Pace::new(rate);
    let (closed, mut yields) = watch::channel(Yield::default());
    let feed = async |feed: Feed| {
        let mut part = Part::begin();
        for round in 0.. {
            let passes = passes(request.points, draws(&request.draws, round));
            let plan = Arc::new(Plan::new(part, clips.clone(), passes, Some(request.seed)));
            if !feed.plan(&plan, &mut pace, None).await {
                break;
            }
            part = plan.next_part();
            // The sender outlives this future.
            if let Ok(now) = yields.wait_for(|now| now.fruitful() || now.closed > round).await.map(|now| *now)
                && !now.fruitful()
            {
                tokio::time::sleep(now.pause).await;
            }
        }
        Ok(())
    };
    let mut rounds = Rounds::new(request, model, closed, line);
    let take = |item: Item, outcome| {
        rounds.take(&item.plan, item.sequence, outcome);
        Ok(())
    };
    client.stream(Some(drain), feed, take).await?;
    Ok(rounds.finish())
}

/// The draws of the round number `round` (from 0), given those of the first round. They start again only when the
/// numbers of a u32 are used up.
fn draws(first: &Range<u32>, round: u64) -> Range<u32> {
    let count = first.end - first.start;
    let numbers = u64::from(u32::MAX - count) + 1;
    let start = (u128::from(round) * u128::from(count) + u128::from(first.start)) % u128::from(numbers);
    // Less than `numbers`, which fits.
    let start = start as u32;
    start..start + count
}

fn passes(points: Option<&[Conditions]>, draws: Range<u32>) -> Vec<Pass> {
    match points {
        Some(points) => {
            points.iter().map(|point| Pass { conditions: Some(*point), draws: point.draws(draws.clone()) }).collect()
        }
        None => vec![Pass { conditions: None, draws }],
    }
}

/// Which of the closed rounds brought predictions.
#[derive(Clone, Copy, Debug, Default)]
struct Yield {
    /// Number of rounds of which every clip was answered.
    closed: u64,
    /// Number of consecutive latest closed rounds that brought no prediction.
    barren: u32,
    /// The pause before the next round, if the latest one brought no prediction.
    pause: Duration,
}

impl Yield {
    /// Whether the latest closed round brought a prediction, so that further rounds may start before earlier ones are
    /// answered.
    fn fruitful(&self) -> bool {
        self.closed > 0 && self.barren == 0
    }

    /// The value after one more closed round; `predicted` is whether it brought a prediction.
    fn with(self, predicted: bool) -> Yield {
        let barren = if predicted { 0 } else { self.barren.saturating_add(1) };
        let pause = if predicted { Duration::ZERO } else { patience::delay(barren) };
        Yield { closed: self.closed + 1, barren, pause }
    }
}

/// A round in progress.
struct Round {
    plan: Arc<Plan>,
    number: u64,
    began: Instant,
    rows: Vec<PredictionRow>,
    uses: ChannelUses,
    answered: u64,
    failed: u64,
}

/// All rounds. Few are in progress: together they have no more unanswered clips than the hop's window.
struct Rounds<'a, L> {
    request: &'a Request<'a>,
    model: Model,
    line: L,
    /// The rounds in progress, by their first sequence number.
    open: BTreeMap<u64, Round>,
    begun: u64,
    totals: Totals,
    problems: Problems,
    closed: watch::Sender<Yield>,
    sent: Sent,
}

impl<'a, L: FnMut(String)> Rounds<'a, L> {
    fn new(request: &'a Request<'a>, model: Model, closed: watch::Sender<Yield>, line: L) -> Self {
        Rounds {
            request,
            model,
            line,
            open: BTreeMap::new(),
            begun: 0,
            totals: Totals::default(),
            problems: Problems::default(),
            closed,
            sent: Sent::default(),
        }
    }

    fn take(&mut self, plan: &Arc<Plan>, sequence: u64, outcome: Outcome) {
        if let Err(changed) = check_model(&self.model, &outcome) {
            // Results of two models must not be mixed in one table, but an endless stream may outlive a model.
            (self.line)(format!("{changed}; counting starts again"));
            self.model.model_id = outcome.model_id.clone();
            self.totals = Totals::default();
            for round in self.open.values_mut() {
                round.rows.clear();
                round.uses = ChannelUses::default();
            }
        }
        let first = plan.numbers().start;
        let round = self.open.entry(first).or_insert_with(|| {
            self.begun += 1;
            let (plan, began) = (plan.clone(), Instant::now());
            let (rows, uses) = (Vec::new(), ChannelUses::default());
            Round { plan, number: self.begun, began, rows, uses, answered: 0, failed: 0 }
        });
        round.answered += 1;
        let (shot, symbols) = (plan.shot(sequence), outcome.symbols);
        match row(plan, shot, outcome) {
            Ok(row) => {
                count(&mut round.uses, &row, symbols);
                round.rows.push(row);
            }
            Err(reason) => {
                round.failed += 1;
                let failure = failure(plan, shot, reason);
                if let Some(said) = self.problems.add(&failure) {
                    (self.line)(said);
                }
                self.sent.first_failure.get_or_insert(failure);
            }
        }
        if round.answered == plan.len()
            && let Some(round) = self.open.remove(&first)
        {
            let now = self.closed.borrow().with(round.failed < round.answered);
            let pause = if now.fruitful() {
                String::new()
            } else {
                format!("; the next round starts in {:.1} s", now.pause.as_secs_f64())
            };
            (self.line)(summary(&round) + &pause);
            self.close(round);
            self.closed.send_replace(now);
        }
    }

    fn close(&mut self, round: Round) {
        let mut records = metrics::records(&round.rows, &self.request.context(&self.model), None);
        round.uses.fill(&mut records);
        self.totals.add(records, round.answered == round.plan.len());
        self.sent.clips += round.answered;
        self.sent.failed += round.failed;
    }

    /// Closes the rounds that were cut short and returns the result of all rounds.
    fn finish(mut self) -> Sent {
        for round in std::mem::take(&mut self.open).into_values() {
            self.close(round);
        }
        for counted in self.problems.counts() {
            (self.line)(counted);
        }
        Sent { records: self.totals.records(), ..self.sent }
    }
}

/// A round in one line of text, over all its points together.
fn summary(round: &Round) -> String {
    let pairs = || round.rows.iter().map(|row| (&row.prediction, row.label));
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    let rate = round.answered as f64 / round.began.elapsed().as_secs_f64().max(1e-9);
    format!(
        "round {}: {} clips, Acc-2 pos {}, nonneg {}, {} not predicted, {rate:.1} a second",
        round.number,
        round.answered,
        number(Binary::pos(pairs()).accuracy()),
        number(Binary::nonneg(pairs()).accuracy()),
        round.failed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_go_on_from_round_to_round_and_never_leave_their_range() {
        assert_eq!([0, 1, 2].map(|round| draws(&(4..7), round)), [4..7, 7..10, 10..13]);
        for round in [u64::from(u32::MAX) - 1, u64::from(u32::MAX), u64::MAX] {
            let draws = draws(&(5..9), round);
            assert_eq!(draws.end - draws.start, 4, "{draws:?}");
        }
    }
}
