//! What becomes of uploaded pictures.

#[cfg(test)]
mod damage;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod pool;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod stripping;
