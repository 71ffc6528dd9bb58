//! Bare argon2 with the product's default costs, on all cores.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use usher::settings::Settings;

use crate::figures::{Figures, Spent};
use crate::process::{machine_cpu, own_cpu};

/// Hashes for a while with as many threads as there are cores.
pub(crate) fn bare(time: Duration) -> Figures {
    let costs = Settings::defaults().work;
    let params =
        Params::new(costs.argon2_memory, costs.argon2_iterations, costs.argon2_parallelism, None);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.unwrap());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (begun, before, all) = (Instant::now(), own_cpu(), machine_cpu());
    let mut took = std::thread::scope(|scope| {
        let hash = || {
            let mut took = Vec::new();
            while begun.elapsed() < time {
                let asked = Instant::now();
                argon2.hash_password(b"correct horse battery").unwrap();
                took.push(asked.elapsed());
            }
            took
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(hash)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let seconds = begun.elapsed().as_secs_f64();
    let server = own_cpu().saturating_sub(before);
    let others = machine_cpu().saturating_sub(all).saturating_sub(server);
    let spent = Spent { server, own: Duration::ZERO, others };
    Figures::of(&mut took, seconds, &spent)
}
