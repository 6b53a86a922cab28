use leptos::prelude::*;

use crate::live::Connection;

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
        Connection::Offline | Connection::NotFound => "offline",
    }
}

fn label(connection: Connection) -> String {
    match connection {
        Connection::Connecting => "Connecting…".to_owned(),
        Connection::Live => "Live".to_owned(),
        Connection::CaughtUp { missed: 0 } => "Caught up".to_owned(),
        Connection::CaughtUp { missed } => format!("Caught up: {missed} new"),
        Connection::Delayed => "Live updates are delayed".to_owned(),
        Connection::Reconnecting => "Reconnecting…".to_owned(),
        Connection::Offline => "Offline".to_owned(),
        Connection::NotFound => "Not found".to_owned(),
    }
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
