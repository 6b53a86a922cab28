//! Every order of everything that can happen to a socket, up to a length, with bounds so small that each is reached.

use super::*;

/// Frames are three bytes long, the close frame too.
const LENGTH: usize = 3;
const BOUNDS: Bounds = Bounds {
    messages: 3,
    touches: 2,
    bytes: 4 * LENGTH,
};
const CLOSE: [u8; LENGTH] = *b"end";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// A frame is pushed, and the kernel takes so many bytes of it if it is asked.
    Message(usize),
    Touch,
    Answer,
    /// The kernel takes so many bytes of what waits; of one frame, of several, of all.
    Takes(usize),
    Stalls,
    Dies,
    /// The node has no room.
    Shed,
    Closes,
    Breaks,
}

const EVENTS: [Event; 12] = [
    Event::Message(0),
    Event::Message(1),
    Event::Touch,
    Event::Answer,
    Event::Takes(1),
    Event::Takes(4),
    Event::Takes(usize::MAX),
    Event::Stalls,
    Event::Dies,
    Event::Shed,
    Event::Closes,
    Event::Breaks,
];

/// A socket, and what its peer has read.
struct Socket {
    outgoing: Outgoing,
    node: Arc<WaitingBytes>,
    read: Vec<u8>,
    /// How many messages and how many touches were pushed.
    pushed: [u8; 2],
    overflowed: bool,
}

impl Socket {
    fn new() -> Self {
        Self {
            outgoing: Outgoing::default(),
            node: Arc::default(),
            read: Vec::new(),
            pushed: [0; 2],
            overflowed: false,
        }
    }

    fn after(events: &[Event]) -> Self {
        let mut socket = Self::new();
        for event in events {
            socket.step(*event);
        }
        socket
    }

    fn step(&mut self, event: Event) {
        let before = self.outgoing.state();
        match event {
            Event::Message(takes) => self.push(DeliveryClass::Message, takes, false),
            Event::Touch => self.push(DeliveryClass::Touch, 0, false),
            Event::Answer => self.push(DeliveryClass::Message, 0, true),
            Event::Takes(bytes) => self.takes(bytes),
            Event::Stalls => self.outgoing.give_up(End::Overflowed),
            Event::Dies => self.outgoing.give_up(End::Broken),
            Event::Shed => self.outgoing.shed(),
            Event::Closes => self.outgoing.close(Bytes::from_static(&CLOSE), &self.node),
            Event::Breaks => self.outgoing.broken(),
        }
        assert!(self.outgoing.state() >= before, "never back");
        if event == Event::Shed && before < State::Closing {
            assert_eq!(self.outgoing.waiting().2, 0, "freed at once");
        }
        self.overflowed |= self.outgoing.state() == State::Overflowed;
    }

    fn push(&mut self, class: DeliveryClass, takes: usize, is_answer: bool) {
        if self.outgoing.state() != State::Open {
            return;
        }
        let (kind, number) = match class {
            DeliveryClass::Message => (b'm', &mut self.pushed[0]),
            DeliveryClass::Touch => (b't', &mut self.pushed[1]),
        };
        *number += 1;
        let bytes = [kind, *number, b'.'];
        let written = if self.outgoing.is_empty() { takes } else { 0 };
        self.read.extend_from_slice(&bytes[..written]);
        let batch = Batch::one(class, Bytes::copy_from_slice(&bytes));
        let pushed = Pushed {
            batch: &batch,
            written,
            is_answer,
        };
        self.outgoing.push(&pushed, &BOUNDS, &self.node);
    }

    fn takes(&mut self, bytes: usize) {
        let mut pieces = [IoSlice::new(&[]); 16];
        let count = self.outgoing.pieces(&mut pieces);
        let all = pieces[..count].iter().flat_map(|piece| piece.iter());
        let taken: Vec<u8> = all.take(bytes).copied().collect();
        self.outgoing.took(taken.len());
        self.read.extend(taken);
    }

    fn check(&self) {
        let (messages, touches, bytes) = self.outgoing.waiting();
        let state = self.outgoing.state();
        // A frame that was begun, and a close frame, find room in any case.
        assert!(messages <= BOUNDS.messages + 1 && touches <= BOUNDS.touches);
        assert!(bytes <= BOUNDS.bytes + LENGTH);
        assert_eq!(self.node.get() == 0, bytes == 0, "nothing is forgotten");
        let mut pieces = [IoSlice::new(&[]); 16];
        let has_pieces = self.outgoing.pieces(&mut pieces) > 0;
        assert_eq!(has_pieces, !self.outgoing.is_empty());
        match self.outgoing.need() {
            Need::Nothing => assert!(!has_pieces && matches!(state, State::Open | State::Closing)),
            Need::Write => assert!(has_pieces, "something to do that can be done"),
            Need::Overflowed => assert_eq!(state, State::Overflowed),
            Need::Reset => assert!(!has_pieces && state == State::Cut),
            Need::Broken => assert!(!has_pieces && state == State::Broken),
        }
        if self.outgoing.has_answers() {
            assert!(
                has_pieces,
                "whoever waits for answers to be written is told"
            );
        }
        self.check_read();
    }

