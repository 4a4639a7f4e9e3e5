//! Which picture is on at each time asked for.

use crate::mp4::Track;

/// One frame that is wanted: its time in seconds, and the place in the order of showing of the picture that is on then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    pub time_s: f64,
    pub picture: usize,
}

/// The pictures on at 0, 1/rate, 2/rate … seconds by the edit list. Before the first picture of a video the first is
/// on, but in an empty edit none.
pub fn wanted(track: &Track, rate_hz: f64) -> Vec<Wanted> {
    let mut shown: Vec<i64> = track.samples.iter().map(|s| s.shown).collect();
    shown.sort_unstable();
    let edit = track.edit.unwrap_or_default();
    let end = track.seconds();
    let times = (0..).map(|k| f64::from(k) / rate_hz).take_while(|&t| t < end - 1e-9);
    let on = times.filter(|&t| t >= edit.empty_s - 1e-9).map(|time_s| {
        let ticks = edit.start as f64 + (time_s - edit.empty_s) * f64::from(track.ticks_per_s);
        let after = shown.partition_point(|&s| s as f64 <= ticks + 1e-6);
        Wanted { time_s, picture: after.saturating_sub(1) }
    });
    on.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mp4::{Codec, Edit, Sample};

    /// Pictures at 10 Hz, two of them out of order, the first due at tick 200 of 1000.
    fn track(edit: Option<Edit>) -> Track {
        let shown = [200, 400, 300, 500];
        let samples = shown.map(|shown| Sample { shown, ticks: 100, ..Sample::default() }).to_vec();
        Track { codec: Codec::Mpeg, ticks_per_s: 1_000, edit, samples, turns: 0 }
    }

    fn pictures(edit: Option<Edit>, rate_hz: f64) -> Vec<usize> {
        wanted(&track(edit), rate_hz).iter().map(|w| w.picture).collect()
    }

    #[test]
    fn the_edit_list_shifts_cuts_and_waits() {
        assert_eq!(pictures(None, 10.0), [0, 0, 0, 1, 2, 3]);
        let edit = Edit { empty_s: 0.0, start: 200, seconds: None };
        assert_eq!(pictures(Some(edit), 10.0), [0, 1, 2, 3]);
        assert_eq!(pictures(Some(edit), 5.0), [0, 2]);
        assert_eq!(pictures(Some(Edit { seconds: Some(0.25), ..edit }), 10.0), [0, 1, 2]);
        let late = wanted(&track(Some(Edit { empty_s: 0.25, ..edit })), 10.0);
        assert_eq!((late[0].time_s, late[0].picture), (0.3, 0));
        assert_eq!(late.len(), 4);
    }
}
