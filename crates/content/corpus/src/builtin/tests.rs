use super::frames::{FACTORS, FRAMES};
use super::truth::{VIEW_VARIANCE, label, sign_accuracy};
use super::*;

const REDUNDANCIES: [f64; 5] = [0.0, 0.25, 0.5, 0.8, 1.0];

/// Draws of the model alone, without frames.
fn draws(redundancy: f64, seed: u64, n: usize) -> (LabelModel, Vec<Draw>) {
    let model = LabelModel::new(redundancy);
    let mut rng = frames::keyed(seed, 1);
    let draws = (0..n).map(|_| Draw::new(&model, rng.random(), &mut rng)).collect();
    (model, draws)
}

/// Acc-2 (family "pos") of the sign of the posterior mean, given the first `modalities`.
fn measured(model: &LabelModel, draws: &[Draw], modalities: usize) -> (f64, usize) {
    let scored: Vec<_> = draws.iter().filter(|draw| draw.label != 0.0).collect();
    let right = |draw: &&&Draw| (model.posterior_mean(&draw.label_views()[..modalities]) > 0.0) == (draw.label > 0.0);
    (scored.iter().filter(right).count() as f64 / scored.len() as f64, scored.len())
}

#[test]
fn bayes_accuracy_is_as_promised() {
    for redundancy in REDUNDANCIES {
        let truth = truth(redundancy).unwrap();
        assert!((truth.acc2_pos - 0.85).abs() < 1e-6, "{redundancy}: {truth:?}");
        assert!(truth.acc2_pos_of_one <= truth.acc2_pos_of_two && truth.acc2_pos_of_two <= truth.acc2_pos);
        assert!((0.65..=0.85).contains(&truth.acc2_pos_of_one), "{redundancy}: {truth:?}");
    }
    assert!((0.65..=0.75).contains(&truth(0.5).unwrap().acc2_pos_of_one));
}

/// Closed forms against 200,000 draws. 15 comparisons at 4.5 standard errors: a sound generator fails one in 10,000 seeds.
#[test]
fn closed_forms_agree_with_a_large_sample() {
    for redundancy in REDUNDANCIES {
        let (model, draws) = draws(redundancy, 11, 200_000);
        for modalities in 1..=3 {
            let expected = sign_accuracy(model.known(modalities));
            let (accuracy, n) = measured(&model, &draws, modalities);
            let error = (expected * (1.0 - expected) / n as f64).sqrt();
            assert!(
                (accuracy - expected).abs() < 4.5 * error,
                "{redundancy}, {modalities}: {accuracy} against {expected}"
            );
        }
    }
}

/// With no band around zero the accuracy is that of two correlated normals, ½ + asin(√J)/π.
#[test]
fn accuracy_is_near_the_arcsine_law() {
    for known in [0.1, 0.4, 0.8] {
        let arcsine = 0.5 + f64::asin(f64::sqrt(known)) / std::f64::consts::PI;
        let banded = sign_accuracy(known);
        assert!(banded > arcsine && banded < arcsine + 0.03, "{known}: {banded} against {arcsine}");
    }
    assert!((sign_accuracy(0.0) - 0.5).abs() < 1e-9);
}

/// The posterior of ℓ is N(t, 1 − J): z-scores of labels' latents are not visible, but P(y > 0 | t) is, in every tenth of t.
#[test]
fn the_posterior_is_calibrated() {
    let (model, mut draws) = draws(0.5, 5, 200_000);
    let mean = |draw: &Draw| model.posterior_mean(&draw.label_views());
    draws.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    let spread = (1.0 - model.known(3)).sqrt();
    for tenth in draws.chunks(20_000) {
        let positive = tenth.iter().filter(|draw| draw.label > 0.0).count() as f64;
        let p = |draw: &Draw| 0.5 * libm::erfc((0.1 / 1.7 - mean(draw)) / spread / std::f64::consts::SQRT_2);
        let expected: f64 = tenth.iter().map(p).sum();
        let variance: f64 = tenth.iter().map(|draw| p(draw) * (1.0 - p(draw))).sum();
        assert!((positive - expected).abs() < 4.5 * variance.sqrt() + 1.0, "{positive} against {expected}");
    }
}

/// For jointly Gaussian components the mutual information is −½ ln(1 − ρ²) of each, with ρ as sampled.
#[test]
fn mutual_information_is_that_of_the_sampled_correlations() {
    for redundancy in [0.0, 0.5, 1.0] {
        let (model, draws) = draws(redundancy, 3, 100_000);
        let correlation = |i: usize, j: usize| {
            let product = |(m, i): (usize, usize), (n, j): (usize, usize)| {
                draws.iter().map(|draw| draw.factors[m][i] * draw.factors[n][j]).sum::<f64>()
            };
            let (text, audio) = ((0, i), (1, j));
            let power = product(text, text) * product(audio, audio);
            if power == 0.0 { 0.0 } else { product(text, audio) / power.sqrt() }
        };
        let nats = |i: usize| -0.5 * (1.0 - correlation(i, i).powi(2)).ln();
        let truth = truth(redundancy).unwrap();
        assert!((nats(0) - truth.shared_about_label_nats).abs() < 0.02, "{redundancy}");
        assert!((nats(2) + nats(3) - truth.shared_irrelevant_nats).abs() < 0.02, "{redundancy}");
        for (i, j) in (0..FACTORS)
            .flat_map(|i| (0..FACTORS).map(move |j| (i, j)))
            .filter(|(i, j)| i != j || ![0, 2, 3].contains(i))
        {
            assert!(correlation(i, j).abs() < 0.016, "{i} and {j} are independent (five standard errors)");
        }
        let variance = draws.iter().map(|draw| draw.factors[2][0].powi(2)).sum::<f64>() / draws.len() as f64;
        assert!((variance / (model.common + VIEW_VARIANCE) - 1.0).abs() < 0.03);
    }
}

