//! The clients' sockets, and what their state machines ask for.

use app::event::ServerEvent;
use app::live::connection::ConnectionEvent;
use app::live::effect::Effect;
use app::live::machine::Input;
use rand::RngExt;
use server::random;
use server::websocket::Peer;

use crate::Millis;
use crate::api::What;
use crate::event::Event;
use crate::frames::{self, Decoder, Frame};
use crate::heads::known_head;
use crate::node::{ProcessId, SOCKET_BUFFER};
use crate::property::Property;
use crate::protocol::Protocol;
use crate::world::{World, latency, lock};

/// "Abnormal closure" (RFC 6455, 7.4.1).
const ABNORMAL: u16 = 1006;

/// The client's end of a socket.
pub struct Socket {
    pub client: usize,
    pub node: usize,
    /// `None` until the node has accepted it, as is the number of its process.
    pub peer: Option<Peer>,
    process: Option<ProcessId>,
    is_open: bool,
    decoder: Decoder,
    pub protocol: Protocol,
    /// A read is due.
    is_reading: bool,
    /// When what was sent last arrives.
    last_arrival: Millis,
    /// Since when the node can write no more.
    pub full_since: Option<Millis>,
    /// When the client has vanished without closing it.
    pub vanished_at: Option<Millis>,
}

impl Socket {
    /// Whether the node has closed it.
    pub fn is_closed(&self) -> bool {
        self.peer.as_ref().is_some_and(Peer::is_closed)
    }
}

impl World {
    /// Gives an input to a client's state machine, and does what it asks for.
    pub fn give(&mut self, client: usize, input: Input) {
        let now = self.now;
        let Some(known) = self.clients.get_mut(&client) else {
            return;
        };
        let before = known.state();
        let effects = known.handle(input, now);
        let after = known.state();
        let ((_, had), (_, has)) = (before, after);
        if (known.starts_anew || has < had) && self.lost.is_empty() {
            let what = format!("c{client}'s list went from {had} to {has} without a restore");
            self.violate(Property::ListsStay, what);
        }
        if after != before {
            let (connection, cursor) = after;
            self.trace(
                format_args!("c{client}"),
                format_args!("is {connection:?} at {cursor}"),
            );
        }
        self.perform(client, effects);
    }

    /// Does what a client's state machine asks for.
    pub fn perform(&mut self, client: usize, effects: Vec<Effect>) {
        for effect in effects {
            let Some(known) = self.clients.get_mut(&client) else {
                return;
            };
            match effect {
                Effect::Connect => {
                    self.close(client);
                    self.connect(client);
                }
                Effect::Disconnect | Effect::Release => self.close(client),
                Effect::Send(command) => {
                    let text = serde_json::to_string(&command);
                    let text = text.expect("a command has only what JSON can write");
                    if let Some(socket) = known.socket {
                        if let Some(socket) = self.sockets.get_mut(&socket) {
                            let node = &self.nodes[socket.node];
                            let head = known_head(node, &self.shared.bus, known.upload);
                            socket.protocol.on_command(&command, head);
                        }
                        self.trace(format_args!("c{client}"), format_args!("-> {text}"));
                        self.send_to_node(socket, frames::text(&text));
                    }
                }
                Effect::FetchFrom(seq) => self.call(client, What::From(seq)),
                Effect::FetchNewest => self.call(client, What::Newest),
                Effect::FetchUpTo(seq) => self.call(client, What::UpTo(seq)),
                Effect::Post(new) => self.call(client, What::Post(new)),
                Effect::Delete(seq, id) => self.call(client, What::Delete(seq, id)),
                Effect::Start(timer, millis) => {
                    known.timers[timer as usize] += 1;
                    let generation = known.timers[timer as usize];
                    let event = Event::Timer {
                        client,
                        timer,
                        generation,
                    };
                    self.after(millis.into(), event);
                }
                Effect::Stop(timer) => known.timers[timer as usize] += 1,
            }
        }
    }

