//! Asks for a while and takes the time.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::client::Connection;
use crate::figures::{Figures, Spent};
use crate::process::{Process, machine_cpu, own_cpu};
use crate::workload::Ticket;

/// Cores that others may be busy with while a line is measured.
const CALM: f64 = 0.2;
/// A line is measured this often at most until they leave the cores alone.
const TRIES: usize = 4;

/// The calmest of several measurements; one alone where it is calm. On a machine that is shared, others
/// take the cores away for seconds, from one line and not from the next.
pub(crate) async fn calmest(measure: impl AsyncFn() -> Figures) -> Figures {
    let mut calmest = measure().await;
    for _ in 1..TRIES {
        if calmest.others <= CALM {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let again = measure().await;
        if again.others < calmest.others {
            calmest = again;
        }
    }
    calmest
}

/// Every connection asks again as soon as it is answered; `write` appends the request.
pub(crate) async fn closed(
    server: &Process,
    lanes: usize,
    time: Duration,
    write: impl Fn(Ticket, &mut Vec<u8>),
) -> Figures {
    closed_while(server, lanes, |elapsed| elapsed < time, write).await
}

/// The same for as long as the function says so.
pub(crate) async fn closed_while(
    server: &Process,
    lanes: usize,
    go_on: impl Fn(Duration) -> bool,
    write: impl Fn(Ticket, &mut Vec<u8>),
) -> Figures {
    let mut connections = Vec::new();
    for _ in 0..lanes {
        connections.push(Connection::open(&server.address).await);
    }
    let (write, go_on) = (&write, &go_on);
    let watch = Watch::start(server);
    let begun = watch.begun;
    let mut running: FuturesUnordered<_> = connections
        .into_iter()
        .enumerate()
        .map(|(lane, mut connection)| async move {
            let (mut took, mut request, mut turn) = (Vec::new(), Vec::new(), 0);
            while turn == 0 || go_on(begun.elapsed()) {
                request.clear();
                write(Ticket { lane, lanes, turn }, &mut request);
                let asked = Instant::now();
                connection.exchange(&request).await.expect_good();
                took.push(asked.elapsed());
                turn += 1;
            }
            took
        })
        .collect();
    let mut took = Vec::new();
    while let Some(more) = running.next().await {
        took.extend(more);
    }
    watch.figures(&mut took)
}

/// Requests come at this rate, whether the server keeps up or not; the time counts from when a
/// request was due.
pub(crate) fn open(
    server: &Process,
    rate: f64,
    time: Duration,
    write: impl Fn(Ticket, &mut Vec<u8>) + Sync,
) -> Figures {
    const LANES: usize = 16;
    let watch = Watch::start(server);
    let every = Duration::from_secs_f64(LANES as f64 / rate);
    let (begun, write, address) = (watch.begun, &write, server.address.as_str());
    // Threads, because the timers of async runtimes tick in milliseconds.
    let mut took = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread();
                    let runtime = { runtime }.enable_io().build().unwrap();
                    let mut connection = runtime.block_on(Connection::open(address));
                    let (mut took, mut request, mut turn) = (Vec::new(), Vec::new(), 0);
                    let mut due = begun + every.mul_f64(lane as f64 / LANES as f64);
                    while due < begun + time {
                        request.clear();
                        write(Ticket { lane, lanes: LANES, turn }, &mut request);
                        // A lane that slept is not late because it woke late; one that waited for
                        // its last answer is.
                        let now = Instant::now();
                        if now < due {
                            std::thread::sleep(due - now);
                            due = Instant::now();
                        }
                        runtime.block_on(connection.exchange(&request)).expect_good();
                        took.push(due.elapsed());
                        turn += 1;
                        due = begun + every.mul_f64(lane as f64 / LANES as f64 + turn as f64);
                    }
                    took
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect::<Vec<_>>()
    });
    watch.figures(&mut took)
}

/// The clock and the CPU counters of a measurement.
pub(crate) struct Watch<'p> {
    server: &'p Process,
    pub(crate) begun: Instant,
    before: Counters,
}

/// CPU time so far.
struct Counters {
    server: Duration,
    own: Duration,
    machine: Duration,
}

impl Counters {
    fn read(server: &Process) -> Self {
        Self { server: server.cpu(), own: own_cpu(), machine: machine_cpu() }
    }
}

impl<'p> Watch<'p> {
    pub(crate) fn start(server: &'p Process) -> Self {
        Self { server, begun: Instant::now(), before: Counters::read(server) }
    }

    pub(crate) fn figures(self, took: &mut [Duration]) -> Figures {
        let seconds = self.begun.elapsed().as_secs_f64();
        let after = Counters::read(self.server);
        let server = after.server.saturating_sub(self.before.server);
        let own = after.own.saturating_sub(self.before.own);
        let machine = after.machine.saturating_sub(self.before.machine);
        let others = machine.saturating_sub(server + own);
        Figures::of(took, seconds, &Spent { server, own, others })
    }
}