#[test]
fn labels_lie_on_the_grid_and_fill_the_classes() {
    let (_, draws) = draws(0.5, 7, 100_000);
    let share =
        |test: &dyn Fn(f64) -> bool| draws.iter().filter(|draw| test(draw.label)).count() as f64 / draws.len() as f64;
    assert!(
        draws
            .iter()
            .all(|draw| ((draw.label * 5.0).round() - draw.label * 5.0).abs() < 1e-9 && draw.label.abs() <= 3.0)
    );
    assert!((0.04..0.05).contains(&share(&|y| y == 0.0)));
    assert!((share(&|y| y > 0.0) - share(&|y| y < 0.0)).abs() < 0.02);
    for class in -3..=3 {
        let of_class = share(&|y| y.round_ties_even() as i32 == class);
        assert!(of_class > 0.05, "class {class}: {of_class}");
    }
    assert!(label(-0.01).is_sign_positive(), "no negative zero");
}

#[test]
fn the_corpus_has_the_promised_shape() {
    let corpus = generate(0.5, 0).unwrap();
    assert_eq!(corpus.name, "builtin:redundancy=0.5,seed=0");
    assert_eq!(corpus.splits(), SPLITS);
    assert_eq!(corpus.widths, WIDTHS.map(Some));
    let lengths: Vec<usize> = corpus.clips.iter().map(|clip| clip.features[0].as_ref().unwrap().frames()).collect();
    assert!(lengths.iter().all(|length| FRAMES.contains(length)));
    let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    assert!((mean - 13.0).abs() < 0.8, "mean length {mean}, five standard errors are 1");
    for clip in &corpus.clips {
        let frames: Vec<usize> = clip.features.iter().flatten().map(|sequence| sequence.frames()).collect();
        assert!(frames.len() == 3 && frames.iter().all(|n| *n == frames[0]));
        assert!(clip.video_id.starts_with(&clip.split));
    }
}

/// The means of the frames are the factors, so that the closed forms hold for the corpus and not only for the model.
#[test]
fn frames_hide_exactly_the_factors() {
    let generator = Generator::new(0.5, 4).unwrap();
    for row in [0, 1283, 2198] {
        let (draw, _) = generator.draw(row);
        let clip = generator.clip(row);
        for (index, directions) in generator.directions.iter().enumerate() {
            let found = directions.factors(clip.features[index].as_ref().unwrap());
            for (found, expected) in found.iter().zip(&draw.factors[index]) {
                assert!((found - expected).abs() < 1e-5, "{found} against {expected}");
            }
        }
    }
}

#[test]
fn one_redundancy_and_seed_give_one_corpus() {
    let corpus = generate(0.5, 9).unwrap();
    let generator = Generator::new(0.5, 9).unwrap();
    for row in [0, 700, 1284, 2198] {
        assert_eq!(corpus.clips[row], generator.clip(row), "alone and in threads");
    }
    assert_ne!(corpus.clips[0].features, Generator::new(0.5, 10).unwrap().clip(0).features);
    assert_ne!(corpus.clips[0].features, Generator::new(0.4, 9).unwrap().clip(0).features);
}

#[test]
fn the_posterior_means_are_those_of_the_corpus() {
    let corpus = generate(0.5, 0).unwrap();
    let means = posterior_means(0.5, 0).unwrap();
    for (split, clips) in SPLITS {
        let rows: Vec<_> = corpus.split(split).unwrap().into_iter().filter(|(_, clip)| clip.label != 0.0).collect();
        let right = rows.iter().filter(|(row, clip)| (means[*row] > 0.0) == (clip.label > 0.0)).count();
        let accuracy = right as f64 / rows.len() as f64;
        assert!((accuracy - 0.85).abs() < if clips > 500 { 0.01 } else { 0.02 }, "{split}: {accuracy}");
    }
}

/// Stratified as they are, the clips of many corpora together have the law of the model: t and the label are
/// correlated as in the closed form, and each factor has its variance.
#[test]
fn strata_leave_the_law_of_a_clip_alone() {
    let draws: Vec<Draw> = (0..20)
        .flat_map(|seed| {
            let generator = Generator::new(0.5, seed).unwrap();
            (0..Generator::rows()).map(|row| generator.draw(row).0).collect::<Vec<_>>()
        })
        .collect();
    let model = LabelModel::new(0.5);
    for modalities in 1..=2 {
        let (accuracy, n) = measured(&model, &draws, modalities);
        let expected = sign_accuracy(model.known(modalities));
        assert!((accuracy - expected).abs() < 4.5 * (expected * (1.0 - expected) / n as f64).sqrt(), "{accuracy}");
    }
    for (factor, expected) in [(0, model.common + VIEW_VARIANCE), (1, model.unique), (2, 0.5), (4, 0.5)] {
        let variance = draws.iter().map(|draw| draw.factors[1][factor].powi(2)).sum::<f64>() / draws.len() as f64;
        // Standard error of a variance: √(2/n) = 0.7 %.
        assert!((variance / expected - 1.0).abs() < 0.033, "factor {factor}: {variance} against {expected}");
    }
}

#[test]
fn a_redundancy_outside_the_range_is_refused() {
    for redundancy in [-0.1, 1.1, f64::NAN] {
        let error = generate(redundancy, 0).unwrap_err().to_string();
        assert!(error.contains("redundancy must be in [0, 1]"), "{error}");
    }
}
