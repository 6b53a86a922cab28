//! The properties, and what shows that one does not hold.

use std::fmt;

macro_rules! properties {
    ($($property:ident: $meaning:literal,)*) => {
        /// What has to hold.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Property {
            $(#[doc = $meaning] $property,)*
        }

        impl Property {
            /// What it says.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$property => $meaning,)*
                }
            }
        }
    };
}

properties! {
    QueuesAreBounded: "What is queued, for a socket or in a node, is within its bounds.",
    NothingPanics: "No code of a node or of a client panics.",
    DeadSocketsClose: "A socket that takes nothing, or whose client has vanished, is closed in time.",
    Rests: "Time passes: no task goes on and on.",
    Stops: "A node that is stopped ends in time.",
    Frames: "What a node sends are whole frames with events.",
    Answers: "The answer to a watch follows what the client has, and that to a post is the message.",
    TellsOfLosses: "A node that works tells of all that is stored, whatever frames were lost.",
    KeepsImages: "The image of an upload that exists is there.",
    Delivers: "Without faults a socket delivers all that is new, once.",
    CatchesUp: "When all faults are over, everyone has caught up soon.",
    ListsAgree: "Every list is a part of the log without a gap, and all of it when everyone has caught up.",
    ListsStay: "No list starts anew or loses its newest entries, unless a restore has lost something.",
    Durable: "What was acknowledged is stored.",
    ArrivesInTime: "Without faults a message is everywhere at once.",
    StaysOpen: "Without faults the socket of a client that reads stays open.",
    Presence: "Everyone is told how many viewers there are, and their names.",
    Deletes: "Without faults an upload can be deleted.",
    ToldOfTheEnd: "Everyone is told that an upload is gone.",
    LeavesNothing: "Nothing is left of what nobody watches, and of what is deleted.",
}

/// A property that does not hold, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The property.
    pub property: Property,
    /// What shows it.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.property, self.what)
    }
}
