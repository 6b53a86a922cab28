//! Checking and rewriting uploaded images.

#[cfg(test)]
#[path = "../common/bomb.rs"]
mod bomb;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod gifs;
#[cfg(test)]
mod helpers;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod pixels;
#[cfg(test)]
mod pool;
#[cfg(test)]
mod resizing;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod stripping;
#[cfg(test)]
mod webps;
