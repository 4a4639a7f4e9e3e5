//! The columns against COVAREP's own, and on real speech.

use std::path::PathBuf;

use latentlink_speech::{Features, Frontend};
use media::{Limits, Media};
use safetensors::SafeTensors;

fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LATENTLINK_SHARED").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test} needs the shared clips (LATENTLINK_SHARED is not set)");
    }
    folder
}

fn pcm(path: PathBuf) -> Vec<f32> {
    Media::open(path, &Limits::default()).unwrap().audio().unwrap().resampled().unwrap().pcm
}

/// COVAREP's answer for `speech-16k.wav`: names and columns.
struct Golden {
    names: Vec<String>,
    frames: Vec<f32>,
}

impl Golden {
    fn open(shared: &std::path::Path) -> Self {
        let file = std::fs::read(shared.join("golden/covarep-speech-16k.safetensors")).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&file).unwrap();
        let names = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["columns"]).unwrap();
        let tensors = SafeTensors::deserialize(&file).unwrap();
        let data = tensors.tensor("features").unwrap().data().chunks_exact(4);
        Self { names, frames: data.map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect() }
    }

    fn column(&self, name: &str) -> Vec<f32> {
        let at = self.names.iter().position(|n| n == name).unwrap();
        self.frames.chunks_exact(self.names.len()).map(|row| row[at]).collect()
    }
}

fn share(rows: impl Iterator<Item = bool>) -> f64 {
    let (hits, all) = rows.fold((0, 0), |(hits, all), hit| (hits + u32::from(hit), all + 1));
    f64::from(hits) / f64::from(all)
}

#[test]
fn pitch_and_voicing_agree_with_covarep() {
    let Some(shared) = shared("pitch_and_voicing_agree_with_covarep") else { return };
    let golden = Golden::open(&shared);
    let ours = Frontend::new().analyse(&pcm(shared.join("media/speech-16k.wav"))).unwrap();
    let (f0, golden_f0) = (ours.column("F0").unwrap(), golden.column("F0"));
    let (vuv, golden_vuv) = (ours.column("VUV").unwrap(), golden.column("VUV"));
    assert_eq!(f0.len(), golden_f0.len());
    let agree = share(vuv.iter().zip(&golden_vuv).map(|(a, b)| a == b));
    let both = (0..f0.len()).filter(|t| vuv[*t] == 1.0 && golden_vuv[*t] == 1.0);
    let near = share(both.map(|t| (f0[t] / golden_f0[t] - 1.0).abs() <= 0.05));
    println!("voicing agrees in {agree:.4} of rows, F0 within 5 % in {near:.4} of those both call voiced");
    assert!(agree >= 0.98 && near >= 0.95, "{agree} {near}");
}

/// Correlation of each coefficient over pairs of rows `(golden, ours)`.
fn correlations(pairs: &[(usize, usize)], golden: &[Vec<f32>], ours: &[Vec<f32>]) -> Vec<f64> {
    let one = |(golden, ours): (&Vec<f32>, &Vec<f32>)| {
        let n = pairs.len() as f64;
        let (a, b) =
            pairs.iter().map(|&(i, j)| (f64::from(golden[i]), f64::from(ours[j]))).unzip::<_, _, Vec<_>, Vec<_>>();
        let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
        let cross: f64 = a.iter().zip(&b).map(|(a, b)| (a - ma) * (b - mb)).sum();
        let of = |x: &[f64], m: f64| x.iter().map(|x| (x - m).powi(2)).sum::<f64>();
        cross / (of(&a, ma) * of(&b, mb)).sqrt()
    };
    golden.iter().zip(ours).map(one).collect()
}

