//! From operations to units: everything that can be known before the transaction.
//!
//! Bodies are read, softened, checked and written out by the functions that single requests use.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::case::Case;
use super::ring;
use super::unit::{Ready, Removal, Unit};
use crate::app::Error;
use crate::app::change::{Change, OwnedTarget, Plan};
use crate::app::create::Creation;
use crate::app::work::Work;
use crate::domain::scope;
use crate::scim::accept::Password;
use crate::scim::bulk::{self, Id, Method, Operation, Site};
use crate::scim::etag::Conditions;
use crate::scim::patch;
use crate::scim::path::excerpt;
use crate::scim::resource_type::Writes;
use crate::scim::urn;

/// Bytes of data that are prepared at once.
const BYTES: usize = 512 * 1024;
/// What stands in the path of a URL as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Some units, and where the next ones begin.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) units: Vec<Unit>,
    pub(super) next: usize,
    /// Whether the next one has to look at what those before it have written.
    pub(super) blocked: bool,
}

/// Prepares the units from here on, about as many operations as `most`. `settled` are, once all before
/// them are committed, the `POST`s among those that failed.
pub(super) async fn prepare(
    case: &Arc<Case>,
    from: usize,
    most: usize,
    settled: Option<&HashSet<usize>>,
) -> Result<Chunk, Error> {
    let at_once = case.app.hasher().at_once();
    let (drawing, is_settled) = (Arc::clone(case), settled.is_some());
    let drawn =
        tokio::task::spawn_blocking(move || draw_all(&drawing, from, most, is_settled)).await;
    let (drawn, next, blocked) = drawn.map_err(|error| Error::Internal(error.to_string()))?;
    // No more than the hasher's threads: others hash too.
    let units = stream::iter(drawn)
        .map(|drawn| finish(case, drawn, settled))
        .buffered(at_once)
        .try_collect()
        .await?;
    Ok(Chunk { units, next, blocked })
}

/// A unit whose passwords are not hashed yet.
struct Drawn {
    number: usize,
    places: Vec<usize>,
    locations: Vec<Option<String>>,
    weight: usize,
    sketch: Sketch,
}

/// What a unit is going to be.
enum Sketch {
    Refused(Vec<Error>),
    Create(Box<(Creation, Password)>),
    Ring(Vec<(Creation, Password)>),
    Change(Box<Plan>),
    /// It is applied to what is stored before its transaction.
    Ahead(Box<(Work, OwnedTarget, Change)>),
    Delete(Box<Removal>),
}

fn draw_all(case: &Case, from: usize, most: usize, settled: bool) -> (Vec<Drawn>, usize, bool) {
    let (mut all, mut number) = (Vec::new(), from);
    let (mut count, mut bytes) = (0, 0);
    while number < case.order.len() && count < most && bytes < BYTES {
        let places = case.order.unit(number);
        if places.iter().all(|place| case.is_past(*place)) {
            number += 1;
            continue;
        }
        let drawn = draw(case, number, places);
        if matches!(drawn.sketch, Sketch::Ahead(_)) {
            if !settled || !all.is_empty() {
                return (all, number, true);
            }
            count = most;
        }
        count += places.len();
        bytes += drawn.weight;
        all.push(drawn);
        number += 1;
    }
    (all, number, false)
}

fn draw(case: &Case, number: usize, places: &[usize]) -> Drawn {
    let mut locations = Vec::with_capacity(places.len());
    let mut sketches = Vec::with_capacity(places.len());
    for place in places {
        let (location, sketch) = one(case, *place);
        locations.push(location);
        sketches.push(sketch);
    }
    let weight = places.iter().map(|place| weight(case.operation(*place))).sum();
    let sketch = match sketches.len() {
        1 => sketches.pop().unwrap_or_else(|| Ok(Sketch::Refused(Vec::new()))),
        _ => Ok(ring_of(case, places, sketches)),
    };
    let sketch = sketch.unwrap_or_else(|error| Sketch::Refused(vec![error]));
    Drawn { number, places: places.to_vec(), locations, weight, sketch }
}

