//! A trace: live conditions that follow a file.

use crate::live::Live;
use anyhow::{Context, anyhow, ensure};
use phy::{ChannelName, Conditions, SnrDb};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Of a file: more than a day at ten steps a second.
const MAX_BYTES: u64 = 16 << 20;
/// Times at most, in seconds: 30 years.
const MAX_SECONDS: f64 = 1e9;
/// The shortest trace that may be repeated; the clock ticks in milliseconds.
const MIN_PERIOD: Duration = Duration::from_millis(1);

/// When a trace's time 0 is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TraceStart {
    /// When the emulator begins to serve.
    #[default]
    Serve,
    /// When it relays its first burst, which meets the first row.
    FirstBurst,
}

/// Conditions over time: each step holds from its time to that of the next, the last one for good.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Never empty; the first is at 0, times ascend.
    steps: Vec<(Duration, Conditions)>,
    /// After so long it begins again.
    period: Option<Duration>,
    start: TraceStart,
}

impl Trace {
    /// Reads a file: a header `time_s,snr_db[,channel[,k_factor]]`, then rows whose times ascend from 0. What a row leaves
    /// empty stays as it was in the row before, in the first row as in `initial`. A channel is named as on the command
    /// line, such as `rician:4`, or `rician` with a K factor in its own column.
    ///
    /// With `repeated`, the last row ends the period: at its time the trace begins again, so its values never hold.
    ///
    /// # Errors
    /// If there is no such file, or names the first line that is wrong.
    pub fn load(file: &Path, initial: &Conditions, repeated: bool, start: TraceStart) -> anyhow::Result<Trace> {
        let named = || format!("the SNR trace {}", file.display());
        let source = File::open(file).with_context(|| format!("cannot open {}", named()))?;
        let mut steps = read(source, initial).with_context(named)?;
        let period = match repeated {
            false => None,
            true => {
                let (end, _) = steps.pop().filter(|_| !steps.is_empty()).ok_or_else(|| {
                    anyhow!("{}: a trace that is repeated needs a second row, whose time is its period", named())
                })?;
                ensure!(end >= MIN_PERIOD, "{}: the period must be at least {MIN_PERIOD:?}, got {end:?}", named());
                Some(end)
            }
        };
        Ok(Trace { steps, period, start })
    }

    /// The conditions at its beginning.
    pub fn first(&self) -> Conditions {
        self.steps[0].1
    }

    /// Drives `live` until the last step; for ever if it is repeated.
    pub async fn drive(self, live: Live) {
        live.set_driven(true);
        if self.start == TraceStart::FirstBurst {
            live.first_met().await;
        }
        tracing::info!(steps = self.steps.len(), period = ?self.period, "the SNR trace begins");
        let mut begin = Instant::now();
        // The first step is in force already.
        let mut skipped = 1;
        loop {
            for (time, conditions) in &self.steps[skipped..] {
                sleep_until(begin + *time).await;
                tracing::debug!(%conditions, "a step of the SNR trace");
                live.set(*conditions);
            }
            let Some(period) = self.period else { break };
            begin += period;
            skipped = 0;
        }
        live.set_driven(false);
        tracing::info!(conditions = %live.get(), "the SNR trace has ended");
    }
}

fn read(source: impl Read, initial: &Conditions) -> anyhow::Result<Vec<(Duration, Conditions)>> {
    let mut text = String::new();
    let read = source.take(MAX_BYTES + 1).read_to_string(&mut text)? as u64;
    ensure!(read <= MAX_BYTES, "at most {} MiB are accepted", MAX_BYTES >> 20);
    // Spreadsheets begin their files with a mark.
    let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines().zip(1..);
    let mut rows = lines.filter(|(line, _)| !line.trim().is_empty());
    let (header, number) = rows.next().unwrap_or(("", 1));
    let columns = columns(&fields(header)).with_context(|| format!("line {number}"))?;
    let mut steps: Vec<(Duration, Conditions)> = Vec::new();
    for (row, number) in rows {
        let last = steps.last();
        let step = step(&fields(row), columns, last.map(|step| step.0), last.map_or(initial, |step| &step.1));
        steps.push(step.with_context(|| format!("line {number}"))?);
    }
    ensure!(!steps.is_empty(), "expected at least one row below the header, got none");
    Ok(steps)
}

fn fields(line: &str) -> Vec<&str> {
    line.split(',').map(|field| field.trim().trim_matches('"')).collect()
}

/// How many columns there are, of those that may be.
fn columns(names: &[&str]) -> anyhow::Result<usize> {
    let known = ["time_s", "snr_db", "channel", "k_factor"];
    let expected = "expected the header time_s,snr_db[,channel[,k_factor]]";
    ensure!(names.len() >= 2 && known.starts_with(names), "{expected}, got `{}`", shown(&names.join(",")));
    Ok(names.len())
}

