//! The other schemes' halves: what is saved comes back, gives each clip the same bits in any company, and refuses what is
//! not its own.

mod support;

use latentlink_schemes::codebook::{Codebook, Decides, with_codebook};
use latentlink_schemes::scheme::{Receive, ReceivedBurst, Transmit};
use latentlink_schemes::scheme_kind::SchemeKind;
use latentlink_schemes::weights;
use latentlink_schemes::weights::Halves;
use network::config::{Config, HeadKind, Preset};
use network::head::probabilities;
use network::tdeepsc::{Sizes, TDeepSc};
use nn::params::Params;
use nn::random::Stream;
use phy::{ChannelKind, Conditions, Equalised, NoiseKey, SnrDb};
use support::{Model, WIDTHS, clips, received, sent};
use tempfile::TempDir;

/// T-DeepSC as published and small, and the three that send decisions.
fn models() -> Vec<(SchemeKind, Model)> {
    let small = Config::preset(Preset::Small, WIDTHS);
    let t_deepsc = |sizes: Sizes, head, reals| {
        let config = Config { t_deepsc: Some(sizes), head, reals, ..small };
        let params = Params::fresh(3);
        TDeepSc::new(&params.root(), &config).unwrap();
        (SchemeKind::TDeepSc, Model { params, ..Model::with(config, 3) })
    };
    let mut models = vec![
        t_deepsc(Sizes::PUBLISHED, HeadKind::Mse, 38),
        t_deepsc(Sizes { side_information: true, ..Sizes::SMALL }, HeadKind::Distribution, 50),
    ];
    for scheme in [SchemeKind::SignRepetition, SchemeKind::ClassRepetition, SchemeKind::QuantisedLatent] {
        let model = Model::with(small, 4);
        let params = with_codebook(&model.params, &small, &codebook(scheme.decides().unwrap())).unwrap();
        models.push((scheme, Model { params, ..model }));
    }
    models
}

fn codebook(decides: Decides) -> Codebook {
    let words = decides.words();
    let answer = |word: usize| probabilities(&Stream::new(8, &[word as u64]).normals(9));
    Codebook::new(decides, (0..words).map(answer).collect(), vec![1.0 / words as f64; words])
}

fn saved(scheme: SchemeKind, model: &Model) -> (TempDir, Halves) {
    let folder = tempfile::tempdir().unwrap();
    let id = model.save_as(scheme, folder.path()).unwrap();
    let halves = weights::load(folder.path()).unwrap();
    assert_eq!((&halves.0.card().model_id, &halves.1.card().model_id), (&id, &id));
    (folder, halves)
}

/// What the receiver is given of 32 clips over Rayleigh fading.
fn behind_fading(transmitter: &dyn Transmit, receiver: &dyn Receive) -> Vec<Equalised> {
    let conditions = Conditions::new(ChannelKind::Rayleigh, Some(SnrDb::try_from(-3.0).unwrap()), None).unwrap();
    let bursts = sent(transmitter, &clips(32, &WIDTHS));
    let equalise = |(row, burst): (usize, &phy::Symbols)| {
        let key = NoiseKey { seed: 1, draw: 0, row: row as u64 };
        let got = phy::draw(key, &conditions, burst.len()).apply(burst);
        phy::equalise(got.symbols.reals(), got.h, got.n0, receiver.card().equaliser).unwrap()
    };
    bursts.iter().enumerate().map(equalise).collect()
}

#[test]
fn every_scheme_gives_the_same_bits_alone_and_in_a_batch() {
    for (scheme, model) in models() {
        let (_folder, (transmitter, receiver)) = saved(scheme, &model);
        let (card, other) = (transmitter.card(), receiver.card());
        assert_eq!((&card.scheme, &other.scheme, card.takes_media), (&scheme.to_string(), &scheme.to_string(), false));
        assert!(card.takes_transcripts && card.training_snr_db == Some((-15.0, 21.0)));
        let clips = clips(32, &WIDTHS);
        let together = sent(transmitter.as_ref(), &clips);
        for (clip, burst) in clips.iter().zip(&together) {
            let power = burst.reals().iter().map(|v| v * v).sum::<f32>() / burst.len() as f32;
            assert!((power - 1.0).abs() < 1e-3, "{scheme}: power {power}");
            let alone = &sent(transmitter.as_ref(), std::slice::from_ref(clip))[0];
            assert_eq!((burst.len(), alone), (transmitter.card().channel_uses.fixed().unwrap(), burst), "{scheme}");
        }
        let bursts = behind_fading(transmitter.as_ref(), receiver.as_ref());
        let together = received(receiver.as_ref(), &bursts);
        for (burst, prediction) in bursts.iter().zip(&together) {
            assert_eq!(received(receiver.as_ref(), std::slice::from_ref(burst))[0], *prediction, "{scheme}");
            let total: f32 = prediction.classes.iter().sum();
            assert!((total - 1.0).abs() < 1e-5, "{scheme}: {prediction:?}");
        }
        let short = Equalised { reals: vec![0.0; 4], noise_var: 0.1, rho: 0.5 };
        let refused = receiver.receive(&[ReceivedBurst::from(short)]).remove(0).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("symbols: expected {} symbols, got 2", receiver.card().channel_uses.fixed().unwrap())
        );
    }
}

#[test]
fn only_as_many_bursts_differ_as_there_are_words() {
    for (scheme, model) in models().into_iter().filter(|(scheme, _)| scheme.decides().is_some()) {
        let (_folder, (transmitter, _)) = saved(scheme, &model);
        let mut bursts: Vec<String> =
            sent(transmitter.as_ref(), &clips(64, &WIDTHS)).iter().map(|burst| format!("{burst:?}")).collect();
        bursts.sort();
        bursts.dedup();
        let words = scheme.decides().unwrap().words();
        assert!(bursts.len() <= words, "{scheme}: {} bursts", bursts.len());
    }
}

#[test]
fn weights_of_one_scheme_are_not_taken_for_those_of_another() {
    let model = Model::with(Config::preset(Preset::Small, WIDTHS), 4);
    let folder = tempfile::tempdir().unwrap();
    let missing = model.save_as(SchemeKind::SignRepetition, folder.path()).map(|_| weights::load(folder.path()));
    let Err(error) = missing.unwrap() else { panic!("weights without a codebook") };
    assert!(error.to_string().ends_with("tensor `codebook.answers` is missing"), "{error}");
    let (scheme, model) = models().pop().unwrap();
    let (folder, _) = saved(scheme, &model);
    let Err(error) = weights::load_proposed_transmitter(folder.path()) else { panic!("another scheme") };
    assert!(error.to_string().ends_with("scheme: expected proposed, got quantised-latent"), "{error}");
}