fn weight(operation: &Operation) -> usize {
    operation.data.as_deref().map_or(0, |data| data.get().len())
}

/// All of a ring, or what is wrong with each of it.
fn ring_of(case: &Case, places: &[usize], sketches: Vec<Result<Sketch, Error>>) -> Sketch {
    let mut wrong = places.iter().zip(&sketches).filter(|(_, sketch)| sketch.is_err());
    if let Some((first, _)) = wrong.next() {
        let name = case.name(*first);
        let errors = sketches.into_iter().map(|sketch| match sketch {
            Err(error) => error,
            Ok(_) => Error::Dependency(name.clone()),
        });
        return Sketch::Refused(errors.collect());
    }
    let creations: Vec<_> = sketches
        .into_iter()
        .filter_map(|sketch| match sketch {
            Ok(Sketch::Create(creation)) => Some(*creation),
            _ => None,
        })
        .collect();
    match ring::of_groups(creations.iter().map(|(creation, _)| creation)) {
        None => Sketch::Ring(creations),
        Some(names) => {
            let sentence = format!(
                "The groups {names} would be members of each other, directly or through others; a group cannot be part of itself."
            );
            Sketch::Refused(vec![Error::Circular(sentence); places.len()])
        }
    }
}

/// One operation: where it is about, and what it is going to be.
fn one(case: &Case, place: usize) -> (Option<String>, Result<Sketch, Error>) {
    let (location, aim) = aim(case, place);
    (location, aim.and_then(|aim| sketch(case, aim)))
}

/// Where an operation is about.
pub(super) fn location(case: &Case, place: usize) -> Option<String> {
    aim(case, place).0
}

/// What an operation is to do to what.
struct Aim<'c> {
    method: Method,
    operation: &'c Operation,
    work: Work,
    id: String,
}

fn aim(case: &Case, place: usize) -> (Option<String>, Result<Aim<'_>, Error>) {
    let operation = case.operation(place);
    let problem = || operation.problem.as_deref().map(|problem| Error::from(problem.clone()));
    let Some(method) = operation.method else {
        let nothing = || Error::Internal("an operation without a method".to_owned());
        return (None, Err(problem().unwrap_or_else(nothing)));
    };
    let (app, quirks) = (&case.app, case.ctx.quirks);
    let site = Site { registry: app.registry(), base: app.base(), quirks };
    let target = match bulk::target(method, &operation.path, &site) {
        Ok(target) => target,
        Err(error) => return (None, Err(problem().unwrap_or_else(|| error.into()))),
    };
    let schema = &target.kind.schema;
    if case.ctx.rules.hides(&schema.id, &target.kind.name) {
        return (None, Err(Error::NoEndpoint(excerpt(&operation.path))));
    }
    match target.kind.writes {
        Writes::All => {}
        Writes::Nothing => return (None, Err(Error::MethodNotAllowed("GET".to_owned()))),
        Writes::Ends => {
            return (
                None,
                Err(Error::NotImplemented(format!(
                    "{} are not written in bulk. Create users with {}:mode 'email' instead; 'active' false cancels.",
                    target.kind.endpoint.trim_start_matches('/'),
                    urn::INVITATION_OF_USER
                ))),
            );
        }
    }
    let id = match &target.id {
        None => Ok(case.id(place).to_owned()),
        Some(Id::Known(id)) => Ok(id.clone()),
        Some(Id::Bulk(name)) => case.id_of(name).map(str::to_owned).ok_or(name),
    };
    let shown = match &id {
        Ok(id) => id.clone(),
        Err(name) => format!("{}{name}", bulk::PREFIX),
    };
    let shown = utf8_percent_encode(&shown, PLAIN);
    let location = Some(format!("{}{}/{shown}", app.base(), target.kind.endpoint));
    // The endpoint has looked for one of them; other types need another.
    let needed = scope::to_write(&schema.id);
    let aim = match (problem(), id) {
        (Some(problem), _) => Err(problem),
        (None, Err(name)) => Err(bulk::unknown_reference(name).into()),
        (None, Ok(_)) if !case.ctx.scopes.allow(needed) => Err(Error::Forbidden(needed)),
        (None, Ok(id)) => {
            let work = Work::new(app, &case.ctx, &target.kind);
            Ok(Aim { method, operation, work, id })
        }
    };
    (location, aim)
}

