//! Modulation and coding schemes: the indices 0 to 28 of TS 38.214, table 5.1.3.1-1, QPSK to 64-QAM.

use fec::Qam;

/// The target code rates times 1024 by MCS index, `[29]` (TS 38.214, table 5.1.3.1-1).
const RATES: [u16; 29] = [
    120, 157, 193, 251, 308, 379, 449, 526, 602, 679, 340, 378, 434, 490, 553, 616, 658, 438, 466, 517, 567, 616, 666,
    719, 772, 822, 873, 910, 948,
];

/// A modulation and coding scheme (MCS), an index I_MCS 0 … 28 of TS 38.214, table 5.1.3.1-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mcs(u8);

/// The number, given here, is not an MCS index 0 … 28.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("modulation and coding schemes are 0 to 28, got {0}")]
pub struct McsError(u8);

impl Mcs {
    /// The MCS set of link adaptation: 11 of the 29 MCSs, whose SNR thresholds are 1.1 to 2.4 dB apart, ascending.
    pub const LADDER: [Mcs; 11] =
        [Mcs(0), Mcs(2), Mcs(4), Mcs(6), Mcs(8), Mcs(11), Mcs(14), Mcs(18), Mcs(21), Mcs(24), Mcs(27)];

    /// The MCS with the index `index`.
    ///
    /// # Errors
    /// If `index` is above 28.
    pub fn new(index: u8) -> Result<Self, McsError> {
        if usize::from(index) < RATES.len() { Ok(Mcs(index)) } else { Err(McsError(index)) }
    }

    /// The index I_MCS, 0 … 28.
    pub fn index(self) -> u8 {
        self.0
    }

    /// The constellation of the MCS, with Q_m = 2, 4 or 6 bits a symbol.
    pub fn modulation(self) -> Qam {
        match self.0 {
            0..=9 => Qam::Qpsk,
            10..=16 => Qam::Qam16,
            _ => Qam::Qam64,
        }
    }

    /// The target code rate R of the MCS: payload bits over coded bits, 0.117 to 0.926.
    pub fn code_rate(self) -> f64 {
        f64::from(RATES[usize::from(self.0)]) / 1024.0
    }

    /// The spectral efficiency of the MCS, Q_m·R, in payload bits a symbol: 0.2344 to 5.5547.
    pub fn spectral_efficiency(self) -> f64 {
        self.modulation().bits_per_symbol() as f64 * self.code_rate()
    }
}

/// Writes the index, the modulation and the code rate, for example `MCS 4 (Qpsk 308/1024)`.
impl std::fmt::Display for Mcs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MCS {} ({:?} {}/1024)", self.0, self.modulation(), RATES[usize::from(self.0)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The spectral efficiencies equal those printed in TS 38.214, table 5.1.3.1-1.
    #[test]
    fn efficiencies_are_those_of_the_table() {
        let printed = [
            0.2344, 0.3066, 0.3770, 0.4902, 0.6016, 0.7402, 0.8770, 1.0273, 1.1758, 1.3262, 1.3281, 1.4766, 1.6953,
            1.9141, 2.1602, 2.4063, 2.5703, 2.5664, 2.7305, 3.0293, 3.3223, 3.6094, 3.9023, 4.2129, 4.5234, 4.8164,
            5.1152, 5.3320, 5.5547,
        ];
        for (index, efficiency) in (0..).zip(printed) {
            let mcs = Mcs::new(index).unwrap();
            assert!((mcs.spectral_efficiency() - efficiency).abs() < 6e-5, "{mcs}");
        }
        assert_eq!(Mcs::new(29).unwrap_err().to_string(), "modulation and coding schemes are 0 to 28, got 29");
    }
}
