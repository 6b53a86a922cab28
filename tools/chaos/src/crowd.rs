//! The clients of a run: residents that stay, and visitors that come and go. One upload is busy: what is written there is
//! long, and some who watch it stall.

use std::time::Duration;

use app::model::UploadId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use crate::check::Seen;
use crate::client::{self, Api, Gauge, Role};
use crate::ledger::Ledger;
use crate::phase::Phase;

/// Of so many clients one comes and goes.
const VISITOR: usize = 5;
/// Of so many residents that watch the busy upload one stalls. So do all its visitors, who leave in the midst of it.
const STALLS: usize = 4;
/// How long a visitor stays, at most.
const VISIT: Duration = Duration::from_secs(40);

/// What every client is given.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The HTTP API.
    pub api: Api,
    /// Where everything is written down.
    pub ledger: Ledger,
    /// What the clients are up to.
    pub phase: watch::Receiver<Phase>,
    /// Mean time between two messages of a client.
    pub pace: Duration,
}

/// All clients.
pub struct Crowd {
    residents: Vec<(Role, Gauge)>,
    tasks: JoinSet<Vec<Seen>>,
}

impl Crowd {
    /// Lets so many clients live, spread over the uploads.
    pub fn gather(count: usize, uploads: &[UploadId], seed: u64, around: &Surroundings) -> Self {
        let mut crowd = Self {
            residents: Vec::new(),
            tasks: JoinSet::new(),
        };
        let mut busy_residents = 0;
        for number in 0..count {
            let is_visitor = number % VISITOR == VISITOR - 2;
            let is_busy = number % uploads.len() == uploads.len() - 1;
            busy_residents += usize::from(is_busy && !is_visitor);
            let role = Role {
                name: format!("c{number}"),
                upload: uploads[number % uploads.len()],
                seed: seed.wrapping_mul(1_000).wrapping_add(number as u64),
                pace: around.pace,
                stalls: is_busy && (is_visitor || busy_residents % STALLS == 0),
                writes_long: is_busy,
            };
            if is_visitor {
                crowd.tasks.spawn(visit(role, around.clone()));
            } else {
                let gauge = Gauge::default();
                crowd.residents.push((role.clone(), gauge.clone()));
                crowd.tasks.spawn(reside(role, gauge, around.clone()));
            }
        }
        crowd
    }

    /// Those that stay to the end, and how far they are.
    pub fn residents(&self) -> &[(Role, Gauge)] {
        &self.residents
    }

    /// What everybody saw, once the run is over.
    ///
    /// # Errors
    /// When a client has panicked.
    pub async fn leave(mut self) -> Result<Vec<Seen>, JoinError> {
        let mut seen = Vec::new();
        while let Some(client) = self.tasks.join_next().await {
            seen.extend(client?);
        }
        Ok(seen)
    }
}

async fn reside(role: Role, gauge: Gauge, around: Surroundings) -> Vec<Seen> {
    let seen = live(role, gauge, around, std::future::pending(), true).await;
    seen.into_iter().collect()
}

/// Comes and goes as long as people write; each time as somebody new.
async fn visit(role: Role, around: Surroundings) -> Vec<Seen> {
    let mut chance = StdRng::seed_from_u64(role.seed);
    let mut seen = Vec::new();
    for number in 1.. {
        let role = Role {
            name: format!("{}v{number}", role.name),
            seed: chance.random(),
            ..role.clone()
        };
        let stay = VISIT.mul_f64(chance.random_range(0.1..1.0));
        seen.extend(live(role, Gauge::default(), around.clone(), sleep(stay), false).await);
        let pause = VISIT.mul_f64(chance.random_range(0.0..0.2));
        let mut phase = around.phase.clone();
        tokio::select! {
            () = sleep(pause) => {}
            _ = phase.wait_for(|phase| *phase == Phase::Over) => break,
        }
    }
    seen
}

async fn live(
    role: Role,
    gauge: Gauge,
    around: Surroundings,
    leave: impl Future<Output = ()>,
    stays: bool,
) -> Option<Seen> {
    let (name, upload) = (role.name.clone(), role.upload);
    let Surroundings {
        api, ledger, phase, ..
    } = around;
    let transcript = client::live(role, api, ledger, gauge, phase, leave).await?;
    Some(Seen {
        name,
        upload,
        transcript,
        stayed: stays,
    })
}