/// The way through both clips along which their rows are nearest (dynamic time warping): each golden row's partner, in
/// order, at most 40 rows on from the one before.
fn aligned(golden: &[Vec<f32>], ours: &[Vec<f32>]) -> Vec<(usize, usize)> {
    let scaled = |columns: &[Vec<f32>]| -> Vec<Vec<f32>> {
        let scale = |c: &Vec<f32>| {
            let mean = c.iter().sum::<f32>() / c.len() as f32;
            let deviation = (c.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / c.len() as f32).sqrt();
            c.iter().map(|x| (x - mean) / deviation).collect()
        };
        columns.iter().map(scale).collect()
    };
    let (g, o) = (scaled(golden), scaled(ours));
    let (rows, last) = (g[0].len(), o[0].len());
    let far = |i: usize, j: usize| g.iter().zip(&o).map(|(g, o)| (g[i] - o[j]).powi(2)).sum::<f32>().sqrt();
    // Rows ours goes on by, and what that costs.
    let steps = [(1, 0.0), (0, 0.3), (2, 0.3), (3, 0.8), (5, 1.6), (8, 2.0), (20, 4.0), (40, 6.0)];
    let mut cost: Vec<f32> = (0..last).map(|j| if j < 40 { far(0, j) } else { f32::INFINITY }).collect();
    let mut came = vec![vec![0; last]; rows];
    for i in 1..rows {
        let reach = |j: usize| {
            let from = steps.iter().filter_map(|&(step, price)| Some((cost[j.checked_sub(step)?] + price, step)));
            from.min_by(|a, b| a.0.total_cmp(&b.0)).expect("a step of none")
        };
        let best: Vec<(f32, usize)> = (0..last).map(reach).collect();
        cost = best.iter().enumerate().map(|(j, b)| b.0 + far(i, j)).collect();
        came[i] = best.iter().map(|b| b.1).collect();
    }
    let mut at = (0..last).min_by(|&a, &b| cost[a].total_cmp(&cost[b])).unwrap();
    let mut path: Vec<(usize, usize)> = Vec::new();
    for i in (0..rows).rev() {
        path.push((i, at));
        at -= came[i][at];
    }
    path
}

/// COVAREP's rows of the mel-cepstrum do not keep the clock of its pitch: on this clip they run up to 41 rows ahead of or
/// behind the sound, so they are aligned by the first half of the coefficients before each column is compared. Aligned
/// to the clip played backwards, where only chance agrees, they must not fit.
#[test]
fn the_mel_cepstrum_agrees_with_covarep() {
    let Some(shared) = shared("the_mel_cepstrum_agrees_with_covarep") else { return };
    let golden = Golden::open(&shared);
    let golden: Vec<Vec<f32>> = (0..25).map(|k| golden.column(&format!("MCEP_{k}"))).collect();
    let columns = |pcm: &[f32]| -> Vec<Vec<f32>> {
        let ours = Frontend::new().analyse(pcm).unwrap();
        (0..25).map(|k| ours.column(&format!("MCEP_{k}")).unwrap()).collect()
    };
    let pcm = pcm(shared.join("media/speech-16k.wav"));
    let compare = |ours: &[Vec<f32>]| {
        let mut pairs = aligned(&golden[..13], &ours[..13]);
        // Silence has no shape to compare.
        pairs.retain(|&(i, j)| golden[0][i] > -11.0 && ours[0][j] > -12.0);
        (correlations(&pairs, &golden, ours), pairs)
    };
    let ours = columns(&pcm);
    let (r, pairs) = compare(&ours);
    let mean = |r: &[f64]| r.iter().sum::<f64>() / r.len() as f64;
    let least = r.iter().copied().fold(1.0, f64::min);
    let lag = pairs.iter().map(|(i, j)| i.abs_diff(*j)).max().unwrap();
    println!("{} rows, up to {lag} apart; correlations {r:.3?}", pairs.len());
    let off = |k: usize| pairs.iter().map(|&(i, j)| ours[k][j] - golden[k][i]).sum::<f32>() / pairs.len() as f32;
    println!("mean correlation {:.3}, least {least:.3}; level off by {:.3} nepers", mean(&r), off(0));
    assert!(mean(&r) > 0.95 && least > 0.88, "{} {least}", mean(&r));
    assert!(pairs.len() > 350 && off(0).abs() < 0.3, "{} {}", pairs.len(), off(0));
    let (backwards, _) = compare(&columns(&pcm.iter().rev().copied().collect::<Vec<_>>()));
    println!("backwards: mean correlation {:.3}", mean(&backwards));
    assert!(mean(&backwards) < 0.8, "{}", mean(&backwards));
}

#[test]
fn real_speech_gives_finite_and_plausible_columns() {
    let Some(shared) = shared("real_speech_gives_finite_and_plausible_columns") else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(shared.join("data/emodb-dev/wav")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let features: Vec<Features> =
        files.into_iter().step_by(40).map(|f| Frontend::new().analyse(&pcm(f)).unwrap()).collect();
    assert!(features.len() >= 10);
    for features in &features {
        assert!(features.frames.iter().all(|x| x.is_finite()));
        let (f0, vuv) = (features.column("F0").unwrap(), features.column("VUV").unwrap());
        let voiced = share(vuv.iter().map(|v| *v == 1.0));
        let mut f0: Vec<f32> = f0.into_iter().zip(vuv).filter(|(_, v)| *v == 1.0).map(|(f, _)| f).collect();
        f0.sort_by(f32::total_cmp);
        println!("voiced {voiced:.2}, median F0 {}", f0[f0.len() / 2]);
        assert!((0.25..0.95).contains(&voiced), "{voiced}");
        assert!((70.0..450.0).contains(&f0[f0.len() / 2]));
    }
}
