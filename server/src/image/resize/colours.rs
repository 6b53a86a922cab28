//! What an image's colours mean.

use png::Info;

use crate::image::profile::is_profile;

/// The usual gamma, and the primaries of sRGB, in hundred-thousandths as PNG has them.
const USUAL_GAMMA: u32 = 45_455;
const SRGB_PRIMARIES: [u32; 8] = [
    31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000,
];

/// How much values may differ from these: encoders round them.
const TOLERANCE: u32 = 500;

/// Whether a colour profile is for pixels of these colours: `RGB ` or `GRAY`.
pub(super) fn profile_fits(profile: &[u8], colours: [u8; 4]) -> bool {
    is_profile(profile, profile.len() as u64) && profile.get(16..20) == Some(&colours)
}

/// Whether a PNG's colours are described by its profile alone, or are those that a picture without one is shown with.
pub(super) fn are_plain(info: &Info<'_>) -> bool {
    if info.coding_independent_code_points.is_some() {
        return false;
    }
    if info.icc_profile.is_some() || info.srgb.is_some() {
        return true;
    }
    let is_near = |value: u32, usual: u32| value.abs_diff(usual) <= TOLERANCE;
    let has_usual_gamma =
        (info.gama_chunk).is_none_or(|gamma| is_near(gamma.into_scaled(), USUAL_GAMMA));
    let has_usual_primaries = info.chrm_chunk.is_none_or(|found| {
        let points = [found.white, found.red, found.green, found.blue];
        let values = points.iter().flat_map(|(x, y)| [x, y]);
        values
            .zip(SRGB_PRIMARIES)
            .all(|(value, usual)| is_near(value.into_scaled(), usual))
    });
    has_usual_gamma && has_usual_primaries
}
