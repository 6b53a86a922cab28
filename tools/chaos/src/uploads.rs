//! Uploads of the run: some stay, and others end. Their owners delete them, an admin removes and blocks them, or they
//! expire.

use std::time::Duration;

use app::live::failure::ApiFailure;
use app::model::{AuthorSecret, NewMessage, Timestamp, Upload};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use testbed::noise_png;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Context, Phase, random_text};
use crate::restores::{self, Restores};

/// Mean time between two uploads.
const PAUSE: Duration = Duration::from_secs(2);
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long the uploads at the start of the run may take.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// The shortest time that the API allows, in seconds.
const EXPIRES_IN: u32 = 60;
/// Width and height of a picture, in pixels: it is wider than the smallest one that is made of it.
const SIZE: [u32; 2] = [700, 8];
/// What is made of each picture.
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

/// In turns; `None` stays.
const ENDS: [Option<End>; 4] = [
    None,
    Some(End::Deleted),
    Some(End::Blocked),
    Some(End::Expired),
];

/// An acknowledged upload.
#[derive(Debug, Clone)]
pub struct Sent {
    pub upload: Upload,
    /// The image that was sent.
    pub bytes: Vec<u8>,
    /// The name of the message that was posted about it.
    pub message: String,
    pub end: Option<End>,
    /// Whether it was answered that it has ended; those that expire need no answer.
    is_confirmed: bool,
    /// When it was sent, and when the last call that changed it was answered.
    times: [Timestamp; 2],
}

impl Sent {
    /// Whether it must be gone by now.
    pub fn is_gone(&self) -> bool {
        match self.upload.expires_at {
            // A node may take a second to notice it.
            Some(time) => time.unix_millis() + 1_000 < restores::now().unix_millis(),
            None => self.is_confirmed,
        }
    }

    /// Whether a restore may have lost it, or its end.
    pub fn may_be_lost(&self, restores: &Restores) -> bool {
        restores.may_have_lost(self.times)
    }

    /// The addresses of all that is known about it.
    pub fn addresses(&self) -> Vec<String> {
        let Upload {
            id,
            short_id,
            content,
            ..
        } = &self.upload;
        let mut addresses = vec![
            format!("/u/{short_id}"),
            format!("/api/uploads/{id}"),
            format!("/api/uploads/{id}/messages"),
        ];
        addresses.extend(SIZES.map(|size| format!("{}{size}", content.url)));
        addresses
    }
}

/// The uploads that the clients write about, each with its owner's secret, or the last failure.
pub async fn first(
    count: usize,
    context: &Context,
    seed: u64,
    owner: impl Fn(usize) -> AuthorSecret,
) -> Result<Vec<Sent>, ApiFailure> {
    let mut rng = StdRng::seed_from_u64(seed);
    let begin = Instant::now();
    let mut uploads = Vec::new();
    while uploads.len() < count {
        let owner = owner(uploads.len());
        match upload(context, &mut rng, &owner, None).await {
            Ok(done) => uploads.push(done),
            Err(failure) if begin.elapsed() > START_TIMEOUT => return Err(failure),
            Err(_) => sleep(RETRY_PAUSE).await,
        }
    }
    Ok(uploads)
}

/// Uploads now and then until the run is over, and lets three of four end; `name` is that of the messages.
pub async fn keep_uploading(context: Context, name: char, seed: u64) -> Vec<Sent> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut phase = context.phase.clone();
    let mut sent = Vec::new();
    for number in 1.. {
        let pause = PAUSE.mul_f64(rng.random_range(0.1..1.9));
        let over = phase.wait_for(|phase| *phase == Phase::Over);
        if timeout(pause, over).await.is_ok() {
            break;
        }
        if *context.phase.borrow() == Phase::Writing {
            let life = Life {
                context: &context,
                name: format!("{name}{number}"),
            };
            sent.extend(life.run(ENDS[number % ENDS.len()], &mut rng).await);
        }
    }
    sent
}

