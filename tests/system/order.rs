//! Tests that the processes and the client may start in any order.

use latentlink_tests::{Job, Role, Stack, rows_of};

use crate::{SITE, evaluate, sweep_args};

#[test]
fn any_start_order_gives_the_same_result() {
    let sweep = ["--channel", "rayleigh", "--snr", "0", "--draws", "1", "--seed", "4"];
    let [a, b, c] = Role::ALL;
    let orders = [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]];
    let mut results = Vec::new();
    for (number, order) in orders.into_iter().enumerate() {
        let mut stack = Stack::down(&SITE, &format!("order-{number}"), SITE.weights(), SITE.weights());
        let predictions = stack.folder().join("sent.csv");
        // The client is started before any process listens.
        let send = stack.send_command(&sweep_args(&sweep, &predictions));
        let send = Job::start(SITE.binary(), &send, stack.folder(), "send");
        order.into_iter().for_each(|role| stack.start(role));
        send.finish().succeeded();
        results.push(rows_of(&predictions));
    }
    let inside = SITE.folder("order").join("inside.csv");
    evaluate(&sweep, &inside);
    let inside = rows_of(&inside);
    assert_eq!(inside.len(), SITE.test_clips());
    for (result, order) in results.iter().zip(orders) {
        assert_eq!(*result, inside, "{order:?}");
    }
}
