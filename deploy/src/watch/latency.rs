//! Where the time goes: the latest rows' microseconds in each process.

use proto::v1::Row;

/// The processes in the order a clip passes them.
pub const HOPS: [&str; 3] = ["transmitter", "emulator", "receiver"];

/// Of one process, over the latest rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Half the rows took at most this long.
    pub median_us: u64,
    /// 95 % of them did.
    pub p95_us: u64,
}

/// Median and 95th percentile (of the nearest rank) for each of [`HOPS`]; `None` if no row has timings.
pub fn spreads(rows: &[Row]) -> Option<[Spread; 3]> {
    let timings: Vec<_> = rows.iter().filter_map(|row| row.timings).collect();
    if timings.is_empty() {
        return None;
    }
    Some([0, 1, 2].map(|hop| {
        let of = |t: &proto::v1::Timings| [t.transmitter_us, t.emulator_us, t.receiver_us][hop];
        let mut times: Vec<u64> = timings.iter().map(of).collect();
        times.sort_unstable();
        let rank = |percent: usize| times[(times.len() * percent).div_ceil(100).saturating_sub(1)];
        Spread { median_us: rank(50), p95_us: rank(95) }
    }))
}

/// Three digits and a unit.
pub fn show(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000 => format!("{:.2} ms", us as f64 / 1e3),
        10_000..100_000 => format!("{:.1} ms", us as f64 / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", us as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} s", us as f64 / 1e6),
        _ => "> 999 s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1::Timings;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let row = |n| Row {
            timings: Some(Timings { transmitter_us: n, emulator_us: 10 * n, receiver_us: 7 }),
            ..Row::default()
        };
        let rows: Vec<Row> = (1..=20).rev().map(row).chain([Row::default()]).collect();
        let [transmitter, emulator, receiver] = spreads(&rows).unwrap();
        assert_eq!(transmitter, Spread { median_us: 10, p95_us: 19 });
        assert_eq!(emulator, Spread { median_us: 100, p95_us: 190 });
        assert_eq!(receiver, Spread { median_us: 7, p95_us: 7 });
        assert_eq!(spreads(&[Row::default()]), None);
        assert_eq!(spreads(&[row(5)]).unwrap()[0], Spread { median_us: 5, p95_us: 5 });
    }

    #[test]
    fn times_are_short() {
        let shown = [0, 999, 1234, 45_678, 456_789, u64::MAX].map(show);
        assert_eq!(shown, ["0 µs", "999 µs", "1.23 ms", "45.7 ms", "457 ms", "> 999 s"]);
    }
}
