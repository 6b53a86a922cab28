//! A client that uploads pictures throughout the run.

use std::time::Duration;

use app::live::failure::ApiFailure;
use app::model::{AuthorSecret, Upload};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use testbed::noise_png;
use tokio::time::{Instant, sleep};

use crate::client::{Api, Context, Phase};
use crate::recorder::Recorder;

/// Mean time between two uploads.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the uploads at the start of the run may take.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Width and height, in pixels.
const SMALL: [u32; 2] = [16, 16];
/// Of a picture that is wider than the smallest one that is made of it.
pub const WIDE: [u32; 2] = [700, 8];

/// An acknowledged upload and the bytes that were sent.
pub type Sent = (Upload, Vec<u8>);

/// The uploads that the clients write about, each with its owner's secret, or the last failure.
pub async fn first(
    count: usize,
    (api, recorder): (&Api, &Recorder),
    seed: u64,
    owner: impl Fn(usize) -> AuthorSecret,
) -> Result<Vec<Sent>, ApiFailure> {
    let mut rng = StdRng::seed_from_u64(seed);
    let begin = Instant::now();
    let mut uploads = Vec::new();
    while uploads.len() < count {
        match upload(api, recorder, &mut rng, Some(&owner(uploads.len()))).await {
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
            acknowledged.extend(upload(&api, &recorder, &mut rng, None).await);
        }
    }
}

async fn upload(
    api: &Api,
    recorder: &Recorder,
    rng: &mut StdRng,
    owner: Option<&AuthorSecret>,
) -> Result<Sent, ApiFailure> {
    let bytes = noise_png(SMALL, rng);
    let answer = api.create_upload(bytes.clone(), owner, None).await;
    recorder.on_upload(&bytes, &answer);
    Ok((answer?, bytes))
}
