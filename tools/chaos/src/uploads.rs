//! Somebody who uploads pictures throughout, and whether those that were acknowledged are whole afterwards.

use std::time::Duration;

use app::live::failure::ApiFailure;
use app::model::Upload;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Client;
use reqwest::multipart::{Form, Part};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::balancer::Balancer;
use crate::client::read;
use crate::phase::Phase;
use crate::picture;

/// Mean time between two uploads.
const EVERY: Duration = Duration::from_secs(2);
/// How long the uploads that the run begins with may take.
const FIRST_WITHIN: Duration = Duration::from_secs(20);

/// What became of the uploads.
#[derive(Debug, Default)]
pub struct Uploads {
    /// Those that were answered 201, with what was sent.
    pub acknowledged: Vec<(Upload, Vec<u8>)>,
    /// How many others were tried.
    pub failed: usize,
    /// The longest time that an answer of failure took.
    pub slowest_failure: Duration,
}

/// Uploads a picture; the upload and its bytes.
async fn upload(
    http: &Client,
    balancer: &Balancer,
    chance: &mut StdRng,
) -> Result<(Upload, Vec<u8>), ApiFailure> {
    let bytes = picture::png(chance);
    let file = Part::bytes(bytes.clone()).file_name("picture.png");
    let url = format!("http://{}/api/uploads", balancer.choose());
    let request = http.post(url).multipart(Form::new().part("file", file));
    Ok((read(request).await?, bytes))
}

/// The uploads that the clients talk about.
///
/// # Errors
/// The last failure, when that takes too long.
pub async fn first(
    count: usize,
    http: &Client,
    balancer: &Balancer,
    seed: u64,
) -> Result<Vec<(Upload, Vec<u8>)>, ApiFailure> {
    let mut chance = StdRng::seed_from_u64(seed);
    let begin = Instant::now();
    let mut uploads = Vec::new();
    while uploads.len() < count {
        match upload(http, balancer, &mut chance).await {
            Ok(done) => uploads.push(done),
            Err(failure) if begin.elapsed() > FIRST_WITHIN => return Err(failure),
            Err(_) => sleep(EVERY / 4).await,
        }
    }
    Ok(uploads)
}

/// Uploads now and then, until the run is over.
pub async fn keep_trying(
    http: Client,
    balancer: Balancer,
    seed: u64,
    mut phase: watch::Receiver<Phase>,
) -> Uploads {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut uploads = Uploads::default();
    loop {
        let pause = EVERY.mul_f64(chance.random_range(0.1..1.9));
        tokio::select! {
            () = sleep(pause) => {}
            _ = phase.wait_for(|phase| *phase == Phase::Over) => return uploads,
        }
        if *phase.borrow() == Phase::Writing {
            let begin = Instant::now();
            if let Ok(done) = upload(&http, &balancer, &mut chance).await {
                uploads.acknowledged.push(done);
            } else {
                uploads.failed += 1;
                uploads.slowest_failure = uploads.slowest_failure.max(begin.elapsed());
            }
        }
    }
}
