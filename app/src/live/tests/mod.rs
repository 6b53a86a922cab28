mod catching_up;
pub(super) mod fixture;
mod line;
mod pointing;
mod rig;
mod sending;
mod simulation;
mod world;
