//! Every sequence of events up to a length, with limits so small that each is reached.

use super::*;

/// Frames are three bytes long, the close frame too.
const LENGTH: usize = 3;
const LIMITS: Limits = Limits {
    messages: 3,
    touches: 2,
    bytes: 4 * LENGTH,
};
const CLOSE: [u8; LENGTH] = *b"end";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// A frame is pushed, of which the kernel accepts this many bytes if nothing is queued.
    Message(usize),
    Touch,
    Answer,
    /// The kernel accepts this many bytes of what is queued.
    Accepts(usize),
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
    Event::Accepts(1),
    Event::Accepts(4),
    Event::Accepts(usize::MAX),
    Event::Stalls,
    Event::Dies,
    Event::Shed,
    Event::Closes,
    Event::Breaks,
];

/// A socket, and what its peer has read.
struct Socket {
    queue: WriteQueue,
    node: Arc<QueuedBytes>,
    read: Vec<u8>,
    /// How many messages and how many touches were pushed.
    pushed: [u8; 2],
    overflowed: bool,
}

fn queued(messages: usize, touches: usize, bytes: usize) -> Queued {
    Queued {
        messages,
        touches,
        bytes,
    }
}

impl Socket {
    fn new() -> Self {
        Self {
            queue: WriteQueue::default(),
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
        let before = self.queue.state();
        match event {
            Event::Message(accepted) => self.push(DeliveryClass::Message, accepted, false),
            Event::Touch => self.push(DeliveryClass::Touch, 0, false),
            Event::Answer => self.push(DeliveryClass::Message, 0, true),
            Event::Accepts(bytes) => self.accept(bytes),
            Event::Stalls => self.queue.fail(Failure::TooSlow),
            Event::Dies => self.queue.fail(Failure::Dead),
            Event::Shed => self.queue.shed(),
            Event::Closes => self.queue.close(Bytes::from_static(&CLOSE), &self.node),
            Event::Breaks => self.queue.set_broken(),
        }
        assert!(self.queue.state() >= before, "states only advance");
        if event == Event::Shed && before < State::Closing {
            assert_eq!(self.queue.queued().bytes, 0, "freed at once");
        }
        self.overflowed |= self.queue.state() == State::TooSlow;
    }

    fn push(&mut self, class: DeliveryClass, accepted: usize, is_answer: bool) {
        if self.queue.state() != State::Open {
            return;
        }
        let (kind, number) = match class {
            DeliveryClass::Message => (b'm', &mut self.pushed[0]),
            DeliveryClass::Touch | DeliveryClass::Presence => (b't', &mut self.pushed[1]),
        };
        *number += 1;
        let bytes = [kind, *number, b'.'];
        let written = if self.queue.is_empty() { accepted } else { 0 };
        self.read.extend_from_slice(&bytes[..written]);
        let batch = Batch::single(class, Bytes::copy_from_slice(&bytes));
        let push = Push {
            batch: &batch,
            written,
            is_answer,
        };
        self.queue.push(&push, &LIMITS, &self.node);
    }

    fn accept(&mut self, bytes: usize) {
        let mut slices = [IoSlice::new(&[]); 16];
        let count = self.queue.chunks_vectored(&mut slices);
        let all = slices[..count].iter().flat_map(|slice| slice.iter());
        let taken: Vec<u8> = all.take(bytes).copied().collect();
        self.queue.consume(taken.len());
        self.read.extend(taken);
    }

    fn check(&self) {
        let Queued {
            messages,
            touches,
            bytes,
        } = self.queue.queued();
        let state = self.queue.state();
        // A partly written frame and a close frame are queued whatever the limits.
        assert!(messages <= LIMITS.messages + 1 && touches <= LIMITS.touches);
        assert!(bytes <= LIMITS.bytes + LENGTH);
        assert_eq!(
            self.node.get() == 0,
            bytes == 0,
            "all queued bytes are counted"
        );
        let mut slices = [IoSlice::new(&[]); 16];
        let has_slices = self.queue.chunks_vectored(&mut slices) > 0;
        assert_eq!(has_slices, !self.queue.is_empty());
        match self.queue.next_action() {
            Action::Wait => assert!(!has_slices && matches!(state, State::Open | State::Closing)),
            Action::Write => assert!(has_slices, "there is something to write"),
            Action::CloseTooSlow => assert_eq!(state, State::TooSlow),
            Action::Reset => assert!(!has_slices && state == State::Reset),
            Action::Disconnect => assert!(!has_slices && state == State::Broken),
        }
        if self.queue.has_answers() {
            assert!(has_slices, "answers will be written");
        }
        self.check_read();
    }

    /// Checks that whole frames were read in order: no message is missing, and nothing follows the close frame.
    fn check_read(&self) {
        let frames: Vec<_> = self.read.chunks(LENGTH).collect();
        let mut last = [0; 2];
        for (n, frame) in frames.iter().enumerate() {
            let is_last = n + 1 == frames.len();
            assert!(frame.len() == LENGTH || is_last, "frames are whole");
            match **frame {
                [b'e', ..] => {
                    assert!(is_last && self.queue.state() >= State::Closing);
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

    /// Fails again and again while its own task closes it, with a kernel that accepts a byte at a time.
    fn check_ends(mut self) {
        self.step(Event::Stalls);
        if self.queue.next_action() == Action::CloseTooSlow {
            self.step(Event::Closes);
        }
        for _ in 0..=LIMITS.bytes + LENGTH {
            self.step(Event::Stalls);
            self.step(Event::Accepts(1));
        }
        self.check();
        if self.queue.state() < State::Reset {
            assert_eq!(self.queue.next_action(), Action::Wait);
            assert!(self.read.ends_with(&CLOSE), "a close frame is never lost");
        }
    }
}

#[test]
fn every_sequence_of_events_keeps_the_invariants() {
    use Event::{Answer, Message, Touch};
    let empty: &[_] = &[];
    let nearly_full = &[Message(1), Answer, Message(0), Touch];
    for (start, depth) in [(empty, 5), (nearly_full, 4)] {
        let mut events = start.to_vec();
        let mut overflows = 0;
        explore(&mut events, start.len() + depth, &mut overflows);
        assert!(overflows > 0, "pushes overflow the queue");
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
        socket.check_ends();
        if events.len() < depth {
            explore(events, depth, overflows);
        }
        events.pop();
    }
}

#[test]
fn no_message_is_skipped_before_the_socket_overflows() {
    let mut socket = Socket::new();
    for _ in 0..3 {
        socket.step(Event::Message(0));
        socket.step(Event::Touch);
    }
    assert_eq!(
        socket.queue.queued(),
        queued(3, 1, 4 * LENGTH),
        "touches make room"
    );
    socket.step(Event::Accepts(usize::MAX));
    assert_eq!(socket.read, b"m\x01.m\x02.m\x03.t\x03.");
    for _ in 0..3 {
        socket.step(Event::Message(0));
    }
    assert_eq!(socket.queue.next_action(), Action::Write);
    socket.step(Event::Message(0));
    assert_eq!(socket.queue.next_action(), Action::CloseTooSlow);
}

#[test]
fn bytes_are_limited_as_well_as_frames() {
    let node = Arc::default();
    let mut queue = WriteQueue::default();
    let limits = Limits {
        messages: 100,
        touches: 100,
        bytes: 1_000,
    };
    let mut push = |class, length: usize| {
        let batch = Batch::single(class, vec![0; length].into());
        let push = Push {
            batch: &batch,
            written: 0,
            is_answer: false,
        };
        let dropped = queue.push(&push, &limits, &node);
        (dropped, queue.queued(), queue.next_action())
    };
    push(DeliveryClass::Touch, 300);
    push(DeliveryClass::Touch, 300);
    let pushed = push(DeliveryClass::Message, 700);
    assert_eq!(pushed, (1, queued(1, 1, 1_000), Action::Write));
    let pushed = push(DeliveryClass::Touch, 400);
    assert_eq!(
        pushed,
        (2, queued(1, 0, 700), Action::Write),
        "there is no room for it"
    );
    let pushed = push(DeliveryClass::Message, 301);
    assert_eq!(pushed, (0, queued(0, 0, 0), Action::CloseTooSlow));
}

#[test]
fn on_a_node_without_room_the_socket_that_needs_more_overflows() {
    let node = Arc::new(QueuedBytes::new(1_000));
    let batch = |class| Batch::single(class, vec![0; 600].into());
    let push = |queue: &mut WriteQueue, class| {
        let push = Push {
            batch: &batch(class),
            written: 0,
            is_answer: false,
        };
        queue.push(&push, &super::super::LIMITS, &node)
    };
    let (mut first, mut second) = (WriteQueue::default(), WriteQueue::default());
    push(&mut first, DeliveryClass::Message);
    assert_eq!(push(&mut second, DeliveryClass::Touch), 1, "dropped");
    assert_eq!(second.next_action(), Action::Wait);
    push(&mut second, DeliveryClass::Message);
    assert_eq!(
        (first.next_action(), second.next_action()),
        (Action::Write, Action::CloseTooSlow)
    );
}

#[test]
fn without_room_for_the_rest_of_a_frame_the_connection_is_reset() {
    let node = Arc::new(QueuedBytes::new(1_000));
    let begin = |length: usize| {
        let mut queue = WriteQueue::default();
        let push = Push {
            batch: &Batch::single(DeliveryClass::Message, vec![0; length].into()),
            written: 1,
            is_answer: true,
        };
        queue.push(&push, &super::super::LIMITS, &node);
        queue
    };
    let (mut first, second) = (begin(800), begin(800));
    assert_eq!(
        (first.next_action(), second.next_action()),
        (Action::Write, Action::Reset)
    );
    first.shed();
    assert_eq!((first.next_action(), node.get()), (Action::Reset, 0));
}