    fn connect(&mut self, client: usize) {
        let number = self.new_number();
        let node = random::rng().random_range(0..self.nodes.len());
        self.trace(
            format_args!("c{client}"),
            format_args!("connects to n{node}"),
        );
        let socket = Socket {
            client,
            node,
            peer: None,
            process: None,
            is_open: false,
            decoder: Decoder::default(),
            protocol: Protocol::default(),
            is_reading: false,
            last_arrival: self.now,
            full_since: None,
            vanished_at: None,
        };
        self.sockets.insert(number, socket);
        if let Some(client) = self.clients.get_mut(&client) {
            client.socket = Some(number);
        }
        self.after(latency(), Event::Accept(number));
    }

    /// Closes a client's socket, if it has one.
    pub fn close(&mut self, client: usize) {
        let client = self.clients.get_mut(&client);
        if let Some(number) = client.and_then(|it| it.socket.take())
            && let Some(socket) = self.sockets.get(&number)
            && socket.vanished_at.is_none()
        {
            self.sockets.remove(&number);
        }
    }

    /// Lets a client vanish: its node learns nothing of it. It comes back with another socket.
    pub fn vanish(&mut self, client: usize) {
        let known = self.clients.get_mut(&client);
        let socket = known.and_then(|client| client.socket.take());
        if let Some(socket) = socket.and_then(|socket| self.sockets.get_mut(&socket)) {
            socket.vanished_at = Some(self.now);
            let closed = ConnectionEvent::Closed(ABNORMAL);
            self.give(client, Input::Connection(closed));
        }
    }

    /// Lets a client's connection carry nothing any more: neither side learns of it.
    pub fn cut_off(&mut self, client: usize) {
        let socket = self.clients.get(&client).and_then(|client| client.socket);
        if let Some(socket) = socket.and_then(|socket| self.sockets.get_mut(&socket)) {
            socket.vanished_at.get_or_insert(self.now);
        }
    }

    /// A node gets a socket.
    pub fn accept(&mut self, number: u64) {
        let Some(socket) = self.sockets.get_mut(&number) else {
            return;
        };
        let node = &self.nodes[socket.node];
        match node.process.as_ref().filter(|it| it.listens()) {
            // The handshake is not answered.
            Some(_) if node.frozen_since.is_some() => self.after(1_000, Event::Accept(number)),
            Some(process) => {
                (socket.peer, socket.process) = (Some(process.accept()), Some(process.id));
                self.after(latency(), Event::Opened(number));
            }
            None => self.on_closed(number, ABNORMAL),
        }
    }

    /// A client learns that its socket is open.
    pub fn on_opened(&mut self, number: u64) {
        if let Some(socket) = self.sockets.get_mut(&number) {
            socket.is_open = true;
            let client = socket.client;
            if socket.vanished_at.is_some() {
                return;
            }
            if self
                .clients
                .get(&client)
                .is_some_and(|it| it.socket == Some(number))
            {
                self.give(client, Input::Connection(ConnectionEvent::Opened));
            }
        }
    }

    fn on_closed(&mut self, number: u64, code: u16) {
        let Some(socket) = self.sockets.remove(&number) else {
            return;
        };
        let client = socket.client;
        drop(socket);
        self.trace(
            format_args!("c{client}"),
            format_args!("closed with {code}"),
        );
        let Some(known) = self.clients.get_mut(&client) else {
            return;
        };
        if known.socket == Some(number) {
            known.socket = None;
            if self.is_calm && self.slow != Some(client) {
                let name = &known.name;
                let violation = format!("{name}'s socket was closed with {code} for no reason");
                self.violate(Property::StaysOpen, violation);
            }
            self.give(client, Input::Connection(ConnectionEvent::Closed(code)));
        }
    }

    fn send_to_node(&mut self, number: u64, bytes: Vec<u8>) {
        let now = self.now;
        if let Some(socket) = self.sockets.get_mut(&number)
            && socket.vanished_at.is_none()
        {
            socket.last_arrival = socket.last_arrival.max(now + latency());
            let at = socket.last_arrival;
            self.at(at, Event::ToNode(number, bytes));
        }
    }

