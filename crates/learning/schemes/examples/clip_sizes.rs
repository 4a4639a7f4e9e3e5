//! Bytes and channel uses of the clips of `builtin`, and which share of them arrives at which SNR.
//!
//!     cargo run --release -p latentlink-schemes --features video --example clip_sizes

use corpus::Modality;
use nr::{Coherence, Planner};
use phy::{Conditions, SnrDb};
use source_coding::{Codec, Content, Source};

fn codecs() -> Vec<Codec> {
    vec![
        Codec::Deflate,
        #[cfg(feature = "video")]
        Codec::H264 { qp: 12 },
        #[cfg(feature = "video")]
        Codec::H264 { qp: 24 },
        #[cfg(feature = "video")]
        Codec::H264 { qp: 36 },
    ]
}

fn main() {
    let corpus = corpus::builtin::generate(0.5, 0).unwrap();
    let train: Vec<_> = corpus.split("train").unwrap().into_iter().map(|(_, clip)| clip).collect();
    let test: Vec<_> = corpus.split("test").unwrap().into_iter().map(|(_, clip)| clip).collect();
    println!("test split of builtin, {} clips, no transcripts: audio and visual planes alone", test.len());
    let mut middle = 0;
    for codec in codecs() {
        let source = Source::fit(train.iter().map(|clip| &clip.features), codec).unwrap();
        let (mut sizes, mut error, mut square) = (Vec::new(), [0.0; 3], [0.0; 3]);
        for clip in &test {
            let bytes = source.encode(&Content::of_clip(clip)).unwrap();
            let back = source.decode(&bytes).unwrap();
            sizes.push(bytes.len());
            for (index, got) in back.planes.iter().enumerate() {
                let (Some(sent), Some(got)) = (&clip.features[index], got) else { continue };
                for (a, b) in sent.data().iter().zip(got.data()) {
                    error[index] += f64::from(a - b).powi(2);
                    square[index] += f64::from(*a).powi(2);
                }
            }
        }
        sizes.sort_unstable();
        middle = sizes[sizes.len() / 2];
        let loss = |modality: Modality| (error[modality.index()] / square[modality.index()]).sqrt();
        let mean = sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
        println!(
            "{codec:?}: bytes a clip {mean:.0} mean, {} least, {middle} median, {} most; relative error audio {:.3}, visual {:.3}",
            sizes[0],
            sizes[sizes.len() - 1],
            loss(Modality::Audio),
            loss(Modality::Visual)
        );
    }
    let planner = Planner::measured();
    println!("a clip of {middle} bytes, the last codec's median:");
    for db in [-12.0, -9.0, -6.0, -3.0, 0.0, 6.0, 12.0, 18.0, 24.0] {
        let snr = SnrDb::try_from(db).unwrap();
        for (conditions, coherence) in [
            (Conditions::Awgn(snr), Coherence::Whole),
            (Conditions::Rayleigh(snr), Coherence::Whole),
            (Conditions::Rayleigh(snr), Coherence::EVERY_25),
        ] {
            let plan = planner.plan(middle, &conditions, coherence).unwrap();
            let (mcs, uses) = (plan.link.mcs(), plan.link.channel_uses());
            println!(
                "{conditions}, {coherence:?}: {mcs}, {uses} uses, {:.0} times 25, arrives {:.3}",
                uses as f64 / 25.0,
                plan.delivery
            );
        }
    }
}
