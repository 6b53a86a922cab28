//! Against real servers.

mod suite;
