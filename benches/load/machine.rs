//! Where a run was made.

use usher::clock::Clock;

use crate::plan::Plan;

/// One line: processor, memory, kernel, versions, date.
pub(crate) fn describe(plan: &Plan) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processor = field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown CPU".to_owned());
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kibibytes: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
    let kernel = read("/proc/sys/kernel/osrelease");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let versions: Vec<String> =
        plan.databases.iter().map(|database| runtime.block_on(database.version())).collect();
    let date = Clock::System.now().rfc3339();
    format!(
        "{processor}, {cores} cores, {:.0} GiB memory, Linux {}, Usher {}, {}, {}; median of {} × {:.0} s",
        kibibytes / 1024.0 / 1024.0,
        kernel.trim(),
        env!("CARGO_PKG_VERSION"),
        versions.join(", "),
        date.split('T').next().unwrap_or_default(),
        plan.rounds,
        plan.time.as_secs_f64(),
    )
}
