//! The matched filter along the direction of the sign: an LLR of the sign in addition to the network's prediction.
//!
//! The network predicts from all components of a burst. At low SNR only the component of the sign carries information,
//! but the network, trained over a range of SNRs, still gives weight to the others. So the soft decision of the matched
//! filter is added to the log-odds of the sign, with a weight that depends on ρ and is fitted after training.

use candle_core::Tensor;
use nn::ops::{simd::dot, with_slice};
use nn::params::{ParamError, Scope};
use phy::Equaliser;

/// The matched filter, and the weight w(ρ) = w₀ + w₁·ρ of its soft decision.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchedFilter {
    /// The burst that stands for a positive sign, of unit power per complex symbol.
    word: Vec<f32>,
    equaliser: Equaliser,
    weight: [f32; 2],
}

impl MatchedFilter {
    /// Its place below `head`.
    pub const PLACE: &str = "matched";

    /// Along a direction of any length, of weight 0.
    pub fn new(direction: &[f32], equaliser: Equaliser) -> Self {
        let length = dot(direction, direction).sqrt().max(f32::MIN_POSITIVE);
        let scale = (direction.len() as f32 / 2.0).sqrt() / length;
        MatchedFilter { word: direction.iter().map(|v| v * scale).collect(), equaliser, weight: [0.0; 2] }
    }

    /// The same with another weight, (w₀, w₁).
    #[must_use]
    pub fn with_weight(self, weight: [f64; 2]) -> Self {
        MatchedFilter { weight: weight.map(|w| w as f32), ..self }
    }

    /// That of deployed weights, if they have one.
    ///
    /// # Errors
    /// If its tensors have other shapes.
    pub fn find(scope: &Scope, reals: usize, equaliser: Equaliser) -> Result<Option<Self>, ParamError> {
        let (word, weight) = (scope.find("word", &[reals])?, scope.find("weight", &[2])?);
        let Some((word, weight)) = word.zip(weight) else { return Ok(None) };
        let (word, weight) = (with_slice(&word, <[f32]>::to_vec)?, with_slice(&weight, |w| [w[0], w[1]])?);
        Ok(Some(MatchedFilter { word, equaliser, weight }))
    }

    /// Its tensors by path.
    ///
    /// # Errors
    /// Candle's.
    pub fn tensors(&self) -> candle_core::Result<[(String, Tensor); 2]> {
        let named = |name: &str| format!("head.{}.{name}", Self::PLACE);
        let word = nn::ops::tensor(self.word.clone(), self.word.len())?;
        Ok([(named("word"), word), (named("weight"), nn::ops::tensor(self.weight.to_vec(), 2)?)])
    }

    /// E\[sign | burst\] ∈ [−1, 1] if the sign had been sent antipodally and nothing else: tanh(λ/2) of the
    /// log-likelihood ratio λ = 2·2⟨x̂, c⟩/(1 − ρ), times ρ behind zero forcing, of the equalised burst x̂ and the word
    /// c.
    pub fn soft_decision(&self, equalised: &[f32], rho: f32) -> f64 {
        (self.equaliser.llr_scale(rho) * f64::from(dot(equalised, &self.word))).tanh()
    }

    /// The LLR that a calibrated head adds to the log-odds of the sign: the soft decision times w(ρ).
    pub fn llr(&self, equalised: &[f32], rho: f32) -> f64 {
        let [at_zero, slope] = self.weight.map(f64::from);
        (at_zero + slope * f64::from(rho)) * self.soft_decision(equalised, rho)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::params::Params;
    use nn::random::Stream;
    use phy::{ChannelKind, Conditions, NoiseKey, SnrDb, Symbols};
    use std::collections::HashMap;

    const REALS: usize = 50;

    /// Over AWGN the sign heard is right as often as Q(√(2nγ)) says: 4000 bursts, within 4 standard deviations; and
    /// where the mean of what is heard says 0.8, nine in ten are right.
    #[test]
    fn it_is_the_matched_filter_and_knows_how_sure_it_is() {
        let direction = Stream::new(7, &[]).normals(REALS);
        for equaliser in [Equaliser::Mmse, Equaliser::ZeroForcing] {
            let matched_filter = MatchedFilter::new(&direction, equaliser);
            let conditions = Conditions::new(ChannelKind::Awgn, Some(SnrDb::try_from(-15.0).unwrap()), None).unwrap();
            let (mut right, mut expected, n) = (0.0, 0.0, 4000u64);
            for row in 0..n {
                let sign = if row % 2 == 0 { 1.0 } else { -1.0 };
                let sent = Symbols::new(matched_filter.word.iter().map(|v| sign * v).collect()).unwrap();
                let got = phy::draw(NoiseKey { seed: 3, draw: 0, row }, &conditions, REALS / 2).apply(&sent);
                let burst = phy::equalise(got.symbols.reals(), got.h, got.n0, equaliser).unwrap();
                let soft_decision = matched_filter.soft_decision(&burst.reals, burst.rho);
                right += f64::from(u8::from(soft_decision * f64::from(sign) > 0.0));
                expected += (1.0 + soft_decision.abs()) / 2.0;
            }
            // Q(√(2·25·10^-1.5)) = Q(1.2574) = 0.1043.
            let (rate, sd) = (right / n as f64, (0.1043f64 * 0.8957 / n as f64).sqrt());
            assert!((rate - 0.8957).abs() < 4.0 * sd, "{equaliser:?}: {rate}");
            assert!((expected / n as f64 - rate).abs() < 4.0 * sd, "{equaliser:?}: {expected}");
        }
    }

    #[test]
    fn its_weight_follows_rho_and_it_comes_back_from_its_tensors() {
        let direction = Stream::new(8, &[]).normals(REALS);
        let matched_filter = MatchedFilter::new(&direction, Equaliser::Mmse).with_weight([0.5, 1.5]);
        let word = matched_filter.word.clone();
        assert!((matched_filter.llr(&word, 1.0) - 2.0).abs() < 1e-6);
        assert_eq!(MatchedFilter::new(&direction, Equaliser::Mmse).llr(&word, 0.5), 0.0);
        let params = Params::from_tensors("test", HashMap::from(matched_filter.tensors().unwrap()), false);
        let scope = params.root().at("head").at(MatchedFilter::PLACE);
        assert_eq!(MatchedFilter::find(&scope, REALS, Equaliser::Mmse).unwrap(), Some(matched_filter));
        assert!(MatchedFilter::find(&scope, REALS + 2, Equaliser::Mmse).is_err());
        assert_eq!(MatchedFilter::find(&Params::fresh(1).root(), REALS, Equaliser::Mmse).unwrap(), None);
    }
}
