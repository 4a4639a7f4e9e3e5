//! Tests of the files for clusters: which shard each task and each pod computes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn deploy() -> PathBuf {
    // These tests are compiled in the launcher's package.
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Runs the Slurm script as task `id` of a job array with the given minimum, maximum, step and count, and with a
/// program that prints its arguments as the binary.
fn task(id: u32, (min, max, step, count): (u32, u32, u32, u32)) -> Output {
    let numbers = [("ID", id), ("MIN", min), ("MAX", max), ("STEP", step), ("COUNT", count)];
    let mut script = Command::new("sh");
    script.arg(deploy().join("slurm/reproduce.sbatch")).args(["--corpus", "builtin"]);
    script.env("OUT", "/grid").env("LATENTLINK", "echo");
    script.envs(numbers.map(|(name, value)| (format!("SLURM_ARRAY_TASK_{name}"), value.to_string())));
    script.output().unwrap()
}

#[test]
fn a_job_array_of_any_base_and_step_does_each_shard_once() {
    for (ids, array) in [([0, 1, 2, 3], (0, 3, 1, 4)), ([1, 2, 3, 4], (1, 4, 1, 4)), ([10, 13, 16, 19], (10, 20, 3, 4))]
    {
        for (shard, id) in ids.into_iter().enumerate() {
            let done = task(id, array);
            let said = String::from_utf8(done.stdout).unwrap();
            let expected = format!("trainer reproduce --corpus builtin --out /grid/part-{shard} --shard {shard}/4");
            assert!(done.status.success() && said.trim() == expected, "{id} of {array:?}: {said}");
        }
    }
    // --array=0,2,3
    let gaps = task(2, (0, 3, 1, 3));
    let said = String::from_utf8(gaps.stderr).unwrap();
    assert_eq!(gaps.status.code(), Some(2), "{said}");
    assert!(said.contains("has gaps") && said.contains("--array=0-2") && gaps.stdout.is_empty(), "{said}");
}

#[test]
fn the_kubernetes_job_takes_the_image_that_is_loaded_and_has_a_pod_for_each_shard() {
    let job = std::fs::read_to_string(deploy().join("kubernetes/reproduce.yaml")).unwrap();
    let lines: Vec<&str> = job.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    let value = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key)).map(str::trim);
    assert_eq!(value("image:"), Some("latentlink:latest"));
    assert_eq!(value("imagePullPolicy:"), Some("IfNotPresent"));
    let pods = value("completions:").unwrap();
    assert_eq!(value("parallelism:"), Some(pods));
    assert!(lines.contains(&format!("- $(JOB_COMPLETION_INDEX)/{pods}").as_str()), "{job}");
}