fn sketch(case: &Case, aim: Aim<'_>) -> Result<Sketch, Error> {
    let Aim { method, operation, work, id } = aim;
    let mut data = operation.value().unwrap_or(Value::Null);
    bulk::substitute(method, &mut data, &|name: &str| case.id_of(name))?;
    let conditions = || Conditions::parse(operation.version.as_deref(), None);
    let change = match method {
        Method::Post => {
            let body = work.soften_body(data);
            return Ok(Sketch::Create(Box::new(Creation::accept(work, id, body, false)?)));
        }
        Method::Delete => {
            let removal = Removal { work, id, conditions: conditions()? };
            return Ok(Sketch::Delete(Box::new(removal)));
        }
        Method::Put => Change::Replace(work.soften_body(data)),
        Method::Patch => {
            let operations = patch::parse(work.soften_patch(data), work.quirks)?;
            case.app.check_count(&operations)?;
            Change::Patch(operations)
        }
    };
    let target = OwnedTarget { id, conditions: conditions()? };
    Ok(if change.looks_ahead(&work.kind) {
        Sketch::Ahead(Box::new((work, target, change)))
    } else {
        Sketch::Change(Box::new(Plan::new(work, target, change)))
    })
}

/// Hashes passwords. The error is one that has nothing to do with the operation.
async fn finish(
    case: &Arc<Case>,
    drawn: Drawn,
    settled: Option<&HashSet<usize>>,
) -> Result<Unit, Error> {
    let Drawn { number, places, locations, weight, sketch } = drawn;
    let needs = case.needs(&places);
    let lost = needs.iter().find(|need| settled.is_some_and(|lost| lost.contains(need)));
    let ready = match sketch {
        Sketch::Refused(errors) => Ok(Ready::Refused(errors)),
        Sketch::Change(plan) => Ok(Ready::Change(plan)),
        Sketch::Delete(removal) => Ok(Ready::Delete(removal)),
        Sketch::Create(made) => {
            let (creation, password) = *made;
            let creation = case.app.with_password(&case.ctx, creation, password).await;
            creation.map(|creation| Ready::Create(Box::new(creation)))
        }
        Sketch::Ring(made) => finish_ring(case, &places, made).await,
        // What is not there need not be looked for.
        Sketch::Ahead(_) if let Some(lost) = lost => Err(Error::Dependency(case.name(*lost))),
        Sketch::Ahead(ahead) => {
            let (work, target, change) = *ahead;
            let plan = case.app.plan(&case.ctx, Plan::new(work, target, change)).await;
            plan.map(|plan| Ready::Change(Box::new(plan)))
        }
    };
    let ready = match ready {
        Err(error) if is_passing(&error) => return Err(error),
        Err(error) => Ready::Refused(vec![error]),
        Ok(ready) => ready,
    };
    Ok(Unit { number, places, needs, locations, weight, ready })
}

async fn finish_ring(
    case: &Case,
    places: &[usize],
    made: Vec<(Creation, Password)>,
) -> Result<Ready, Error> {
    let mut creations = Vec::with_capacity(made.len());
    for (creation, password) in made {
        match case.app.with_password(&case.ctx, creation, password).await {
            Ok(creation) => creations.push(creation),
            Err(error) if is_passing(&error) => return Err(error),
            Err(error) => return Ok(Ready::Refused(blame(case, places, creations.len(), &error))),
        }
    }
    Ok(Ready::Ring(creations))
}

/// The error of the one that failed, and for the others that it failed.
pub(super) fn blame(case: &Case, places: &[usize], failed: usize, error: &Error) -> Vec<Error> {
    let name = places.get(failed).map(|place| case.name(*place)).unwrap_or_default();
    (0..places.len())
        .map(|at| if at == failed { error.clone() } else { Error::Dependency(name.clone()) })
        .collect()
}

/// Whether an error says nothing about the operation: the same may succeed a moment later.
pub(super) fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Busy(_) | Error::Unavailable(_))
}