    /// What a client has sent arrives.
    pub fn write_to_node(&mut self, number: u64, bytes: &[u8]) {
        let socket = self.sockets.get(&number);
        if let Some(peer) = socket.and_then(|socket| socket.peer.as_ref()) {
            peer.write(bytes);
        }
    }

    /// Plans reads of sockets on which something has arrived.
    pub fn read_sockets(&mut self) {
        let (now, mut due, mut ended) = (self.now, Vec::new(), Vec::new());
        for (number, socket) in &mut self.sockets {
            let Some(peer) = socket.peer.as_ref().filter(|_| socket.is_open) else {
                continue;
            };
            let (waiting, is_closed) = (peer.waiting(), peer.is_closed());
            if waiting < SOCKET_BUFFER {
                socket.full_since = None;
            } else {
                socket.full_since.get_or_insert(now);
            }
            let client = self.clients.get(&socket.client);
            let reads = client.is_some_and(|client| !client.is_stalled);
            if socket.vanished_at.is_some() {
                ended.extend(is_closed.then_some(*number));
            } else if reads && !socket.is_reading && (waiting > 0 || is_closed) {
                socket.is_reading = true;
                due.push(*number);
            }
        }
        for number in ended {
            self.sockets.remove(&number);
        }
        for number in due {
            self.after(latency(), Event::Read(number));
        }
    }

    /// A client reads some of what has arrived.
    pub fn read(&mut self, number: u64) {
        let Some(socket) = self.sockets.get_mut(&number) else {
            return;
        };
        socket.is_reading = false;
        let peer = socket.peer.as_ref();
        let Some(peer) = peer.filter(|_| socket.vanished_at.is_none()) else {
            return;
        };
        let (client, bytes) = (
            socket.client,
            peer.read(random::rng().random_range(1..4_096)),
        );
        let is_left = peer.waiting() > 0;
        let has_ended = peer.is_closed() && !is_left;
        socket.decoder.feed(&bytes);
        let reader = self.clients.get(&client);
        if is_left && reader.is_some_and(|client| !client.is_stalled) {
            socket.is_reading = true;
            self.after(latency(), Event::Read(number));
        }
        loop {
            // A frame may lead to the end of its socket.
            let Some(socket) = self.sockets.get_mut(&number) else {
                return;
            };
            match socket.decoder.next_frame() {
                Ok(Some(frame)) => self.on_frame(number, client, frame),
                Ok(None) => break,
                Err(error) => return self.violate(Property::Frames, error),
            }
        }
        if has_ended {
            self.on_closed(number, ABNORMAL);
        }
    }

    fn on_frame(&mut self, number: u64, client: usize, frame: Frame) {
        match frame {
            Frame::Ping => self.send_to_node(number, frames::pong()),
            Frame::Close(code) => {
                self.write_to_node(number, &frames::close());
                self.on_closed(number, code);
            }
            Frame::Text(text) => {
                self.trace(format_args!("c{client}"), format_args!("<- {text}"));
                let event: Option<ServerEvent> = serde_json::from_str(&text).ok();
                let Some(event) = event else {
                    let what = format!("a node sent no event: {text}");
                    return self.violate(Property::Frames, what);
                };
                if let Some(error) = self.record_event(number, &event) {
                    let is_answer = matches!(event, ServerEvent::Watched { .. });
                    let property = if is_answer {
                        Property::Answers
                    } else {
                        Property::Delivers
                    };
                    self.violate(property, format!("c{client}: {error}"));
                }
                self.give(client, Input::Frame(Some(event)));
            }
        }
    }

    /// Records what a socket has delivered, and returns what is wrong with it.
    fn record_event(&mut self, number: u64, event: &ServerEvent) -> Option<String> {
        let socket = self.sockets.get_mut(&number)?;
        let upload = self.clients.get(&socket.client)?.upload;
        let topic = (upload, socket.process?);
        let subscribed_at = lock(&self.shared.bus).subscribed.get(&topic).copied();
        let subscribed_at = subscribed_at.unwrap_or_default();
        let (is_calm, now) = (self.is_calm, self.now);
        socket.protocol.on_event(event, subscribed_at, is_calm, now)
    }
}