    /// Whole frames came, in order; messages without a hole as long as nothing was given up, and nothing after the close.
    fn check_read(&self) {
        let frames: Vec<_> = self.read.chunks(LENGTH).collect();
        let mut last = [0; 2];
        for (n, frame) in frames.iter().enumerate() {
            let is_last = n + 1 == frames.len();
            assert!(frame.len() == LENGTH || is_last, "frames are whole");
            match **frame {
                [b'e', ..] => {
                    assert!(is_last && self.outgoing.state() >= State::Closing);
                    assert!(CLOSE.starts_with(frame));
                }
                [b'm', number, ..] => {
                    assert_eq!(number, last[0] + 1, "no message is skipped");
                    last[0] = number;
                }
                [_, number, ..] => {
                    assert!(number > last[1], "touches in order");
                    last[1] = number;
                }
                _ => {}
            }
        }
    }

    /// Is given up again and again while its own task closes it, with a kernel that takes a byte at a time.
    fn ends(mut self) {
        self.step(Event::Stalls);
        if self.outgoing.need() == Need::Overflowed {
            self.step(Event::Closes);
        }
        for _ in 0..=BOUNDS.bytes + LENGTH {
            self.step(Event::Stalls);
            self.step(Event::Takes(1));
        }
        self.check();
        if self.outgoing.state() < State::Cut {
            assert_eq!(self.outgoing.need(), Need::Nothing);
            assert!(self.read.ends_with(&CLOSE), "a close frame is never lost");
        }
    }
}

#[test]
fn every_order_of_events_ends_well() {
    use Event::{Answer, Message, Touch};
    let nothing_waits: &[_] = &[];
    let nearly_full = &[Message(1), Answer, Message(0), Touch];
    for (start, depth) in [(nothing_waits, 5), (nearly_full, 4)] {
        let mut events = start.to_vec();
        let mut overflows = 0;
        explore(&mut events, start.len() + depth, &mut overflows);
        assert!(overflows > 0, "by what was pushed");
    }
}

fn explore(events: &mut Vec<Event>, depth: usize, overflows: &mut usize) {
    for event in EVENTS {
        events.push(event);
        let socket = Socket::after(events);
        socket.check();
        *overflows += usize::from(
            socket.overflowed && !events.contains(&Event::Stalls) && !events.contains(&Event::Shed),
        );
        socket.ends();
        if events.len() < depth {
            explore(events, depth, overflows);
        }
        events.pop();
    }
}

#[test]
fn messages_are_never_skipped_before_the_socket_is_given_up() {
    let mut socket = Socket::new();
    for _ in 0..3 {
        socket.step(Event::Message(0));
        socket.step(Event::Touch);
    }
    assert_eq!(
        socket.outgoing.waiting(),
        (3, 1, 4 * LENGTH),
        "touches make room"
    );
    socket.step(Event::Takes(usize::MAX));
    assert_eq!(socket.read, b"m\x01.m\x02.m\x03.t\x03.");
    for _ in 0..3 {
        socket.step(Event::Message(0));
    }
    assert_eq!(socket.outgoing.need(), Need::Write);
    socket.step(Event::Message(0));
    assert_eq!(socket.outgoing.need(), Need::Overflowed);
}

#[test]
fn bytes_are_bounded_as_well_as_frames() {
    let node = Arc::default();
    let mut outgoing = Outgoing::default();
    let bounds = Bounds {
        messages: 100,
        touches: 100,
        bytes: 1_000,
    };
    let mut push = |class, length: usize| {
        let batch = Batch::one(class, vec![0; length].into());
        let pushed = Pushed {
            batch: &batch,
            written: 0,
            is_answer: false,
        };
        let dropped = outgoing.push(&pushed, &bounds, &node);
        (dropped, outgoing.waiting(), outgoing.need())
    };
    push(DeliveryClass::Touch, 300);
    push(DeliveryClass::Touch, 300);
    let pushed = push(DeliveryClass::Message, 700);
    assert_eq!(pushed, (1, (1, 1, 1_000), Need::Write));
    let pushed = push(DeliveryClass::Touch, 400);
    assert_eq!(pushed, (2, (1, 0, 700), Need::Write), "it finds no room");
    let pushed = push(DeliveryClass::Message, 301);
    assert_eq!(pushed, (0, (0, 0, 0), Need::Overflowed));
}

#[test]
fn a_node_without_room_gives_up_the_socket_that_needs_more() {
    let node = Arc::new(WaitingBytes::new(1_000));
    let batch = |class| Batch::one(class, vec![0; 600].into());
    let push = |outgoing: &mut Outgoing, class| {
        let pushed = Pushed {
            batch: &batch(class),
            written: 0,
            is_answer: false,
        };
        outgoing.push(&pushed, &super::super::BOUNDS, &node)
    };
    let (mut first, mut second) = (Outgoing::default(), Outgoing::default());
    push(&mut first, DeliveryClass::Message);
    assert_eq!(push(&mut second, DeliveryClass::Touch), 1, "dropped");
    assert_eq!(second.need(), Need::Nothing);
    push(&mut second, DeliveryClass::Message);
    assert_eq!(
        (first.need(), second.need()),
        (Need::Write, Need::Overflowed)
    );
}

#[test]
fn a_begun_frame_finds_room_on_the_node_or_its_socket_is_cut_off() {
    let node = Arc::new(WaitingBytes::new(1_000));
    let begin = |length: usize| {
        let mut outgoing = Outgoing::default();
        let pushed = Pushed {
            batch: &Batch::one(DeliveryClass::Message, vec![0; length].into()),
            written: 1,
            is_answer: true,
        };
        outgoing.push(&pushed, &super::super::BOUNDS, &node);
        outgoing
    };
    let (mut first, second) = (begin(800), begin(800));
    assert_eq!((first.need(), second.need()), (Need::Write, Need::Reset));
    first.shed();
    assert_eq!((first.need(), node.get()), (Need::Reset, 0));
}
