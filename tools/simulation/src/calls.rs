//! The clients' calls of the HTTP API.

use app::live::failure::ApiFailure;
use app::live::machine::Input;
use app::model::LogEntry;
use rand::RngExt;
use server::random;

use crate::Millis;
use crate::api::{self, Call, What};
use crate::event::Event;
use crate::property::Property;
use crate::world::{World, latency};

/// As long as the browser waits for an answer.
const CALL_TIMEOUT: Millis = 20_000;

impl World {
    /// Sends a call to a node.
    pub fn call(&mut self, client: usize, what: What) {
        let number = self.new_number();
        let node = random::rng().random_range(0..self.nodes.len());
        let Some(known) = self.clients.get_mut(&client) else {
            return;
        };
        known.calls.insert(number, what.clone());
        let call = Call {
            upload: known.upload,
            secret: known.secret.clone(),
            what,
        };
        self.after(
            latency(),
            Event::Call {
                client,
                number,
                node,
                call,
            },
        );
        self.after(CALL_TIMEOUT, Event::GiveUp { client, number });
    }

    /// A client gets an answer, unless it has given up.
    pub fn give_answer(&mut self, client: usize, number: u64, input: Input) {
        if let Input::PostAnswered(key, Ok(LogEntry::Message(message))) = &input {
            let (upload, seq, id) = (message.upload_id, message.seq, message.id);
            self.acknowledged.push((upload, seq, id));
            if message.client_message_id != *key {
                let what = format!("c{client} posted {key} and is answered {seq}, another message");
                self.violate(Property::Answers, what);
            }
        }
        let known = self.clients.get_mut(&client);
        if let (Input::DeleteAnswered(seq, Ok(())), Some(known)) = (&input, &known) {
            self.acknowledged_deletions.push((known.upload, *seq));
        }
        if known.is_some_and(|it| it.calls.remove(&number).is_some()) {
            let answered = api::answered(&input);
            self.trace(
                format_args!("c{client}"),
                format_args!("is answered: {answered}"),
            );
            self.give(client, input);
        }
    }

    /// A client waits no longer for an answer.
    pub fn give_up(&mut self, client: usize, number: u64) {
        let known = self.clients.get_mut(&client);
        if let Some(what) = known.and_then(|client| client.calls.remove(&number))
            && let Ok(input) = what.failed(ApiFailure::TimedOut)
        {
            self.give(client, input);
        }
    }
}
