//! The systems to compare with that are part of this program: processes of their own, by hidden commands.

pub mod bare;
pub mod broadcast;
