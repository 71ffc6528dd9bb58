//! Pools of seats for administrators: what there is, what changes, and whether the counts are true.

use serde_json::Value;

use crate::app::work::Work;
use crate::app::{App, Ctx, Error, catalogue};
use crate::domain::catalogue::{Catalogue, Role};
use crate::domain::pool::{Pool, Taken};
use crate::domain::role::Mapping;
use crate::domain::scope::Scope;
use crate::domain::seat::Manners;
use crate::scim::{self, urn};
pub use crate::store::records::{Line, Wanted};
use crate::store::resources::{self, Key};
use crate::store::{self, Tx, maps, records, seats, tenants};

/// Users that are looked at in one transaction when all are.
const PIECE: i64 = 500;

/// A pool and how many of its seats are taken.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The pool.
    pub pool: Pool,
    /// Its counters.
    pub taken: Taken,
}

/// A pool whose counters are not what its holders are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The pool's value.
    pub pool: String,
    /// What the counters say.
    pub counted: Taken,
    /// What the users say.
    pub found: Taken,
}

/// What a look at all seats found.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// Pools that were looked at.
    pub pools: Vec<Filled>,
    /// Those whose counters are wrong.
    pub drifts: Vec<Drift>,
    /// Users that no rule has seen, such as those of an older version.
    pub unruled: i64,
}

impl Verified {
    /// Whether everything is as it should be.
    pub fn is_clean(&self) -> bool {
        self.drifts.is_empty() && self.unruled == 0
    }
}