fn step(
    row: &[&str],
    columns: usize,
    last: Option<Duration>,
    current: &Conditions,
) -> anyhow::Result<(Duration, Conditions)> {
    ensure!(row.len() == columns, "expected {columns} fields, got {}", row.len());
    let field = |index: usize| row.get(index).copied().filter(|text| !text.is_empty());
    let number = |name: &str, text: &str| -> anyhow::Result<f64> {
        text.parse().map_err(|_| anyhow!("{name}: expected a number, got `{}`", shown(text)))
    };
    let seconds = number("time_s", field(0).context("time_s is missing")?)?;
    ensure!((0.0..=MAX_SECONDS).contains(&seconds), "time_s: expected 0 to {MAX_SECONDS} s, got {seconds}");
    let time = Duration::from_secs_f64(seconds);
    match last {
        None => ensure!(time.is_zero(), "time_s: the first row is at 0, got {seconds}"),
        Some(last) => ensure!(time > last, "time_s: {seconds} does not come after {}", last.as_secs_f64()),
    }
    let snr = field(1).map(|text| anyhow::Ok(SnrDb::try_from(number("snr_db", text)?)?)).transpose()?;
    let channel = field(2).map(|text| ChannelName::from_str(&shown(text))).transpose()?;
    let k_factor = field(3).map(|text| number("k_factor", text)).transpose()?;
    let channel = channel.unwrap_or(ChannelName::from(current.kind()));
    Ok((time, channel.change(current, snr, k_factor)?))
}

