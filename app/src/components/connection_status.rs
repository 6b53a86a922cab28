use leptos::prelude::*;

use crate::live::Connection;
use crate::texts::{counted, texts};

/// The state of the connection to the server in a few words.
#[component]
pub fn ConnectionStatus(connection: ReadSignal<Connection>) -> impl IntoView {
    let state = move || state(connection.get()).to_owned();
    let label = move || label(connection.get());
    view! {
        <p class="status scripted" role="status" data-state=state>
            {label}
        </p>
    }
}

fn state(connection: Connection) -> &'static str {
    match connection {
        Connection::Live => "live",
        Connection::CaughtUp { .. } => "caught-up",
        Connection::Connecting | Connection::Delayed | Connection::Reconnecting => "waiting",
        Connection::Offline | Connection::NotFound | Connection::Gone => "offline",
    }
}

fn label(connection: Connection) -> String {
    let texts = texts();
    let label = match connection {
        Connection::Connecting => texts.connecting,
        Connection::Live => texts.live,
        Connection::CaughtUp { missed: 0 } => texts.caught_up,
        Connection::CaughtUp { missed } => {
            return counted(missed, texts.caught_up_one, texts.caught_up_other);
        }
        Connection::Delayed => texts.delayed,
        Connection::Reconnecting => texts.reconnecting,
        Connection::Offline => texts.offline,
        Connection::NotFound => texts.connection_not_found,
        Connection::Gone => texts.connection_gone,
    };
    label.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_messages_are_counted() {
        assert_eq!(
            label(Connection::CaughtUp { missed: 5 }),
            "Caught up: 5 new"
        );
        assert_eq!(label(Connection::CaughtUp { missed: 0 }), "Caught up");
    }
}