impl App {
    /// The tenant's pools with their counters.
    pub async fn pools(&self, ctx: &Ctx) -> Result<Vec<Filled>, Error> {
        ctx.require(Scope::SeatsRead)?;
        let tenant = ctx.tenant.clone();
        let look = async move |tx: &mut Tx<'_>| {
            let catalogue = catalogue::read(tx, &tenant).await?;
            let mut pools = Vec::new();
            for pool in catalogue.pools {
                let taken = seats::taken(tx, &tenant, &pool.value).await?.unwrap_or_default();
                pools.push(Filled { pool, taken });
            }
            Ok::<_, Error>(pools)
        };
        self.store().read(look).await
    }

    /// Changes what the tenant offers: pools, roles. Whoever waits is seated where there is room then.
    pub async fn change_catalogue(
        &self,
        ctx: &Ctx,
        scope: Scope,
        change: impl Fn(&mut Catalogue) -> Result<(), String> + Send + 'static,
    ) -> Result<Catalogue, Error> {
        let change = move |catalogue: &mut Catalogue| {
            change(catalogue).map_err(|sentence| scim::Error::InvalidValue(sentence).into())
        };
        self.rule_catalogue(ctx, scope, change).await
    }

    /// The same, where it depends on what there is whether the change is allowed.
    pub(super) async fn rule_catalogue(
        &self,
        ctx: &Ctx,
        scope: Scope,
        change: impl Fn(&mut Catalogue) -> Result<(), Error> + Send + 'static,
    ) -> Result<Catalogue, Error> {
        ctx.require(scope)?;
        let work = Work::new(self, ctx, self.users()?);
        let changed = async move |tx: &mut Tx<'_>| {
            let before = catalogue::read(tx, &work.tenant).await?;
            let mut wanted = before.clone();
            change(&mut wanted)?;
            wanted.check().map_err(scim::Error::InvalidValue)?;
            for pool in &mut wanted.pools {
                stamp(pool, before.pool(&pool.value), work.now.0);
            }
            tenants::set_catalogue(tx, &work.tenant, &catalogue::text(&wanted)?).await?;
            for gone in before.pools.iter().filter(|pool| wanted.pool(&pool.value).is_none()) {
                work.end_pool(tx, gone).await?;
            }
            for pool in &wanted.pools {
                let taken = work.counters(tx, pool).await?;
                let band = pool.band(taken.used());
                seats::set(tx, &work.tenant, &pool.value, band, taken).await?;
                work.note_total(tx, before.pool(&pool.value), pool, taken.used()).await?;
            }
            work.note_ended_roles(tx, &before, &wanted).await?;
            work.seat_waiters(tx, wanted.pools.iter().map(|pool| pool.value.clone()).collect())
                .await?;
            Ok::<_, Error>(wanted)
        };
        let changed = self.store().write(&ctx.tenant, changed).await;
        self.forget_verdicts();
        changed
    }

    /// Sets the number of seats of a pool, which is made where there is none of that value.
    pub async fn set_seats(
        &self,
        ctx: &Ctx,
        value: &str,
        total: Option<i64>,
    ) -> Result<Catalogue, Error> {
        let value = value.to_owned();
        self.change_catalogue(ctx, Scope::SeatsWrite, move |catalogue| {
            match catalogue.pools.iter_mut().find(|pool| pool.value == value) {
                Some(pool) => pool.total = total,
                None => catalogue.pools.push(Pool {
                    value: value.clone(),
                    total,
                    warn_at: vec![80, 90, 100],
                    ..Pool::default()
                }),
            }
            Ok(())
        })
        .await
    }

    /// Makes a pool of these values.
    pub async fn make_pool(&self, ctx: &Ctx, values: Value) -> Result<(), Error> {
        self.change_catalogue(ctx, Scope::SeatsWrite, move |catalogue| {
            let pool = Pool::default().changed(&values)?;
            if catalogue.pool(&pool.value).is_some() {
                return Err(format!("There is a pool '{}' already.", pool.value));
            }
            catalogue.pools.push(pool);
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Changes a pool.
    pub async fn change_pool(&self, ctx: &Ctx, value: &str, changes: Value) -> Result<(), Error> {
        self.has_pool(ctx, value).await?;
        let value = value.to_owned();
        self.change_catalogue(ctx, Scope::SeatsWrite, move |catalogue| {
            for pool in catalogue.pools.iter_mut().filter(|pool| pool.value == value) {
                *pool = pool.changed(&changes)?;
            }
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Ends a pool that nobody holds a seat of.
    pub async fn end_pool(&self, ctx: &Ctx, value: &str) -> Result<(), Error> {
        self.has_pool(ctx, value).await?;
        let value = value.to_owned();
        self.change_catalogue(ctx, Scope::SeatsWrite, move |catalogue| {
            catalogue.pools.retain(|pool| pool.value != value);
            Ok(())
        })
        .await
        .map(drop)
    }

    async fn has_pool(&self, ctx: &Ctx, value: &str) -> Result<(), Error> {
        let tenant = ctx.tenant.clone();
        let look = async move |tx: &mut Tx<'_>| catalogue::read(tx, &tenant).await;
        if self.store().read(look).await?.pools.iter().any(|pool| pool.value == value) {
            return Ok(());
        }
        Err(Error::NotFound { kind: "SeatPool".to_owned(), id: scim::path::excerpt(value) })
    }

    /// Who waits for a seat of a pool, the first ones first.
    pub async fn waiting(&self, ctx: &Ctx, pool: &str) -> Result<Vec<(String, String)>, Error> {
        ctx.require(Scope::SeatsRead)?;
        let (tenant, pool) = (ctx.tenant.clone(), pool.to_owned());
        let kind = self.users()?.name.clone();
        let look = async move |tx: &mut Tx<'_>| {
            let mut named = Vec::new();
            for id in seats::waiting(tx, &tenant, &pool, i64::from(i32::MAX)).await? {
                let key = Key { tenant: &tenant, kind: &kind, id: &id };
                let found = resources::find(tx, key).await?;
                let doc = found.map(|stored| stored.document()).transpose()?.unwrap_or_default();
                let name = doc.get("userName").and_then(|name| name.as_str()).unwrap_or_default();
                named.push((id, name.to_owned()));
            }
            Ok::<_, Error>(named)
        };
        self.store().read(look).await
    }

    /// Compares the counters of all pools with those who hold seats; `fix` sets them right, applies the
    /// rules to users that none has seen yet, and seats whoever waits for no reason.
    pub async fn verify_seats(&self, ctx: &Ctx, fix: bool) -> Result<Verified, Error> {
        ctx.require(if fix { Scope::SeatsWrite } else { Scope::SeatsRead })?;
        let work = Work::new(self, ctx, self.users()?);
        if fix {
            self.rule_all(ctx, &work).await?;
        }
        let looked = async move |tx: &mut Tx<'_>| {
            let catalogue = catalogue::read(tx, &work.tenant).await?;
            let mut verified = Verified {
                unruled: resources::unruled(tx, &work.tenant, LIFECYCLE, "", i64::MAX)
                    .await?
                    .len()
                    .try_into()
                    .unwrap_or(i64::MAX),
                ..Verified::default()
            };
            for pool in &catalogue.pools {
                let found = seats::recount(tx, &work.tenant, &pool.value).await?;
                let counted = seats::taken(tx, &work.tenant, &pool.value).await?;
                let counted = counted.unwrap_or_default();
                if counted != found {
                    let pool = pool.value.clone();
                    verified.drifts.push(Drift { pool, counted, found });
                }
                if fix {
                    seats::set(tx, &work.tenant, &pool.value, pool.band(found.used()), found)
                        .await?;
                }
                verified.pools.push(Filled { pool: pool.clone(), taken: found });
            }
            if fix {
                let all = catalogue.pools.iter().map(|pool| pool.value.clone()).collect();
                work.seat_waiters(tx, all).await?;
            }
            Ok::<_, Error>(verified)
        };
        if fix {
            self.store().write(&ctx.tenant, looked).await
        } else {
            self.store().read(looked).await
        }
    }

    /// Applies the rules to users that none has seen yet.
    async fn rule_all(&self, ctx: &Ctx, work: &Work) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let (work, from) = (work.clone(), after.clone());
            let piece = async move |tx: &mut Tx<'_>| {
                let ids = resources::unruled(tx, &work.tenant, LIFECYCLE, &from, PIECE).await?;
                work.rejudge(tx, &ids, Manners::Patient).await?;
                Ok::<_, Error>(ids.last().cloned())
            };
            match self.store().write(&ctx.tenant, piece).await? {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    /// Gives a group a meaning, another one, or none. Its direct members have the role and the seat
    /// from then on, or no more.
    pub async fn map_group(&self, ctx: &Ctx, mapping: Mapping) -> Result<(), Error> {
        ctx.require(Scope::GroupsMap)?;
        let kind = self.registry().extended_by(urn::GROUP_MAPPING);
        let kind = kind.ok_or_else(|| Error::Internal("there are no groups here".to_owned()))?;
        let work = Work::new(self, ctx, kind);
        let mapped = async move |tx: &mut Tx<'_>| {
            let mut catalogue = catalogue::read(tx, &work.tenant).await?;
            let role = known_role(&catalogue, mapping.role.as_deref())?;
            let seat_type = known_pool(&catalogue, mapping.seat_type.as_deref())?;
            let before = work.find(tx, &mapping.group).await?;
            // The document says what was written, the table what is meant.
            let written =
                Mapping { role: role.map(|role| role.value), seat_type, ..mapping.clone() };
            let (department, agent_group) = work.telephony_of(tx, &mapping).await?;
            let meaning = Mapping { department, agent_group, ..written.clone() };
            let doc = work.with_mapping(&before.doc, &written);
            work.set_mapping(tx, &mut catalogue, &meaning).await?;
            if doc != before.doc {
                let ruled = crate::app::rules::Ruled::plain(doc);
                work.update(tx, &before, ruled).await?;
            }
            let members = maps::members(tx, &work.tenant, &meaning.group, None).await?;
            work.rejudge(tx, &members, Manners::Patient).await
        };
        self.store().write_long(&ctx.tenant, mapped).await?;
        // That groups mean something is part of what the tenant offers.
        self.forget_verdicts();
        Ok(())
    }

    /// Lines of the record behind a number.
    pub async fn records(
        &self,
        ctx: &Ctx,
        scope: Scope,
        wanted: records::Wanted,
    ) -> Result<Vec<records::Line>, Error> {
        ctx.require(scope)?;
        let tenant = ctx.tenant.clone();
        let look = async move |tx: &mut Tx<'_>| records::list(tx, &tenant, &wanted).await;
        Ok(self.store().read::<_, store::Error, _>(look).await?)
    }

    /// The number of the last line of the record.
    pub async fn last_record(&self, ctx: &Ctx) -> Result<i64, Error> {
        let tenant = ctx.tenant.clone();
        let look = async move |tx: &mut Tx<'_>| records::last(tx, &tenant).await;
        Ok(self.store().read::<_, store::Error, _>(look).await?)
    }

    pub(super) fn users(
        &self,
    ) -> Result<&std::sync::Arc<scim::resource_type::ResourceType>, Error> {
        let users = self.registry().extended_by(urn::CONTACT_CENTER);
        users.ok_or_else(|| Error::Internal("there are no users here".to_owned()))
    }
}

/// Where the folded document of a user says that the rules have seen it.
const LIFECYCLE: (&str, &str) = (urn::CONTACT_CENTER, "lifecycle");

impl Work {
    /// The ids of the department and the group of agents that a mapping names.
    async fn telephony_of(
        &self,
        tx: &mut Tx<'_>,
        mapping: &Mapping,
    ) -> Result<(Option<String>, Option<String>), Error> {
        let department = ("department", urn::DEPARTMENT);
        let department = self.id_named(tx, department, mapping.department.as_deref()).await?;
        let group = ("agentGroup", urn::AGENT_GROUP);
        Ok((department, self.id_named(tx, group, mapping.agent_group.as_deref()).await?))
    }

    /// The end of a pool that nobody holds a seat of.
    async fn end_pool(&self, tx: &mut Tx<'_>, pool: &Pool) -> Result<(), Error> {
        let taken = self.counters(tx, pool).await?;
        if taken.used() + taken.waiting > 0 {
            return Err(scim::Error::InvalidValue(format!(
                "Pool '{}' has {} seats in use and {} people waiting; move them to another pool first.",
                pool.value,
                taken.used(),
                taken.waiting
            ))
            .into());
        }
        Ok(seats::forget(tx, &self.tenant, &pool.value).await?)
    }
}

/// Counts a change of a pool, and keeps when it was made.
fn stamp(pool: &mut Pool, before: Option<&Pool>, now: i64) {
    match before {
        None => (pool.version, pool.created, pool.modified) = (1, now, now),
        Some(before) if before == pool => {}
        Some(before) => {
            (pool.version, pool.created) = (before.version + 1, before.created);
            pool.modified = now.max(before.modified);
        }
    }
}

fn known_role(catalogue: &Catalogue, text: Option<&str>) -> Result<Option<Role>, Error> {
    let Some(text) = text else { return Ok(None) };
    let found = catalogue.role(text);
    found.map(Some).ok_or_else(|| {
        let valid = catalogue.role_values();
        let text = scim::path::excerpt(text);
        scim::Error::InvalidValue(format!("Unknown role '{text}'. Valid roles: {valid}.")).into()
    })
}

pub(super) fn known_pool(
    catalogue: &Catalogue,
    text: Option<&str>,
) -> Result<Option<String>, Error> {
    let Some(text) = text else { return Ok(None) };
    let found = catalogue.pool(text).map(|pool| pool.value.clone());
    found.map(Some).ok_or_else(|| {
        let valid = catalogue.pool_values();
        let text = scim::path::excerpt(text);
        scim::Error::InvalidValue(format!("Unknown pool '{text}'. Valid pools: {valid}.")).into()
    })
}
