//! Tests of the whole system: real processes of the built binary, real sockets.

mod clips;
mod conditions;
mod corpora;
mod dashboard;
mod deaths;
mod demo;
mod deployment;
mod discovery;
mod equality;
mod forever;
mod interrupted;
mod messages;
mod metrics;
mod order;
mod own_clips;
mod pipes;
mod python;
mod recordings;
mod refusals;
mod shared_clips;
mod shell;
mod trace_ids;
#[cfg(feature = "otlp")]
mod traces;
mod videos;
mod watch;

use std::path::Path;
use std::sync::LazyLock;

use latentlink_tests::Site;

/// The binary, the corpus and the weights that all tests share.
static SITE: LazyLock<Site> =
    LazyLock::new(|| Site::new(env!("CARGO_BIN_EXE_latentlink"), env!("CARGO_TARGET_TMPDIR")));

/// A path as a text argument.
fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// Runs `trainer evaluate` of the site's weights on the site's test split, with the options `sweep`; the predictions go
/// to the file `predictions`.
fn evaluate(sweep: &[&str], predictions: &Path) {
    let fixed = ["trainer", "evaluate", "--weights", text(SITE.weights()), "--corpus", text(SITE.corpus())];
    let args = [&fixed[..], &["--split", "test", "--predictions", text(predictions)], sweep].concat();
    latentlink_tests::Process::run(SITE.binary(), &args).succeeded();
}

/// The arguments of `transmitter send` for the same test split, with the options `sweep`; the predictions go to the
/// file `predictions`.
fn sweep_args<'a>(sweep: &[&'a str], predictions: &'a Path) -> Vec<&'a str> {
    let fixed = ["--corpus", text(SITE.corpus()), "--split", "test", "--predictions", text(predictions)];
    [&fixed[..], sweep].concat()
}
