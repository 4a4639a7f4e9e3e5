//! Tests with real clips, if the folder of shared data is available.

use latentlink_tests::{Process, Role, Stack, rows_of, shared};

use crate::{SITE, text};

#[test]
fn real_clips_cross_the_link_as_evaluate_says() {
    let Some(shared) = shared("real_clips_cross_the_link_as_evaluate_says") else { return };
    let corpus = shared.join("data/mosi-dev");
    let folder = SITE.folder("real-clips");
    let run = folder.join("run");
    let fixed = ["trainer", "train", "--corpus", text(&corpus), "--preset", "small", "--epochs", "1"];
    Process::run(SITE.binary(), &[&fixed[..], &["--out", text(&run)]].concat()).succeeded();

    let mut stack = Stack::down(&SITE, "real-stack", &run, &run);
    Role::ALL.into_iter().for_each(|role| stack.start(role));
    let (inside, outside) = (folder.join("inside.csv"), folder.join("outside.csv"));
    let sweep = ["--corpus", text(&corpus), "--split", "valid", "--channel", "none,rayleigh", "--snr", "0"];
    let sweep = [&sweep[..], &["--draws", "1"]].concat();
    let fixed = ["trainer", "evaluate", "--weights", text(&run), "--predictions", text(&inside)];
    Process::run(SITE.binary(), &[&fixed[..], &sweep].concat()).succeeded();
    stack.send(&[&sweep[..], &["--predictions", text(&outside)]].concat()).succeeded();
    let rows = rows_of(&outside);
    assert_eq!(rows.len(), 2 * 229);
    assert_eq!(rows, rows_of(&inside));
}
