//! The socket as `AsyncAPI` 3.0, with the schemas that utoipa makes of commands and events.

use app::event::{ClientCommand, SUBPROTOCOL, ServerEvent};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::examples;

pub fn document() -> Value {
    let (commands, events) = (messages::<ClientCommand>(), messages::<ServerEvent>());
    let references = |messages: &Map<String, Value>| -> Vec<_> {
        let names = messages.keys();
        names
            .map(|name| reference("channels/socket/messages", name))
            .collect()
    };
    let (received, sent) = (references(&commands), references(&events));
    let all: Map<_, _> = commands.into_iter().chain(events).collect();
    let of_channel = all.keys();
    let of_channel = of_channel.map(|name| (name.clone(), reference("components/messages", name)));
    let socket = reference("channels", "socket");
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tonesa",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The socket: text frames, each a JSON object. docs/protocol.md of the project is the \
                contract in words; HTTP is described by `/api/openapi.json`.",
            "license": {"name": env!("CARGO_PKG_LICENSE")},
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/api/socket",
                "description": format!("A WebSocket of the subprotocol `{SUBPROTOCOL}`. A client ignores events of \
                    types that it does not know."),
                "messages": of_channel.collect::<Map<_, _>>(),
                "bindings": {"ws": {"method": "GET"}},
            },
        },
        "operations": {
            "receiveCommand": {
                "action": "receive",
                "channel": socket,
                "summary": "The client sends a command.",
                "messages": received,
            },
            "sendEvent": {
                "action": "send",
                "channel": socket,
                "summary": "The server sends an event.",
                "messages": sent,
            },
        },
        "components": {"messages": all, "schemas": schemas()},
    })
}

fn reference(place: &str, name: &str) -> Value {
    json!({"$ref": format!("#/{place}/{name}")})
}

/// The messages that an enum of frames has: one for each variant, by the value of `type`.
fn messages<T: PartialSchema>() -> Map<String, Value> {
    let schema = json(&T::schema());
    let variants = schema["oneOf"].as_array().cloned().unwrap_or_default();
    let messages = variants.into_iter().filter_map(|payload| {
        let name = payload["properties"]["type"]["enum"][0]
            .as_str()?
            .to_owned();
        let examples = examples::of_frame(&name);
        let examples = examples.into_iter();
        let examples = examples.map(|(file, frame)| json!({"name": file, "payload": frame}));
        let message = json!({
            "name": name,
            "summary": payload["description"],
            "payload": payload,
            "examples": examples.collect::<Vec<_>>(),
        });
        Some((name, message))
    });
    messages.collect()
}

/// The schemas that the messages refer to.
fn schemas() -> Map<String, Value> {
    let mut schemas = Vec::new();
    ClientCommand::schemas(&mut schemas);
    ServerEvent::schemas(&mut schemas);
    schemas
        .iter()
        .map(|(name, schema)| (name.clone(), json(schema)))
        .collect()
}

fn json(schema: &impl serde::Serialize) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}
