//! The clients of a run: residents stay, visitors come and go. One upload is busy: its texts are long, and some who watch
//! it stall.

use std::future::pending;
use std::time::Duration;

use app::model::UploadId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use super::{Context, Phase, Progress, Role, user};
use crate::check::Seen;

/// One of so many clients is a visitor.
const VISITOR_RATIO: usize = 5;
/// One of so many residents of the busy upload stalls. So do all its visitors, who leave in the midst of it.
const STALL_RATIO: usize = 4;
const MAX_VISIT: Duration = Duration::from_secs(40);

/// All clients.
pub struct ClientPool {
    residents: Vec<(Role, watch::Receiver<Progress>)>,
    tasks: JoinSet<Vec<Seen>>,
}

impl ClientPool {
    /// Starts the clients, spread over the uploads.
    pub fn start(
        count: usize,
        pace: Duration,
        uploads: &[UploadId],
        seed: u64,
        context: &Context,
    ) -> Self {
        let (mut residents, mut tasks) = (Vec::new(), JoinSet::new());
        let mut busy_residents = 0;
        for number in 0..count {
            let is_visitor = number % VISITOR_RATIO == VISITOR_RATIO - 2;
            let is_busy = number % uploads.len() == uploads.len() - 1;
            busy_residents += usize::from(is_busy && !is_visitor);
            let role = Role {
                name: format!("c{number}"),
                upload: uploads[number % uploads.len()],
                secret: format!("the-secret-of-client-{number}-of-a-run")
                    .parse()
                    .expect("it is long enough"),
                seed: seed.wrapping_mul(1_000).wrapping_add(number as u64),
                pace,
                stays: !is_visitor,
                stalls: is_busy && (is_visitor || busy_residents % STALL_RATIO == 0),
                writes_long: is_busy,
            };
            let context = context.clone();
            if is_visitor {
                tasks.spawn(visit(role, context));
            } else {
                let (progress, receiver) = watch::channel(Progress::default());
                residents.push((role.clone(), receiver));
                tasks.spawn(async move {
                    let resident = user::live(role, context, progress, pending()).await;
                    resident.into_iter().collect()
                });
            }
        }
        Self { residents, tasks }
    }

    /// Those that stay to the end.
    pub fn residents(&self) -> &[(Role, watch::Receiver<Progress>)] {
        &self.residents
    }

    /// What everybody saw, once the run is over.
    pub async fn finish(mut self) -> Result<Vec<Seen>, JoinError> {
        let mut seen = Vec::new();
        while let Some(client) = self.tasks.join_next().await {
            seen.extend(client?);
        }
        Ok(seen)
    }
}

/// Comes and goes until the run is over; each time as a new user.
async fn visit(role: Role, mut context: Context) -> Vec<Seen> {
    let mut rng = StdRng::seed_from_u64(role.seed);
    let mut seen = Vec::new();
    for number in 1.. {
        let role = Role {
            name: format!("{}v{number}", role.name),
            seed: rng.random(),
            ..role.clone()
        };
        let stay = MAX_VISIT.mul_f64(rng.random_range(0.1..1.0));
        let (progress, _) = watch::channel(Progress::default());
        seen.extend(user::live(role, context.clone(), progress, sleep(stay)).await);
        let pause = MAX_VISIT.mul_f64(rng.random_range(0.0..0.2));
        tokio::select! {
            () = sleep(pause) => {}
            _ = context.phase.wait_for(|phase| *phase == Phase::Over) => break,
        }
    }
    seen
}
