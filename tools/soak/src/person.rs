//! A person: comes, perhaps uploads a picture, looks at one upload after the other, and leaves.

mod visit;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use app::model::{AuthorName, AuthorSecret, MessageId, Seq, TabId, UploadId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use testbed::noise_png;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::api::{self, Api, Failure};
use crate::board::{Board, Shared};
use crate::counters::Counters;
use crate::socket::Socket;

/// So many people come for each that uploads a picture.
const PEOPLE_PER_UPLOAD: u32 = 30;
/// Width and height of pictures: a small one, one of some hundred kB, and one of which smaller ones are made.
const SIZES: [[u32; 2]; 3] = [[48, 48], [400, 400], [1400, 100]];
/// How often each of them is uploaded, of ten times.
const WEIGHTS: [u32; 3] = [6, 2, 2];
/// The longest stay, as a multiple of the mean.
const MAX_STAY: f64 = 5.0;
/// Before the next person comes, so that a node that is down is not asked all the time.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);

/// What all people share.
#[derive(Debug)]
pub struct World {
    pub node: SocketAddr,
    pub board: Board,
    pub counters: Arc<Counters>,
    pub seed: u64,
    /// The mean time that a person stays; it sets the pace of everything else.
    pub stay: Duration,
}

/// How looking at an upload ends.
enum End {
    Left,
    Moved,
}

struct Person {
    world: Arc<World>,
    number: u32,
    rng: StdRng,
    address: IpAddr,
    alias: AuthorName,
    secret: AuthorSecret,
    tab: TabId,
    api: Api,
    /// Absent before the first upload.
    socket: Option<Socket>,
    own: Vec<(UploadId, Seq, MessageId)>,
    written: u32,
    leaves_at: Instant,
}

/// Lives the life of the person with this number, until it leaves by itself or is asked to. Everything that nobody
/// expects is counted, and printed.
pub async fn live(world: Arc<World>, number: u32, leave: CancellationToken) {
    let lived = async {
        let mut person = Person::new(Arc::clone(&world), number)?;
        person.stay(&leave).await?;
        person.leave().await
    };
    if let Err(failure) = lived.await {
        let error = match failure {
            Failure::Gone => "an upload is gone that nobody has deleted".to_owned(),
            Failure::Unexpected(error) => error,
        };
        world.counters.error(&format!("person {number}: {error}"));
        sleep(PAUSE_AFTER_ERROR).await;
    }
}

/// Uploads the first picture of a run, or one more, as a person that does nothing else.
pub async fn upload_one(world: &Arc<World>, number: u32) -> Result<(), Failure> {
    Person::new(Arc::clone(world), number)?
        .share()
        .await
        .map(drop)
}

impl Person {
    fn new(world: Arc<World>, number: u32) -> Result<Self, Failure> {
        let mut rng = StdRng::seed_from_u64(world.seed.rotate_left(32) ^ u64::from(number));
        let address = api::address(number);
        // The time between two leavings is exponentially distributed.
        let stay = (-rng.random_range(f64::EPSILON..1.0).ln()).min(MAX_STAY);
        let name = format!("Person-{number}");
        Ok(Self {
            api: Api::new(
                &format!("http://{}", world.node),
                address,
                Arc::clone(&world.counters),
            )?,
            alias: name.parse().expect("it is short"),
            secret: format!("the-secret-of-{name:->22}")
                .parse()
                .expect("it is long enough"),
            tab: name.parse().expect("it has letters, digits and a hyphen"),
            leaves_at: Instant::now() + world.stay.mul_f64(stay),
            socket: None,
            own: Vec::new(),
            written: 0,
            world,
            number,
            rng,
            address,
        })
    }

    async fn stay(&mut self, leave: &CancellationToken) -> Result<(), Failure> {
        let mut next = None;
        if self.rng.random_ratio(1, PEOPLE_PER_UPLOAD) {
            next = Some(self.share().await?);
        }
        loop {
            let picked = next.take().or_else(|| self.world.board.pick(&mut self.rng));
            let shared = picked.ok_or_else(|| "no upload is left".to_owned())?;
            match self.visit(&shared, leave).await {
                Ok(End::Left) => return Ok(()),
                Ok(End::Moved) => self.world.counters.count("moves to another upload"),
                Err(Failure::Gone) if !self.world.board.has(shared.upload.id) => {
                    self.world.counters.count("uploads seen to go");
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Leaves politely or not.
    async fn leave(self) -> Result<(), Failure> {
        self.world.counters.count("people who left");
        if let Some(socket) = self.socket {
            socket.end(self.number.is_multiple_of(3)).await?;
        }
        Ok(())
    }

    /// Uploads a picture and makes it known. Deletes the oldest one if there are too many.
    async fn share(&mut self) -> Result<Arc<Shared>, Failure> {
        let mut choice = self.rng.random_range(0..WEIGHTS.iter().sum());
        let size = SIZES.into_iter().zip(WEIGHTS).find(|(_, weight)| {
            let is_it = choice < *weight;
            choice = choice.saturating_sub(*weight);
            is_it
        });
        let (size, _) = size.expect("the choice is smaller than the sum");
        let upload = self
            .api
            .upload(noise_png(size, &mut self.rng), &self.secret)
            .await?;
        self.world.counters.count("uploads");
        let shared = Arc::new(Shared {
            upload,
            owner: self.secret.clone(),
        });
        self.world.board.add(Arc::clone(&shared));
        if let Some(old) = self.world.board.take_surplus() {
            self.api.delete_upload(old.upload.id, &old.owner).await?;
            self.world.counters.count("deleted uploads");
        }
        Ok(shared)
    }
}
