//! Tests of the health and reflection services of each process.

use std::net::TcpListener;

use latentlink_tests::{Client, Process, Role, Stack, free_port};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::SITE;

/// The full name of a role's own gRPC service.
fn service(role: Role) -> &'static str {
    match role {
        Role::Receiver => "latentlink.v1.Receiver",
        Role::Emulator => "latentlink.v1.ChannelEmulator",
        Role::Transmitter => "latentlink.v1.Transmitter",
    }
}

#[test]
fn each_process_says_that_it_is_healthy_and_what_it_serves() {
    let stack = Stack::up(&SITE, "discovery");
    for role in Role::ALL {
        let client = Client::connect(&stack.url(role));
        for service in ["", service(role)] {
            let mut health = HealthClient::new(client.channel());
            let request = HealthCheckRequest { service: service.into() };
            let answer = client.block_on(health.check(request)).unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving, "{role:?} {service}");
        }
        let services = reflected(&client);
        assert!(services.iter().any(|s| s == service(role)), "{role:?} lists {services:?}");
        for other in Role::ALL.into_iter().filter(|&other| other != role) {
            let mut health = HealthClient::new(client.channel());
            let request = HealthCheckRequest { service: service(other).into() };
            let status = client.block_on(health.check(request)).unwrap_err();
            assert_eq!(status.code(), tonic::Code::NotFound, "{role:?} does not serve {other:?}");
        }
    }
}

#[test]
fn the_health_command_answers_in_one_line_and_by_its_exit_code() {
    let health = |args: &[&str]| Process::run(SITE.binary(), &[&["health"], args].concat());
    let one_line = |text: &str| text.ends_with('\n') && text.lines().count() == 1;
    let stack = Stack::up(&SITE, "health");
    for role in Role::ALL {
        let url = stack.url(role);
        let answer = health(&[&url]).succeeded();
        assert_eq!((answer.stdout, answer.stderr), (format!("{url}: serving\n"), String::new()));
        health(&[&url, "--service", service(role)]).succeeded();
    }
    let other = health(&[&stack.url(Role::Receiver), "--service", service(Role::Emulator)]);
    assert!(other.code() == Some(1) && one_line(&other.stderr), "{other:?}");

    // A port that nobody listens on.
    let url = format!("http://127.0.0.1:{}", free_port());
    let gone = health(&[&url]);
    assert!(gone.code() == Some(1) && gone.stdout.is_empty() && one_line(&gone.stderr), "{gone:?}");
    assert!(gone.reason().starts_with(&format!("error: {url}: ")), "{gone:?}");
    // The system accepts connections to this port, but no process answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let silent = health(&[&url, "--timeout", "0.3"]);
    assert!(silent.code() == Some(1) && one_line(&silent.stderr), "{silent:?}");
    assert!(silent.reason().contains("no answer within 0.3 s"), "{silent:?}");
}

/// The names of the services that reflection lists.
fn reflected(client: &Client) -> Vec<String> {
    let request = MessageRequest::ListServices(String::new());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(request) };
    let mut reflection = ServerReflectionClient::new(client.channel());
    let answer = client.block_on(async {
        let requests = tokio_stream::iter([request]);
        let mut stream = reflection.server_reflection_info(requests).await.unwrap().into_inner();
        stream.message().await.unwrap().expect("an answer")
    });
    match answer.message_response {
        Some(MessageResponse::ListServicesResponse(list)) => list.service.into_iter().map(|s| s.name).collect(),
        other => panic!("expected a list of services, got {other:?}"),
    }
}
