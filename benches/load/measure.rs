//! All workloads on one database: the raw limit, the small and the large one in turn.

use crate::argon2;
use crate::database::Database;
use crate::drive;
use crate::figures::Figures;
use crate::pages;
use crate::plan::Plan;
use crate::process::Process;
use crate::site::Site;
use crate::specs::{self, Limit, MEMORY, Spec};
use crate::table::{Row, Table};
use crate::workload::{BULK, RawWorkload, Workload};

/// Measures everything on this database.
pub(crate) async fn database(database: &Database, plan: &Plan, table: &mut Table) {
    let mut sites = Vec::new();
    for &size in plan.sizes(database) {
        sites.push(Site::open(database, size, plan).await);
    }
    let directory = plan.directory();
    let raw = raw(database, directory.path()).await;
    let mut bench = Bench { database, plan, sites, raw, table, first_page: None };
    bench.memory("resident memory, idle", MEMORY.0);
    let groups: Vec<usize> = bench.sites.last().unwrap().groups().collect();
    let specs = specs::all(&groups);
    let wanted = |name: &str| plan.only.as_ref().is_none_or(|only| name.contains(only));
    for spec in specs.iter().filter(|spec| wanted(&spec.name)) {
        bench.line(spec).await;
    }
    if wanted("page of 100, cursor") {
        bench.cursor_pages().await;
    }
    if wanted("create, seats") {
        bench.licensed_creates().await;
    }
    if wanted("sign-ins") {
        bench.sign_ins().await;
    }
    bench.memory("resident memory, after the load", MEMORY.1);
    bench.starts().await;
    if wanted("beside a Bulk") {
        bench.beside_bulk().await;
    }
    drop((bench, directory));
    let own = plan.sizes(database).iter().map(|size| format!("run_{size}"));
    for name in own.chain(["raw".to_owned()]) {
        database.drop_database(&name).await;
    }
}

/// Starts the raw limit on a database of its own.
async fn raw(database: &Database, directory: &std::path::Path) -> Process {
    database.create("raw", None).await;
    let place =
        database.url("raw").unwrap_or_else(|| directory.join("raw.db").display().to_string());
    let program = std::env::current_exe().unwrap();
    Process::start(program.as_os_str(), &["raw".to_owned(), place], database.postmaster())
}

/// One database's servers.
pub(crate) struct Bench<'a> {
    pub(crate) database: &'a Database,
    pub(crate) plan: &'a Plan,
    /// By size, ascending.
    pub(crate) sites: Vec<Site>,
    pub(crate) raw: Process,
    pub(crate) table: &'a mut Table,
    /// Milliseconds of the first page in the smallest database, where it was measured.
    pub(crate) first_page: Option<f64>,
}

impl Bench<'_> {
    pub(crate) fn row(&self, workload: &str, figures: Figures) -> Row {
        Row::of(self.database.name(), workload, figures)
    }

    /// A line that says why there is none.
    pub(crate) fn absent(&mut self, workload: &str) {
        let (workload, result) = (workload.to_owned(), "not supported".to_owned());
        self.table.add(Row { database: self.database.name(), workload, result, ..Row::default() });
    }

    /// Measures a workload: limit, small, large, and again.
    async fn line(&mut self, spec: &Spec) {
        let bulk = spec.workload == Workload::Bulk;
        if bulk && !pages::supports(&self.sites[0], "/bulk/supported").await {
            return self.absent(&spec.name);
        }
        // A database too small for any group has nothing to compare with.
        let is_groupless = |site: &Site| site.groups().next().is_none();
        if matches!(spec.workload, Workload::Member(_)) && self.sites.iter().any(is_groupless) {
            return;
        }
        let mut limits = Vec::new();
        let mut figures = vec![Vec::new(); self.sites.len()];
        for _ in 0..self.plan.rounds {
            limits.extend(self.limit(spec).await);
            for (site, figures) in self.sites.iter().zip(&mut figures) {
                figures.push(ask(site, spec, self.plan).await);
            }
        }
        let limit = (!limits.is_empty()).then(|| Figures::median(&limits).rate);
        let figures: Vec<Figures> = figures.iter().map(|rounds| Figures::median(rounds)).collect();
        if spec.workload == Workload::Page(0) {
            self.first_page = Some(figures[0].p50);
        }
        for place in 0..figures.len() {
            self.show(spec, limit, &figures, place);
        }
        if spec.lanes == 16 && matches!(spec.workload, Workload::Read | Workload::Patch) {
            self.raw_tail(spec, limit).await;
            self.tails(spec, &figures).await;
        }
    }

    fn show(&mut self, spec: &Spec, limit: Option<f64>, figures: &[Figures], place: usize) {
        let users = self.sites[place].size();
        // The small database was asked all the same, for the growth: about its largest group.
        if matches!(spec.workload, Workload::Member(size) if size >= users) {
            return;
        }
        let own = figures[place];
        let growth = match spec.limit {
            Limit::Milliseconds(_) => self.first_page.map(|first| own.p50 / first),
            Limit::Raw(_) | Limit::Argon2 => Some(figures[0].rate / own.rate),
        };
        let target = match spec.limit {
            Limit::Milliseconds(most) => Some((format!("p50 ≤ {most} ms"), own.p50 <= most)),
            Limit::Raw(_) | Limit::Argon2 => spec.ratio(self.database).map(|least| {
                (format!("ratio ≥ {least}"), limit.is_some_and(|limit| own.rate / limit >= least))
            }),
        };
        self.table.add(Row {
            users: Some(users),
            lanes: Some(spec.lanes),
            limit,
            target,
            growth: growth.filter(|_| place > 0),
            ..self.row(&spec.name, own)
        });
    }

    /// The limit beside which a workload is shown.
    async fn limit(&self, spec: &Spec) -> Option<Figures> {
        match spec.limit {
            Limit::Raw(workload) => {
                let many = if workload == RawWorkload::Rows { BULK } else { 1 };
                let write = |ticket, out: &mut Vec<u8>| workload.write(ticket, out);
                drive::closed(&self.raw, spec.lanes, self.plan.warm_up(), write).await;
                let measure =
                    async || drive::closed(&self.raw, spec.lanes, self.plan.time, write).await;
                Some(drive::calmest(measure).await.times(many))
            }
            Limit::Argon2 => Some(drive::calmest(async || argon2::bare(self.plan.time)).await),
            Limit::Milliseconds(_) => None,
        }
    }
}

async fn ask(site: &Site, spec: &Spec, plan: &Plan) -> Figures {
    let write = |ticket, out: &mut Vec<u8>| spec.workload.write(site, ticket, out);
    drive::closed(&site.process, spec.lanes, plan.warm_up(), write).await;
    let measure = async || drive::closed(&site.process, spec.lanes, plan.time, write).await;
    drive::calmest(measure).await.times(spec.workload.users())
}
