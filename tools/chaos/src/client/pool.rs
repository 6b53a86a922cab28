//! The clients of a run: residents stay, visitors come and go.

use std::future::pending;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use super::{Context, Phase, Progress, Role, user};
use crate::check::Seen;

const MAX_VISIT: Duration = Duration::from_secs(40);

/// Clients of the same nodes.
pub struct ClientPool {
    residents: Vec<(Role, watch::Receiver<Progress>)>,
    tasks: JoinSet<Vec<Seen>>,
}

impl ClientPool {
    /// Starts a client for each role.
    pub fn start(roles: Vec<Role>, context: &Context) -> Self {
        let (mut residents, mut tasks) = (Vec::new(), JoinSet::new());
        for role in roles {
            let context = context.clone();
            if role.stays {
                let (progress, receiver) = watch::channel(Progress::default());
                residents.push((role.clone(), receiver));
                tasks.spawn(async move {
                    let resident = user::live(role, context, progress, pending()).await;
                    resident.into_iter().collect()
                });
            } else {
                tasks.spawn(visit(role, context));
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
