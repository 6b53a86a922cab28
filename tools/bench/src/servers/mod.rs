//! Programs that this one can be, to compare with: started as a process of their own by a hidden command.

pub mod broadcast;
pub mod decode;
pub mod floor;
