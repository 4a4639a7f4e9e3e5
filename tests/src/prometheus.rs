//! A real Prometheus, if it is installed.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{free_port, http_get};

/// A running Prometheus. Dropping it kills it.
pub struct Prometheus {
    child: Child,
    url: String,
}

impl Prometheus {
    /// Starts a Prometheus that scrapes `targets`, each a role and `host:port`, every quarter of a second, with all its
    /// files in `folder`. If it is not installed, reports that `test` is skipped and returns `None`.
    ///
    /// # Panics
    /// Panics if its files cannot be written, or it cannot be started for another reason than that it is not installed.
    pub fn start(test: &str, folder: &Path, targets: &[(&str, &str)]) -> Option<Prometheus> {
        let config = folder.join("prometheus.yml");
        let mut file = File::create(&config).unwrap();
        writeln!(file, "global: {{ scrape_interval: 250ms, scrape_timeout: 250ms }}").unwrap();
        writeln!(file, "scrape_configs:\n  - job_name: latentlink\n    static_configs:").unwrap();
        for (role, target) in targets {
            writeln!(file, "      - {{ targets: [\"{target}\"], labels: {{ role: {role} }} }}").unwrap();
        }
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()));
        command.arg(format!("--web.listen-address={address}"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(folder.join("prometheus.log")).unwrap());
        match command.spawn() {
            Ok(child) => Some(Prometheus { child, url: format!("http://{address}") }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Not `println!`: the test harness hides its output for tests that pass.
                let _ = writeln!(std::io::stderr(), "skipped: {test} needs prometheus");
                None
            }
            Err(error) => panic!("prometheus: {error}"),
        }
    }

    /// Evaluates an expression now: the vector of results, or Prometheus's error message. `None` while it does not
    /// answer.
    ///
    /// # Panics
    /// Panics if the result of a successful query is not a vector.
    pub fn query(&self, expression: &str) -> Option<Result<Vec<Value>, String>> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let (_, body) = http_get(&self.url, &format!("/api/v1/query?query={encoded}"))?;
        let answer: Value = serde_json::from_str(&body).ok()?;
        match answer["status"].as_str() {
            Some("success") => Some(Ok(answer["data"]["result"].as_array().expect("a vector").clone())),
            _ => Some(Err(answer["error"].as_str().unwrap_or(&body).to_owned())),
        }
    }

    /// The first value of an expression's results; `None` while there is none.
    pub fn value(&self, expression: &str) -> Option<f64> {
        let results = self.query(expression)?.ok()?;
        results.first()?["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Both calls fail only if the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks a page of metrics with `promtool check metrics`: the error is its output. `None` if promtool is not
/// installed.
///
/// # Panics
/// Panics if promtool is installed and cannot be run.
pub fn check_metrics(page: &str) -> Option<Result<(), String>> {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("promtool: {error}"),
    };
    child.stdin.take().expect("piped").write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Some(if output.status.success() && said.trim().is_empty() { Ok(()) } else { Err(said) })
}
