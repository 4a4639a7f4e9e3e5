//! Style rules for the `.proto` files of the contract, modelled on those of `buf lint`.

use crate::{PACKAGE, contract};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto,
};
use std::collections::BTreeSet;

/// The violations of the style rules in a set of files, each as a sentence.
pub fn problems(set: &FileDescriptorSet) -> Vec<String> {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for file in &set.file {
        check_file(file, &mut problems);
        file.message_type.iter().for_each(|message| check_message(message, &mut problems));
        file.enum_type.iter().for_each(|one| check_enum(one, &mut problems));
        file.service.iter().for_each(|service| check_service(service, &mut used, &mut problems));
    }
    problems
}

fn check_file(file: &FileDescriptorProto, problems: &mut Vec<String>) {
    let name = file.name();
    if file.package() != PACKAGE {
        problems.push(format!("{name}: the package is {}", file.package()));
    }
    let (folder, stem) = name.rsplit_once('/').unwrap_or(("", name));
    if folder != file.package().replace('.', "/") {
        problems.push(format!("{name}: the folder is not that of the package"));
    }
    if !stem.strip_suffix(".proto").is_some_and(is_lower) {
        problems.push(format!("{name}: a file is called lower_snake_case.proto"));
    }
    if file.syntax() != "proto3" {
        problems.push(format!("{name}: the syntax is {}", file.syntax()));
    }
    if file.service.len() > 1 {
        problems.push(format!("{name}: more than one service in a file"));
    }
}

fn check_message(message: &DescriptorProto, problems: &mut Vec<String>) {
    let name = message.name();
    let is_map = message.options.as_ref().is_some_and(|options| options.map_entry());
    if !is_map && !is_pascal(name) {
        problems.push(format!("{name}: a message is called in PascalCase"));
    }
    let mut numbers: Vec<i32> = message.field.iter().map(|field| field.number()).collect();
    for field in &message.field {
        if !is_lower(field.name()) {
            problems.push(format!("{name}.{}: a field is called in lower_snake_case", field.name()));
        }
    }
    for oneof in &message.oneof_decl {
        // The synthetic oneof of an `optional` field begins with an underscore.
        if !is_lower(oneof.name().trim_start_matches('_')) {
            problems.push(format!("{name}.{}: a oneof is called in lower_snake_case", oneof.name()));
        }
    }
    numbers.sort_unstable();
    if numbers.first().is_some_and(|&first| first != 1) {
        problems.push(format!("{name}: the numbers of fields begin with 1"));
    }
    message.nested_type.iter().for_each(|nested| check_message(nested, problems));
    message.enum_type.iter().for_each(|one| check_enum(one, problems));
}

fn check_enum(one: &EnumDescriptorProto, problems: &mut Vec<String>) {
    let name = one.name();
    if !is_pascal(name) {
        problems.push(format!("{name}: an enum is called in PascalCase"));
    }
    let prefix = upper_snake(name) + "_";
    for value in &one.value {
        if !value.name().starts_with(&prefix) || !is_lower(&value.name().to_ascii_lowercase()) {
            problems.push(format!("{name}.{}: a value is called {prefix}UPPER_SNAKE_CASE", value.name()));
        }
        if value.number() == 0 && value.name() != format!("{prefix}UNSPECIFIED") {
            problems.push(format!("{name}.{}: the value 0 is called {prefix}UNSPECIFIED", value.name()));
        }
        if value.name() != value.name().to_ascii_uppercase() {
            problems.push(format!("{name}.{}: a value is in capitals", value.name()));
        }
    }
}

/// Checks that each method of a service has a request and a response message of its own, so that a method can be
/// extended without changing another.
fn check_service(service: &ServiceDescriptorProto, used: &mut BTreeSet<String>, problems: &mut Vec<String>) {
    if !is_pascal(service.name()) {
        problems.push(format!("{}: a service is called in PascalCase", service.name()));
    }
    for method in &service.method {
        let name = format!("{}.{}", service.name(), method.name());
        if !is_pascal(method.name()) {
            problems.push(format!("{name}: a method is called in PascalCase"));
        }
        for (of, suffix) in [(method.input_type(), "Request"), (method.output_type(), "Response")] {
            if of != format!(".{PACKAGE}.{}{suffix}", method.name()) {
                problems.push(format!("{name}: expected {}{suffix}, got {of}", method.name()));
            }
            if !used.insert(of.to_owned()) {
                problems.push(format!("{name}: {of} belongs to another method, too"));
            }
        }
    }
}

fn is_lower(name: &str) -> bool {
    let letters = name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    letters
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('_')
        && !name.contains("__")
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn upper_snake(name: &str) -> String {
    let mut upper = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !upper.is_empty() {
            upper.push('_');
        }
        upper.push(letter.to_ascii_uppercase());
    }
    upper
}

#[test]
fn each_rule_finds_what_breaks_it() {
    type Change = fn(&mut FileDescriptorSet);
    let first = |set: &FileDescriptorSet| set.file.iter().position(|file| !file.enum_type.is_empty()).unwrap();
    assert_eq!(contract().file[first(&contract())].name(), "latentlink/v1/common.proto");
    let cases: [(Change, &str); 9] = [
        (|set| set.file[0].package = Some("latentlink".into()), "the package is latentlink"),
        (|set| set.file[0].name = Some("latentlink/v1/Common.proto".into()), "lower_snake_case.proto"),
        (|set| set.file[0].name = Some("common.proto".into()), "the folder"),
        (|set| set.file[0].message_type[0].name = Some("delivery_key".into()), "a message is called"),
        (|set| set.file[0].message_type[0].field[0].name = Some("runId".into()), "a field is called"),
        (|set| set.file[0].message_type[0].field[0].number = Some(9), "begin with 1"),
        (|set| set.file[0].enum_type[0].value[0].name = Some("CHANNEL_KIND_NOTHING".into()), "the value 0"),
        (|set| set.file[0].enum_type[0].value[1].name = Some("AWGN".into()), "a value is called"),
        (
            |set| {
                let service = set.file.iter_mut().flat_map(|file| &mut file.service).next().unwrap();
                service.method[0].input_type = Some(".latentlink.v1.Burst".into());
            },
            "got .latentlink.v1.Burst",
        ),
    ];
    for (change, expected) in cases {
        let mut set = contract();
        let common = first(&set);
        set.file.swap(0, common);
        change(&mut set);
        let found = problems(&set);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
    }
}
