//! Uploads that end during the run: their owners delete them, an admin removes and blocks them, or they expire.

use std::time::Duration;

use app::live::failure::ApiFailure;
use app::model::{AuthorSecret, NewMessage, Timestamp, Upload};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use testbed::noise_png;
use tokio::time::{sleep, timeout};

use crate::client::{Context, Phase, random_text};
use crate::restores;
use crate::uploads::WIDE;

/// Mean time between two uploads.
const PAUSE: Duration = Duration::from_secs(4);
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The shortest time that the API allows, in seconds.
const EXPIRES_IN: u32 = 60;
/// What is made of each picture before it ends.
const SIZES: [&str; 3] = ["", "?w=640", "/preview.jpg"];

/// How an upload ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By its owner.
    Deleted,
    /// By an admin; the same image is refused from then on.
    Blocked,
    Expired,
}

const ENDS: [End; 3] = [End::Deleted, End::Blocked, End::Expired];

/// An upload that has ended, or will.
#[derive(Debug)]
pub struct Ended {
    pub upload: Upload,
    /// Of the message that was posted about it.
    pub message: String,
    pub end: End,
    /// Whether it was answered that it has ended; those that expire need no answer.
    pub is_confirmed: bool,
    /// When it was sent, and when its end was answered.
    pub times: [Timestamp; 2],
}

impl Ended {
    /// Whether it must be gone by now.
    pub fn is_gone(&self) -> bool {
        match self.upload.expires_at {
            // A node may take a second to notice it.
            Some(time) => time.unix_millis() + 1_000 < restores::now().unix_millis(),
            None => self.is_confirmed,
        }
    }

    /// The addresses of all that is known about it.
    pub fn addresses(&self) -> Vec<String> {
        let (id, short_id, url) = (
            self.upload.id,
            self.upload.short_id,
            &self.upload.content.url,
        );
        let mut addresses = vec![
            format!("/u/{short_id}"),
            format!("/api/uploads/{id}"),
            format!("/api/uploads/{id}/messages"),
        ];
        addresses.extend(SIZES.map(|size| format!("{url}{size}")));
        addresses
    }
}

/// Uploads and ends now and then until the run is over; `name` is that of the messages.
pub async fn keep_ending(context: Context, name: char, seed: u64) -> Vec<Ended> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut phase = context.phase.clone();
    let mut ended = Vec::new();
    for number in 1.. {
        let pause = PAUSE.mul_f64(rng.random_range(0.1..1.9));
        let over = phase.wait_for(|phase| *phase == Phase::Over);
        if timeout(pause, over).await.is_ok() {
            break;
        }
        if *context.phase.borrow() == Phase::Writing {
            let one = One {
                context: &context,
                name: format!("{name}{number}"),
                end: ENDS[number % ENDS.len()],
            };
            ended.extend(one.run(&mut rng).await);
        }
    }
    ended
}

/// The life of one upload.
struct One<'a> {
    context: &'a Context,
    name: String,
    end: End,
}

impl One<'_> {
    /// `None` if it could not be uploaded.
    async fn run(self, rng: &mut StdRng) -> Option<Ended> {
        let Context { api, recorder, .. } = self.context;
        let begin = restores::now();
        let owner = secret(&self.name, "run");
        let bytes = noise_png(WIDE, rng);
        let expires_in = (self.end == End::Expired).then_some(EXPIRES_IN);
        let upload = api.create_upload(bytes.clone(), Some(&owner), expires_in);
        let upload = upload.await;
        recorder.on_upload(&bytes, &upload);
        let upload = upload.ok()?;
        let message = format!("{}-1", self.name);
        let mut ended = Ended {
            upload,
            message,
            end: self.end,
            is_confirmed: false,
            times: [begin, restores::now()],
        };
        self.use_it(&ended, &owner, rng).await;
        let id = ended.upload.id;
        // It differs from the owner's in the last character.
        let by_stranger = api.delete_upload(id, &secret(&self.name, "rum")).await;
        if by_stranger.is_ok() {
            let violation = format!("a stranger has deleted the upload of {}", ended.message);
            recorder.violation(violation);
        }
        ended.is_confirmed = match self.end {
            End::Deleted => self.insist(|| api.delete_upload(id, &owner)).await,
            End::Blocked => self.insist(|| api.block_upload(id)).await,
            End::Expired => false,
        };
        ended.times[1] = restores::now();
        if ended.is_confirmed {
            recorder.count(format!("upload: {:?}", self.end), 1);
        }
        if ended.is_confirmed && self.end == End::Blocked {
            self.send_again(bytes, begin).await;
        }
        Some(ended)
    }

    /// Posts a message about it and has smaller pictures made; whether that succeeds does not matter.
    async fn use_it(&self, ended: &Ended, owner: &AuthorSecret, rng: &mut StdRng) {
        let api = &self.context.api;
        let new = NewMessage {
            author_name: self.name.parse().expect("a name"),
            content: random_text(&ended.message, true, rng)
                .parse()
                .expect("a text"),
            client_message_id: ended.message.parse().expect("an id"),
            at: None,
            author: None,
        };
        let _ = api.post(ended.upload.id, &new, Some(owner)).await;
        for address in ended.addresses() {
            let _ = api.get(&address).await;
        }
    }

    /// Calls until it is answered well; `false` if it never is.
    async fn insist<F: Future<Output = Result<(), ApiFailure>>>(
        &self,
        call: impl Fn() -> F,
    ) -> bool {
        let mut is_first = true;
        while *self.context.phase.borrow() != Phase::Over {
            match call().await {
                Ok(()) => return true,
                // An earlier answer was lost.
                Err(ApiFailure::Refused(problem)) if problem.status == 410 && !is_first => {
                    return true;
                }
                Err(ApiFailure::Refused(problem)) => {
                    if problem.status != 404 || !self.context.restores.is_restored() {
                        let (end, detail) = (self.end, problem.detail);
                        self.violation(&format!("{end:?} was refused: {detail}"));
                    }
                    return false;
                }
                Err(_) => self.context.recorder.count("failed end of an upload", 1),
            }
            is_first = false;
            sleep(RETRY_PAUSE).await;
        }
        false
    }

    /// Checks that the image is refused when it is uploaded again.
    async fn send_again(&self, bytes: Vec<u8>, begin: Timestamp) {
        let Context {
            api,
            recorder,
            restores,
            ..
        } = self.context;
        while *self.context.phase.borrow() != Phase::Over {
            match api.create_upload(bytes.clone(), None, None).await {
                Err(ApiFailure::Refused(it)) if it.kind == "/problems/blocked" => {
                    recorder.count("refused image", 1);
                    return;
                }
                Err(ApiFailure::Refused(it)) => {
                    let kind = it.kind;
                    return self.violation(&format!("its image was refused as {kind}"));
                }
                Err(_) => sleep(RETRY_PAUSE).await,
                Ok(_) if restores.may_have_lost([begin, restores::now()]) => return,
                Ok(_) => return self.violation("its image is blocked and was accepted again"),
            }
        }
    }

    fn violation(&self, what: &str) {
        let name = &self.name;
        self.context
            .recorder
            .violation(format!("upload {name}: {what}"));
    }
}

fn secret(name: &str, end: &str) -> AuthorSecret {
    let secret = format!("the-secret-of-owner-{name}-of-a-{end}");
    secret.parse().expect("it is long enough")
}
