//! A client that uploads pictures throughout the run.

use std::time::Duration;

use app::live::failure::ApiFailure;
use app::model::{AuthorSecret, Upload};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep};

use crate::client::{Api, Context, Phase};

/// Mean time between two uploads.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the uploads at the start of the run may take.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Pixels a side.
const SIDE: u32 = 16;

/// An acknowledged upload and the bytes that were sent.
pub type Sent = (Upload, Vec<u8>);

/// The uploads that the clients write about, each with its owner's secret, or the last failure.
pub async fn first(
    count: usize,
    api: &Api,
    seed: u64,
    owner: impl Fn(usize) -> AuthorSecret,
) -> Result<Vec<Sent>, ApiFailure> {
    let mut rng = StdRng::seed_from_u64(seed);
    let begin = Instant::now();
    let mut uploads = Vec::new();
    while uploads.len() < count {
        match upload(api, &mut rng, Some(&owner(uploads.len()))).await {
            Ok(done) => uploads.push(done),
            Err(failure) if begin.elapsed() > START_TIMEOUT => return Err(failure),
            Err(_) => sleep(PAUSE / 4).await,
        }
    }
    Ok(uploads)
}

/// Uploads now and then until the run is over; what was acknowledged.
pub async fn keep_uploading(context: Context, seed: u64) -> Vec<Sent> {
    let Context {
        api,
        recorder,
        mut phase,
        ..
    } = context;
    let mut rng = StdRng::seed_from_u64(seed);
    let mut acknowledged = Vec::new();
    loop {
        let pause = PAUSE.mul_f64(rng.random_range(0.1..1.9));
        tokio::select! {
            () = sleep(pause) => {}
            _ = phase.wait_for(|phase| *phase == Phase::Over) => return acknowledged,
        }
        if *phase.borrow() == Phase::Writing {
            match upload(&api, &mut rng, None).await {
                Ok(done) => acknowledged.push(done),
                Err(_) => recorder.count("failed upload", 1),
            }
        }
    }
}

async fn upload(
    api: &Api,
    rng: &mut StdRng,
    owner: Option<&AuthorSecret>,
) -> Result<Sent, ApiFailure> {
    let bytes = png(rng);
    Ok((api.create_upload(bytes.clone(), owner).await?, bytes))
}

/// A small PNG of noise, unlike any other.
fn png(rng: &mut StdRng) -> Vec<u8> {
    let pixels: Vec<u8> = (0..SIDE * SIDE * 3).map(|_| rng.random()).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    let writer = encoder.write_header();
    let written = writer.and_then(|mut writer| writer.write_image_data(&pixels));
    written.expect("writing to a vector cannot fail");
    bytes
}
