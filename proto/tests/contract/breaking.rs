//! Finds breaking changes: those that a peer with an older contract would misunderstand. Additions do not break it, nor
//! does moving a message to another file.

use crate::contract;
use prost_types::field_descriptor_proto::Label;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet, ServiceDescriptorProto,
};
use std::collections::BTreeMap;

/// The messages, enums and services of a contract by their full names.
#[derive(Default)]
struct Names<'a> {
    messages: BTreeMap<String, &'a DescriptorProto>,
    enums: BTreeMap<String, &'a EnumDescriptorProto>,
    services: BTreeMap<String, &'a ServiceDescriptorProto>,
}

impl<'a> Names<'a> {
    fn of(set: &'a FileDescriptorSet) -> Self {
        let mut names = Names::default();
        for file in &set.file {
            let package = file.package();
            file.message_type.iter().for_each(|message| names.add(package, message));
            names.enums.extend(file.enum_type.iter().map(|one| (format!("{package}.{}", one.name()), one)));
            names.services.extend(file.service.iter().map(|one| (format!("{package}.{}", one.name()), one)));
        }
        names
    }

    fn add(&mut self, scope: &str, message: &'a DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        message.nested_type.iter().for_each(|nested| self.add(&name, nested));
        self.enums.extend(message.enum_type.iter().map(|one| (format!("{name}.{}", one.name()), one)));
        self.messages.insert(name, message);
    }
}

/// The breaking changes from `old` to `new`, each as a sentence: what is missing, or has another meaning.
pub fn changes(old: &FileDescriptorSet, new: &FileDescriptorSet) -> Vec<String> {
    let (old, new) = (Names::of(old), Names::of(new));
    let mut changes = Vec::new();
    for (name, message) in &old.messages {
        match new.messages.get(name) {
            Some(now) => fields(name, message, now, &mut changes),
            None => changes.push(format!("message {name} is gone")),
        }
    }
    for (name, one) in &old.enums {
        let Some(now) = new.enums.get(name) else {
            changes.push(format!("enum {name} is gone"));
            continue;
        };
        for value in &one.value {
            match now.value.iter().find(|other| other.number() == value.number()) {
                Some(other) if other.name() == value.name() => {}
                Some(other) => changes.push(format!("{name}.{} is called {} now", value.name(), other.name())),
                None => changes.push(format!("{name}.{} is gone", value.name())),
            }
        }
    }
    for (name, service) in &old.services {
        let Some(now) = new.services.get(name) else {
            changes.push(format!("service {name} is gone"));
            continue;
        };
        for method in &service.method {
            match now.method.iter().find(|other| other.name() == method.name()) {
                Some(other) if other == method => {}
                Some(_) => changes.push(format!("{name}.{} takes or gives something else", method.name())),
                None => changes.push(format!("{name}.{} is gone", method.name())),
            }
        }
    }
    changes
}

fn fields(name: &str, old: &DescriptorProto, new: &DescriptorProto, changes: &mut Vec<String>) {
    for field in &old.field {
        let label = format!("{name}.{}", field.name());
        let Some(now) = new.field.iter().find(|other| other.number() == field.number()) else {
            let number = field.number();
            let kept = new.reserved_range.iter().any(|range| (range.start()..range.end()).contains(&number))
                && new.reserved_name.iter().any(|reserved| reserved == field.name());
            if !kept {
                changes.push(format!("{label} is gone, and its number and name are not reserved"));
            }
            continue;
        };
        if now.name() != field.name() {
            changes.push(format!("{label} is called {} now", now.name()));
        }
        if (now.r#type(), now.type_name()) != (field.r#type(), field.type_name()) {
            changes.push(format!("{label} has another type"));
        }
        if presence(now) != presence(field) {
            changes.push(format!("{label} is repeated or optional where it was not, or the other way round"));
        }
        if oneof(new, now) != oneof(old, field) {
            changes.push(format!("{label} moved into or out of a oneof"));
        }
    }
}

fn presence(field: &FieldDescriptorProto) -> (bool, bool) {
    (field.label() == Label::Repeated, field.proto3_optional())
}

/// The name of the oneof that a field is in; `None` if there is none, or only the synthetic one of an `optional` field.
fn oneof<'a>(message: &'a DescriptorProto, field: &FieldDescriptorProto) -> Option<&'a str> {
    let index = field.oneof_index.filter(|_| !field.proto3_optional())?;
    message.oneof_decl.get(index as usize).map(|oneof| oneof.name())
}

fn message<'a>(set: &'a mut FileDescriptorSet, name: &str) -> &'a mut DescriptorProto {
    set.file.iter_mut().flat_map(|file| &mut file.message_type).find(|message| message.name() == name).unwrap()
}

#[test]
fn each_kind_of_break_is_found_and_an_addition_is_none() {
    type Change = fn(&mut FileDescriptorSet);
    let breaks: [(Change, &str); 10] = [
        (|set| drop(message(set, "Burst").field.remove(0)), "Burst.delivery is gone"),
        (|set| message(set, "Burst").field[0].name = Some("key".into()), "Burst.delivery is called key now"),
        (
            |set| message(set, "Burst").field[3].set_type(prost_types::field_descriptor_proto::Type::String),
            "another type",
        ),
        (|set| message(set, "Burst").field[3].set_label(Label::Repeated), "repeated or optional"),
        (|set| message(set, "RelayRequest").field[0].oneof_index = None, "RelayRequest.header moved"),
        (|set| message(set, "Burst").name = Some("Salvo".into()), "message latentlink.v1.Burst is gone"),
        (|set| set.file.iter_mut().for_each(|file| file.enum_type.clear()), "enum latentlink.v1.ChannelKind is gone"),
        (
            |set| set.file.iter_mut().flat_map(|file| &mut file.enum_type).for_each(|one| one.value.truncate(2)),
            "CHANNEL_KIND_AWGN is gone",
        ),
        (
            |set| set.file.iter_mut().flat_map(|file| &mut file.service).for_each(|one| drop(one.method.remove(0))),
            "ChannelEmulator.Relay is gone",
        ),
        (
            |set| {
                let methods = set.file.iter_mut().flat_map(|file| &mut file.service).flat_map(|one| &mut one.method);
                methods.for_each(|method| method.server_streaming = Some(false));
            },
            "Receiver.Watch takes or gives something else",
        ),
    ];
    for (change, expected) in breaks {
        let mut new = contract();
        change(&mut new);
        let found = changes(&contract(), &new);
        assert!(found.iter().any(|change| change.contains(expected)), "{expected}: {found:?}");
    }
    let mut newer = contract();
    let mut field = message(&mut newer, "Burst").field[3].clone();
    (field.name, field.number) = (Some("antennas".into()), Some(99));
    message(&mut newer, "Burst").field.push(field);
    assert_eq!(changes(&contract(), &newer), [""; 0]);
    assert_eq!(changes(&newer, &contract()).len(), 1);
    // A field may be removed if its number and name are reserved.
    let mut older = contract();
    let burst = message(&mut older, "Burst");
    burst.reserved_name.push("antennas".into());
    let range = prost_types::descriptor_proto::ReservedRange { start: Some(99), end: Some(100) };
    burst.reserved_range.push(range);
    assert_eq!(changes(&newer, &older), [""; 0]);
}
