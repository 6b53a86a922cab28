//! Folders and files of a node, kept so that they last or go with it.

pub mod folder;
pub mod scratch;
pub mod write_proof;
