//! The observability of a process: its metrics, and the traces of its clips.

use crate::observe::Metrics;
use crate::trace::Tracer;
use std::ops::Deref;

/// The metrics and the tracer of one process. It is made once and is cheap to clone.
#[derive(Clone, Debug)]
pub struct Observer {
    metrics: Metrics,
    tracer: Tracer,
}

impl Observer {
    /// The observer of a process with the role `role`, such as `receiver`; the export of traces is set by environment
    /// variables.
    pub fn new(role: &'static str) -> Self {
        let metrics = Metrics::new(role);
        let tracer = Tracer::from_environment(role, &metrics);
        Observer { metrics, tracer }
    }

    /// The tracer, which begins and ends the spans of this process.
    pub fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }
}

impl Deref for Observer {
    type Target = Metrics;

    fn deref(&self) -> &Metrics {
        &self.metrics
    }
}