async fn upload(
    Context { api, recorder, .. }: &Context,
    rng: &mut StdRng,
    owner: &AuthorSecret,
    end: Option<End>,
) -> Result<Sent, ApiFailure> {
    let begin = restores::now();
    let bytes = noise_png(SIZE, rng);
    let expires_in = (end == Some(End::Expired)).then_some(EXPIRES_IN);
    let answer = api.create_upload(bytes.clone(), Some(owner), expires_in);
    let answer = answer.await;
    recorder.on_upload(&bytes, &answer);
    Ok(Sent {
        upload: answer?,
        bytes,
        message: String::new(),
        end,
        is_confirmed: false,
        times: [begin, restores::now()],
    })
}

/// The life of one upload.
struct Life<'a> {
    context: &'a Context,
    name: String,
}

impl Life<'_> {
    /// `None` if it could not be uploaded.
    async fn run(self, end: Option<End>, rng: &mut StdRng) -> Option<Sent> {
        let Context { api, recorder, .. } = self.context;
        let owner = secret(&self.name, "run");
        let mut sent = upload(self.context, rng, &owner, end).await.ok()?;
        sent.message = format!("{}-1", self.name);
        self.use_it(&sent, &owner, rng).await;
        let id = sent.upload.id;
        // It differs from the owner's in the last character.
        let by_stranger = api.delete_upload(id, &secret(&self.name, "rum")).await;
        if by_stranger.is_ok() {
            self.violation("a stranger has deleted it");
        }
        sent.is_confirmed = match end {
            Some(End::Deleted) => self.insist(|| api.delete_upload(id, &owner)).await,
            Some(End::Blocked) => self.insist(|| api.block_upload(id)).await,
            Some(End::Expired) | None => false,
        };
        sent.times[1] = restores::now();
        let what = end.map_or("stays".to_owned(), |end| format!("{end:?}"));
        recorder.count(format!("upload: {what}"), 1);
        if sent.is_confirmed && end == Some(End::Blocked) {
            self.send_again(&sent).await;
        }
        Some(sent)
    }

    /// Posts a message about it and has smaller pictures made; whether that succeeds does not matter.
    async fn use_it(&self, sent: &Sent, owner: &AuthorSecret, rng: &mut StdRng) {
        let api = &self.context.api;
        let text = random_text(&sent.message, true, rng);
        let new = NewMessage {
            author_name: self.name.parse().expect("a name"),
            content: text.parse().expect("a text"),
            client_message_id: sent.message.parse().expect("an id"),
            at: None,
            author: None,
        };
        let _ = api.post(sent.upload.id, &new, Some(owner)).await;
        for address in sent.addresses() {
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
                        let detail = problem.detail;
                        self.violation(&format!("its end was refused: {detail}"));
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

    /// Checks that a blocked image is refused when it is uploaded again.
    async fn send_again(&self, sent: &Sent) {
        let Context {
            api,
            recorder,
            restores,
            ..
        } = self.context;
        while *self.context.phase.borrow() != Phase::Over {
            match api.create_upload(sent.bytes.clone(), None, None).await {
                Err(ApiFailure::Refused(it)) if it.kind == "/problems/blocked" => {
                    return recorder.count("refused image", 1);
                }
                Err(ApiFailure::Refused(it)) => {
                    let kind = it.kind;
                    return self.violation(&format!("its image was refused as {kind}"));
                }
                Err(_) => sleep(RETRY_PAUSE).await,
                Ok(_) if restores.may_have_lost([sent.times[0], restores::now()]) => return,
                Ok(_) => return self.violation("its image is blocked and was accepted again"),
            }
        }
    }

    fn violation(&self, what: &str) {
        let violation = format!("upload {}: {what}", self.name);
        self.context.recorder.violation(violation);
    }
}

fn secret(name: &str, end: &str) -> AuthorSecret {
    let secret = format!("the-secret-of-owner-{name}-of-a-{end}");
    secret.parse().expect("it is long enough")
}
