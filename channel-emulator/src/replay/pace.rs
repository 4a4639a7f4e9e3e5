//! So many bursts a second.

use std::str::FromStr;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How far a pace makes up for lost time: after a longer stall it goes on from where it is.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Bursts a second, positive. Parses on the command line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate = text.parse::<f64>().map_err(|error| error.to_string())?;
        match (1e-3..=1e6).contains(&rate) {
            true => Ok(Rate(rate)),
            false => Err("expected 0.001 to 1000000 bursts a second".into()),
        }
    }
}

/// A schedule. The clock wakes in milliseconds: what falls into one goes out at once, and the average is kept.
pub struct Pace {
    rate: Option<Rate>,
    begin: Instant,
    /// Since `begin`.
    bursts: u64,
}

impl Pace {
    /// Begins now; without a rate nothing waits.
    pub fn new(rate: Option<Rate>) -> Pace {
        Pace { rate, begin: Instant::now(), bursts: 0 }
    }

    /// Waits until the next burst is due. Safe to cancel.
    pub async fn next(&mut self) {
        let Some(Rate(rate)) = self.rate else { return };
        let due = self.begin + Duration::from_secs_f64(self.bursts as f64 / rate);
        let now = Instant::now();
        if due > now {
            sleep_until(due).await;
        } else if now - due > CATCH_UP {
            (self.begin, self.bursts) = (now, 0);
        }
        self.bursts += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_checked() {
        assert_eq!("2500".parse(), Ok(Rate(2500.0)));
        for text in ["0", "-1", "nan", "inf", "1e9", "fast"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn nothing_goes_out_early_and_a_long_stall_is_not_made_up_for() {
        let mut pace = Pace::new(Some(Rate(5000.0)));
        let begin = pace.begin;
        for burst in 0..500 {
            pace.next().await;
            assert!(begin.elapsed() >= Duration::from_micros(200 * burst), "burst {burst}");
        }
        pace.begin -= Duration::from_secs(60);
        let stalled = Instant::now();
        pace.next().await;
        for _ in 0..100 {
            pace.next().await;
        }
        assert!(stalled.elapsed() >= Duration::from_millis(19));
    }
}