/// Enough of what came to recognise it.
fn shown(text: &str) -> String {
    text.chars().take(60).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL: &str = "rayleigh 12 dB";

    fn initial() -> Conditions {
        Conditions::Rayleigh(SnrDb::try_from(12.0).unwrap())
    }

    fn trace(text: &str, repeated: bool) -> anyhow::Result<Trace> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Trace::load(file.path(), &initial(), repeated, TraceStart::Serve)
    }

    fn steps(trace: &Trace) -> Vec<(u128, String)> {
        trace.steps.iter().map(|(time, conditions)| (time.as_millis(), conditions.to_string())).collect()
    }

    #[test]
    fn rows_inherit_what_they_leave_out() {
        assert_eq!(initial().to_string(), INITIAL);
        let text = "time_s,snr_db,channel,k_factor\n0,,,\n0.5,-6,,\n 1 , 3 ,awgn,\n2.25,,rician,4\n3,0,,\n4,,none,\n";
        let got = steps(&trace(text, false).unwrap());
        let expected = [
            (0, "rayleigh 12 dB"),
            (500, "rayleigh -6 dB"),
            (1000, "awgn 3 dB"),
            (2250, "rician:4 3 dB"),
            (3000, "rician:4 0 dB"),
            (4000, "none"),
        ];
        assert_eq!(got, expected.map(|(time, text)| (time, text.to_owned())));
    }

    #[test]
    fn a_channel_has_the_names_of_the_command_line() {
        let text = "time_s,snr_db,channel,k_factor\n0,3,rician:4,\n1,,,\n2,,rician,2\n3,,rician:0,\n4,,awgn,\n";
        let got: Vec<String> = steps(&trace(text, false).unwrap()).into_iter().map(|(_, text)| text).collect();
        assert_eq!(got, ["rician:4 3 dB", "rician:4 3 dB", "rician:2 3 dB", "rician:0 3 dB", "awgn 3 dB"]);
        let short = trace("time_s,snr_db,channel\n0,3,rician:4\n1,0,\n", false).unwrap();
        assert_eq!(steps(&short)[1].1, "rician:4 0 dB");
    }

    #[test]
    fn the_last_row_of_a_repeated_trace_is_its_period() {
        let trace = trace("time_s,snr_db\n0,1\n0.5,2\n2,1\n", true).unwrap();
        assert_eq!((steps(&trace).len(), trace.period), (2, Some(Duration::from_secs(2))));
        assert_eq!(trace.first().to_string(), "rayleigh 1 dB");
    }

    #[test]
    fn what_is_wrong_is_named_by_line() {
        for (text, repeated, expected) in [
            ("", false, "line 1: expected the header"),
            ("snr_db,time_s\n0,1\n", false, "line 1: expected the header time_s,snr_db"),
            ("time_s,snr_db\n", false, "at least one row"),
            ("time_s,snr_db\n1,2\n", false, "line 2: time_s: the first row is at 0, got 1"),
            ("time_s,snr_db\n0,2\n1,3\n1,4\n", false, "line 4: time_s: 1 does not come after 1"),
            ("time_s,snr_db\n0,2\n-1,3\n", false, "line 3: time_s: expected 0 to"),
            ("time_s,snr_db\n0,2\nnan,3\n", false, "line 3: time_s: expected 0 to"),
            ("time_s,snr_db\n0,2\n1e300,3\n", false, "line 3: time_s: expected 0 to"),
            ("time_s,snr_db\n0,2\nsoon,3\n", false, "line 3: time_s: expected a number, got `soon`"),
            ("time_s,snr_db\n0,2\n,3\n", false, "line 3: time_s is missing"),
            ("time_s,snr_db\n0,2\n\n1,inf\n", false, "line 4"),
            ("time_s,snr_db\n0,2\n1,999\n", false, "line 3"),
            ("time_s,snr_db\n0,2\n1\n", false, "line 3: expected 2 fields, got 1"),
            ("time_s,snr_db,channel\n0,2,foggy\n", false, "line 2"),
            ("time_s,snr_db,channel\n0,2,rician\n", false, "line 2: channel rician needs a K factor"),
            ("time_s,snr_db,channel\n0,2,none\n", false, "line 2"),
            ("time_s,snr_db,channel\n0,2,awgn:4\n", false, "line 2: channel awgn has no K factor, got 4"),
            ("time_s,snr_db,channel,k_factor\n0,2,rician:4,4\n", false, "line 2: rician:4 names a K factor, and 4"),
            ("time_s,snr_db\n0,\u{fffd}\n", false, "line 2"),
            ("time_s,snr_db,k_factor\n0,2,3\n", false, "line 1: expected the header"),
            ("time_s,snr_db\n0,2\n", true, "second row"),
            ("time_s,snr_db\n0,2\n0.0001,2\n", true, "period"),
        ] {
            let error = format!("{:#}", trace(text, repeated).expect_err(text));
            assert!(error.contains(expected) && error.contains("the SNR trace"), "{text:?}: {error}");
        }
        let absent = Trace::load(Path::new("/nowhere/trace.csv"), &initial(), false, TraceStart::Serve).unwrap_err();
        assert!(format!("{absent:#}").contains("/nowhere/trace.csv"));
    }

    /// The changes of `live` as they come, each with the time since the beginning.
    async fn changes(live: &Live, count: usize) -> Vec<(Duration, Option<f64>)> {
        let (mut watch, begin) = (live.watch(), Instant::now());
        let mut seen = Vec::new();
        while seen.len() < count {
            tokio::time::timeout(Duration::from_secs(30), watch.changed()).await.expect("a step").unwrap();
            seen.push((begin.elapsed(), watch.borrow_and_update().conditions.snr_db().map(SnrDb::db)));
        }
        seen
    }

    // The runtime has one thread: whoever watches sees each change before the next can come.
    #[tokio::test]
    async fn steps_come_in_order_and_not_before_their_times_and_the_last_holds() {
        let live = Live::new(initial());
        let trace = trace("time_s,snr_db\n0,12\n0.02,2\n0.05,-3\n", false).unwrap();
        let (seen, ()) = tokio::join!(changes(&live, 2), trace.drive(live.clone()));
        assert_eq!([seen[0].1, seen[1].1], [Some(2.0), Some(-3.0)]);
        assert!(seen[0].0.as_millis() >= 19 && seen[1].0.as_millis() >= 49, "{seen:?}");
        assert_eq!((live.get().snr_db().map(SnrDb::db), live.is_driven()), (Some(-3.0), false));
    }

    #[tokio::test]
    async fn a_repeated_trace_begins_again_and_wins_over_others() {
        let live = Live::new(initial());
        let trace = trace("time_s,snr_db\n0,12\n0.02,2\n0.05,99\n", true).unwrap();
        let driving = tokio::spawn(trace.drive(live.clone()));
        let seen = changes(&live, 4).await;
        assert_eq!(seen.iter().map(|(_, snr)| snr.unwrap()).collect::<Vec<_>>(), [2.0, 12.0, 2.0, 12.0]);
        assert!(seen[3].0.as_millis() >= 99, "{seen:?}");
        live.set(Conditions::None);
        assert!(live.is_driven());
        assert_eq!(changes(&live, 1).await[0].1, Some(2.0), "what somebody set holds until the next step");
        driving.abort();
    }

    #[tokio::test]
    async fn time_may_start_with_the_first_burst() {
        let live = Live::new(initial());
        let trace = Trace { start: TraceStart::FirstBurst, ..trace("time_s,snr_db\n0,12\n0.001,2\n", false).unwrap() };
        let driving = tokio::spawn(trace.drive(live.clone()));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(live.meet().snr_db().map(SnrDb::db), Some(12.0));
        driving.await.unwrap();
        assert_eq!(live.meet().snr_db().map(SnrDb::db), Some(2.0));
    }
}
