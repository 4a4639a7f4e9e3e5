//! Tests of the metrics of the three processes: the values on their pages, the results of Prometheus, and whether
//! Prometheus answers every query of the Grafana dashboard.

use std::time::Duration;

use latentlink_tests::{Client, Prometheus, Role, Stack, check_metrics, corpus_of, eventually, http_get};
use proto::v1::{ChannelKind, Clip, Conditions};
use serde_json::Value;

use crate::SITE;

const PATIENT: Duration = Duration::from_secs(90);
/// Number of valid clips at each of two SNRs and over the noiseless channel.
const EACH: u64 = 10;
/// Number of invalid clips, whose features have another width.
const BAD: u64 = 3;

/// Sends three times [`EACH`] valid clips and [`BAD`] invalid ones, with sequence numbers from `first`.
fn send(client: &Client, first: u64) {
    let corpus = corpus_of(1, 1, 4);
    let pinned = |kind: ChannelKind, snr_db: Option<f64>| Conditions { kind: kind.into(), snr_db, k_factor: None };
    let met = [
        pinned(ChannelKind::Awgn, Some(-6.2)),
        pinned(ChannelKind::Rayleigh, Some(12.0)),
        pinned(ChannelKind::None, None),
    ];
    let mut clips: Vec<Clip> = (0..3 * EACH)
        .map(|number| {
            let clip = &corpus.clips[2 + number as usize % 4];
            client.clip(first + number, clip, met[number as usize % 3])
        })
        .collect();
    for number in 3 * EACH..3 * EACH + BAD {
        let mut clip = client.clip(first + number, &corpus.clips[2], met[2]);
        let visual = clip.modalities["visual"].clone();
        clip.modalities.insert("audio".into(), visual);
        clips.push(clip);
    }
    client.send(clips);
}

/// The metrics page of a role.
fn page(stack: &Stack, role: Role) -> String {
    let (status, page) = http_get(&stack.url(role), "/metrics").expect("a page");
    assert_eq!(status, 200, "{page}");
    page
}

/// The value of a series on a metrics page.
#[track_caller]
fn sample(page: &str, series: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().unwrap()
}

#[test]
fn the_pages_say_what_went_through() {
    let stack = Stack::up(&SITE, "metrics");
    let client = Client::connect(&stack.url(Role::Transmitter));
    send(&client, 0);
    let [receiver, emulator, transmitter] = Role::ALL.map(|role| page(&stack, role));
    let good = (3 * EACH) as f64;

    assert_eq!(sample(&transmitter, "latentlink_transmitter_clips_total"), good + BAD as f64);
    let refused = "latentlink_transmitter_clips_refused_total{code=\"wrong_width\"}";
    assert_eq!(sample(&transmitter, refused), BAD as f64);
    assert_eq!(sample(&transmitter, "latentlink_transmitter_outcomes_total{result=\"prediction\"}"), good);
    assert_eq!(sample(&transmitter, "latentlink_transmitter_outcomes_total{result=\"error\"}"), BAD as f64);
    assert_eq!(sample(&transmitter, "latentlink_transmitter_symbols_total"), good * 25.0);
    assert_eq!(sample(&transmitter, "latentlink_hop_round_trip_seconds_count"), good);
    assert_eq!(sample(&transmitter, "latentlink_hop_items_sent_again_total{peer=\"channel-emulator\"}"), 0.0);

    assert_eq!(sample(&emulator, "latentlink_emulator_bursts_total"), good);
    assert_eq!(sample(&emulator, "latentlink_emulator_receipts_total"), good);
    assert_eq!(sample(&emulator, "latentlink_emulator_realised_snr_db_count"), 2.0 * EACH as f64);
    assert_eq!(sample(&emulator, "latentlink_emulator_channel{channel=\"rayleigh\"}"), 1.0);
    assert_eq!(sample(&emulator, "latentlink_emulator_snr_db"), 12.0);

    assert_eq!(sample(&receiver, "latentlink_receiver_bursts_total"), good);
    assert_eq!(sample(&receiver, "latentlink_receiver_journal_rows"), good);
    assert_eq!(sample(&receiver, "latentlink_receiver_commit_rows_sum"), good);
    for bin in ["{channel=\"awgn\",snr_db=\"-6\"}", "{channel=\"rayleigh\",snr_db=\"12\"}", "{channel=\"none\"}"] {
        assert_eq!(sample(&receiver, &format!("latentlink_receiver_clips_total{bin}")), EACH as f64);
        assert_eq!(sample(&receiver, &format!("latentlink_receiver_labelled_total{bin}")), EACH as f64);
    }

    // The same clips again: their keys have rows, so nothing is counted twice.
    send(&client, 0);
    let receiver = page(&stack, Role::Receiver);
    assert_eq!(sample(&receiver, "latentlink_receiver_repeated_keys_total"), good);
    assert_eq!(sample(&receiver, "latentlink_receiver_journal_rows"), good);
    assert_eq!(sample(&receiver, "latentlink_receiver_clips_total{channel=\"none\"}"), EACH as f64);

    for page in [receiver, emulator, transmitter] {
        match check_metrics(&page) {
            Some(found) => assert_eq!(found, Ok(()), "{page}"),
            None => eprintln!("skipped: part of the_pages_say_what_went_through needs promtool"),
        }
    }
}

