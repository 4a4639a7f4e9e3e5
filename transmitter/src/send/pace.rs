//! Limits the rate at which clips are sent.

use std::str::FromStr;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A rate in clips per second, from 0.001 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

/// The error that a text is not a valid [`Rate`]; holds the text.
#[derive(Debug, thiserror::Error)]
#[error("expected clips a second, from 0.001 to 1000000, got `{0}`")]
pub struct RateError(String);

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let rate: Option<f64> = text.parse().ok();
        rate.filter(|rate| (1e-3..=1e6).contains(rate)).map(Rate).ok_or_else(|| RateError(text.to_owned()))
    }
}

/// Lets clips through at a steady rate, or at once if there is no rate.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Option<Duration>,
    next: Instant,
}

/// Longest delay that is made up for by sending faster, after a disconnection for instance: the link should get a
/// steady rate, not a burst.
const CATCH_UP: Duration = Duration::from_secs(1);

impl Pace {
    pub fn new(rate: Option<Rate>) -> Pace {
        Pace { interval: rate.map(|Rate(rate)| Duration::from_secs_f64(1.0 / rate)), next: Instant::now() }
    }

    /// Waits until the next clip is due. Safe to cancel.
    pub async fn wait(&mut self) {
        let Some(interval) = self.interval else { return };
        sleep_until(self.next).await;
        self.next = following(self.next, interval, Instant::now());
    }
}

/// When the next clip is due, after one that was due at `due` and is sent at `now`.
fn following(due: Instant, interval: Duration, now: Instant) -> Instant {
    (due + interval).max(now.checked_sub(CATCH_UP).unwrap_or(due))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_checked() {
        assert_eq!("50".parse::<Rate>().unwrap(), Rate(50.0));
        for text in ["0", "-1", "nan", "inf", "1e9", "fast", ""] {
            assert!(text.parse::<Rate>().unwrap_err().to_string().contains(&format!("`{text}`")));
        }
    }

    #[tokio::test]
    async fn a_pace_is_no_faster_than_its_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(Rate(100.0)));
        for _ in 0..20 {
            pace.wait().await;
        }
        // The first clip is sent at once.
        assert!(start.elapsed() >= Duration::from_millis(190), "{:?}", start.elapsed());
    }

    #[test]
    fn a_short_delay_is_made_up_for_and_a_long_one_is_not() {
        let (due, interval) = (Instant::now(), Duration::from_millis(10));
        assert_eq!(following(due, interval, due + CATCH_UP / 2), due + interval);
        let late = due + Duration::from_secs(60);
        assert_eq!(following(due, interval, late), late - CATCH_UP);
    }
}