/// Every query expression of a Grafana dashboard, with its variables filled in, and the title of its panel.
fn expressions(dashboard: &Value) -> Vec<(String, String)> {
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().expect("targets").iter();
        targets.map(move |target| (panel["title"].as_str().unwrap(), target["expr"].as_str().expect("an expression")))
    });
    targets.map(|(title, expr)| (title.to_owned(), expr.replace("$__rate_interval", "1m"))).collect()
}

#[test]
fn prometheus_reads_all_three_and_answers_every_query_of_the_dashboard() {
    let test = "prometheus_reads_all_three_and_answers_every_query_of_the_dashboard";
    let stack = Stack::up(&SITE, "prometheus");
    let urls = Role::ALL.map(|role| (role.name(), stack.url(role)));
    let targets: Vec<(&str, &str)> =
        urls.iter().map(|(role, url)| (*role, url.strip_prefix("http://").unwrap())).collect();
    let Some(prometheus) = Prometheus::start(test, stack.folder(), &targets) else { return };
    eventually("three targets that are up", PATIENT, || {
        (prometheus.value("sum(up{job=\"latentlink\"})") == Some(3.0)).then_some(())
    });

    let client = Client::connect(&stack.url(Role::Transmitter));
    send(&client, 0);
    send(&client, 1000);
    let good = (6 * EACH) as f64;
    for (expression, expected) in [
        ("latentlink_transmitter_clips_total", good + 2.0 * BAD as f64),
        ("sum(latentlink_transmitter_clips_refused_total)", 2.0 * BAD as f64),
        ("latentlink_emulator_bursts_total", good),
        ("latentlink_receiver_receipts_total", good),
        ("latentlink_receiver_journal_rows", good),
        ("sum(latentlink_receiver_clips_total)", good),
        ("latentlink_receiver_latency_seconds_count", good),
    ] {
        eventually(&format!("{expression} = {expected}"), PATIENT, || {
            (prometheus.value(expression) == Some(expected)).then_some(())
        });
    }

    let dashboard = include_str!("../../deploy/observability/grafana/dashboards/latentlink.json");
    let expressions = expressions(&serde_json::from_str(dashboard).unwrap());
    assert!(expressions.len() > 30, "only {} expressions", expressions.len());
    for (panel, expression) in expressions {
        // A rate needs two samples.
        eventually(&format!("a result of `{expression}` in panel `{panel}`"), PATIENT, || {
            match prometheus.query(&expression)? {
                Ok(results) => (!results.is_empty()).then_some(()),
                Err(problem) => panic!("panel `{panel}`: `{expression}`: {problem}"),
            }
        });
    }
}
