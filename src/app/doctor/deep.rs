//! Whether everything that is derived from the documents says what they say.
//!
//! Index entries, unique values, normal forms and counts are compared with the documents in pieces:
//! no read lasts long, and what is mended is read again in the turn that mends it, so that a server
//! may run beside.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::app::{App, Error};
use crate::ids::TenantId;
use crate::scim::Doc;
use crate::scim::fold::{self, IndexEntry};
use crate::scim::quirks::Quirks;
use crate::scim::resource_type::ResourceType;
use crate::scim::state;
use crate::store::doctor::{self, Kept, Place, Row, Table};
use crate::store::resources::Key;
use crate::store::{Tx, blocks};

/// Resources that are looked at together.
const RESOURCES: usize = 250;
/// Entries that are looked at together.
const ENTRIES: usize = 500;

/// What was found at one type of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deep {
    /// The tenant's name.
    pub tenant: String,
    /// The resource type's name.
    pub kind: String,
    /// Resources that were looked at.
    pub resources: u64,
    /// Entries that were looked at.
    pub entries: u64,
    /// What was wrong with them.
    pub faults: Faults,
}

/// What does not agree with the documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Values that cannot be looked up.
    pub missing: u64,
    /// Entries of what no document has.
    pub stray: u64,
    /// Resources whose normal forms or display name are others.
    pub wrong: u64,
    /// Blocks that count something else than what is there.
    pub blocks: u64,
    /// Values that must be unique and are not, told with the resources; nobody can mend that but the
    /// administrator.
    pub twice: Vec<String>,
    /// Resources whose documents cannot be read; only a backup has them.
    pub damaged: Vec<String>,
}

impl Faults {
    /// Whether there is something that can be mended.
    pub fn can_be_mended(&self) -> bool {
        self.missing + self.stray + self.wrong + self.blocks > 0
    }

    /// Whether there is something that cannot be mended.
    pub fn need_a_human(&self) -> bool {
        !self.twice.is_empty() || !self.damaged.is_empty()
    }

    fn add(&mut self, more: Self) {
        self.missing += more.missing;
        self.stray += more.stray;
        self.wrong += more.wrong;
        self.blocks += more.blocks;
        self.twice.extend(more.twice);
        self.damaged.extend(more.damaged);
    }
}

impl App {
    /// Compares what is derived with the documents, and mends it if that is wished; `tell` hears
    /// after each piece how far it is.
    pub async fn look_deep(
        &self,
        mend: bool,
        mut tell: impl FnMut(&Deep),
    ) -> Result<Vec<Deep>, Error> {
        let mut all = Vec::new();
        for tenant in self.tenants().await? {
            let quirks = if tenant.settings.strict { Quirks::NONE } else { self.0.quirks };
            for kind in self.registry().types() {
                let ward = Ward { tenant: tenant.id.clone(), kind: Arc::clone(kind), quirks };
                let (tenant, kind) = (tenant.name.clone(), kind.name.clone());
                let mut deep = Deep { tenant, kind, ..Deep::default() };
                // What is too much goes first: it may hold what somebody else should have.
                let mut look = Some(Look::Entries(Table::Index, Row::default()));
                while let Some(at) = look {
                    let seen = self.look(&ward, at, mend).await?;
                    deep.resources += seen.resources;
                    deep.entries += seen.entries;
                    deep.faults.add(seen.faults);
                    look = seen.next;
                    tell(&deep);
                }
                all.push(deep);
            }
        }
        Ok(all)
    }

    /// Looks at a piece, and once more in a turn of its own where there is something to mend.
    async fn look(&self, ward: &Ward, at: Look, mend: bool) -> Result<Seen, Error> {
        let (patient, piece) = (ward.clone(), at.clone());
        let seen = self
            .store()
            .read(async move |tx: &mut Tx<'_>| patient.look(tx, &piece, false).await)
            .await?;
        if !mend || !seen.faults.can_be_mended() {
            return Ok(seen);
        }
        let patient = ward.clone();
        self.store()
            .write(&ward.tenant, async move |tx: &mut Tx<'_>| patient.look(tx, &at, true).await)
            .await
    }
}

/// Which piece is looked at.
#[derive(Debug, Clone)]
enum Look {
    /// Entries behind this one, whether a document has them.
    Entries(Table, Row),
    /// Resources behind this one, whether all that is derived from them is there.
    Resources(String),
    /// The counts.
    Blocks,
}

/// What a piece was like, and which one is next.
#[derive(Debug, Default)]
struct Seen {
    resources: u64,
    entries: u64,
    faults: Faults,
    next: Option<Look>,
}

/// The resources of one type of one tenant.
#[derive(Debug, Clone)]
struct Ward {
    tenant: TenantId,
    kind: Arc<ResourceType>,
    quirks: Quirks,
}

impl Ward {
    async fn look(&self, tx: &mut Tx<'_>, at: &Look, mend: bool) -> Result<Seen, Error> {
        match at {
            Look::Entries(table, after) => self.strays(tx, *table, after, mend).await,
            Look::Resources(after) => self.resources(tx, after, mend).await,
            Look::Blocks => self.blocks(tx, mend).await,
        }
    }

    fn place(&self, table: Table) -> Place<'_> {
        Place { tenant: &self.tenant, kind: &self.kind.name, table }
    }

    /// The entries that this document has under these quirks.
    fn entries(&self, table: Table, doc: &Doc, quirks: Quirks) -> Vec<IndexEntry> {
        match table {
            Table::Index => fold::index_entries(&self.kind, doc),
            Table::Unique => fold::unique_entries(&self.kind, doc, quirks),
        }
    }

    /// Whether each of these entries may be: none where the document cannot be read.
    async fn borne(
        &self,
        tx: &mut Tx<'_>,
        table: Table,
        rows: &[&Row],
    ) -> Result<Vec<Option<bool>>, Error> {
        let ids: BTreeSet<&str> = rows.iter().map(|row| row.resource.as_str()).collect();
        let docs = doctor::documents(tx, &self.tenant, &self.kind.name, &ids).await?;
        // Also those from when the tenant had other quirks.
        let had = |text: &String| {
            let doc: Doc = serde_json::from_str(text).ok()?;
            let entries = self.entries(table, &doc, Quirks::ALL).into_iter();
            Some(entries.map(|entry| (entry.attr, entry.value)).collect::<HashSet<_>>())
        };
        let had: HashMap<&String, _> = docs.iter().map(|(id, text)| (id, had(text))).collect();
        let borne = |row: &&Row| match had.get(&row.resource) {
            None => Some(false),
            Some(None) => None,
            Some(Some(entries)) => Some(entries.contains(&(row.attr.clone(), row.value.clone()))),
        };
        Ok(rows.iter().map(borne).collect())
    }

    async fn strays(
        &self,
        tx: &mut Tx<'_>,
        table: Table,
        after: &Row,
        mend: bool,
    ) -> Result<Seen, Error> {
        let place = self.place(table);
        let rows = doctor::entries(tx, place, after, count(ENTRIES)).await?;
        let borne = self.borne(tx, table, &rows.iter().collect::<Vec<_>>()).await?;
        let strays: Vec<Row> = rows
            .iter()
            .zip(borne)
            .filter(|(_, borne)| *borne == Some(false))
            .map(|(row, _)| row.clone())
            .collect();
        if mend {
            doctor::remove(tx, place, &strays).await?;
        }
        let next = match (rows.last(), table) {
            (Some(last), _) if rows.len() == ENTRIES => Look::Entries(table, last.clone()),
            (_, Table::Index) => Look::Entries(Table::Unique, Row::default()),
            (_, Table::Unique) => Look::Resources(String::new()),
        };
        let faults = Faults { stray: strays.len() as u64, ..Faults::default() };
        Ok(Seen { entries: rows.len() as u64, faults, next: Some(next), resources: 0 })
    }

    async fn resources(&self, tx: &mut Tx<'_>, after: &str, mend: bool) -> Result<Seen, Error> {
        let kind = &self.kind.name;
        let kept = doctor::resources(tx, &self.tenant, kind, after, count(RESOURCES)).await?;
        let mut faults = Faults::default();
        let mut docs: Vec<(&str, Doc)> = Vec::with_capacity(kept.len());
        for one in &kept {
            let Ok(doc) = serde_json::from_str::<Doc>(&one.doc) else {
                faults.damaged.push(one.id.clone());
                continue;
            };
            faults.wrong += u64::from(self.derived(tx, one, &doc, mend).await?);
            docs.push((&one.id, doc));
        }
        for table in [Table::Index, Table::Unique] {
            faults.add(self.missing(tx, table, &docs, mend).await?);
        }
        let next = match kept.last() {
            Some(last) if kept.len() == RESOURCES => Look::Resources(last.id.clone()),
            Some(_) | None => Look::Blocks,
        };
        Ok(Seen { resources: kept.len() as u64, entries: 0, faults, next: Some(next) })
    }

    /// Whether normal forms, display name or state are not those of the document.
    async fn derived(
        &self,
        tx: &mut Tx<'_>,
        kept: &Kept,
        doc: &Doc,
        mend: bool,
    ) -> Result<bool, Error> {
        let folded = fold::document(&self.kind, doc);
        let (label, state) = (fold::label(&self.kind, doc), state::of(&self.kind, doc));
        let read = |text: &str| serde_json::from_str::<Value>(text);
        let agrees = read(&kept.folded)
            .is_ok_and(|there| read(&folded).is_ok_and(|here| same(&there, &here)));
        if agrees && label == kept.label && state == kept.state {
            return Ok(false);
        }
        if mend {
            let key = Key { tenant: &self.tenant, kind: &self.kind.name, id: &kept.id };
            doctor::set_derived(tx, key, folded, [&label, &state]).await?;
        }
        Ok(true)
    }

    /// The entries that these documents should have and have not.
    async fn missing(
        &self,
        tx: &mut Tx<'_>,
        table: Table,
        docs: &[(&str, Doc)],
        mend: bool,
    ) -> Result<Faults, Error> {
        let place = self.place(table);
        let wanted = self.rows(table, docs, self.quirks);
        let absent = doctor::absent(tx, place, &wanted).await?;
        if absent.is_empty() {
            return Ok(Faults::default());
        }
        let (taken, free): (Vec<_>, Vec<_>) =
            absent.into_iter().partition(|(_, holder)| holder.is_some());
        let free: Vec<Row> = free.into_iter().map(|(row, _)| row).collect();
        let mut faults = Faults { missing: free.len() as u64, ..Faults::default() };
        if mend {
            faults.missing = doctor::add(tx, place, &free).await?;
        }
        // Of several that want one value the first one got it.
        let late = if mend { doctor::absent(tx, place, &free).await? } else { Vec::new() };
        let strict: BTreeSet<Row> = self.rows(table, docs, Quirks::NONE).into_iter().collect();
        for (row, holder) in taken.into_iter().chain(late) {
            let resource = holder.unwrap_or_default();
            let held = Row { resource, ..row.clone() };
            if self.borne(tx, table, &[&held]).await? == [Some(false)] {
                // Whoever has it is a stray that is told as such.
                faults.missing += 1;
            } else if strict.contains(&row) {
                let Row { attr, resource, .. } = row;
                faults.twice.push(format!("'{resource}' has the {attr} of '{}'", held.resource));
            }
            // Groups may share a name from when the tenant was strict.
        }
        Ok(faults)
    }

    /// The entries of these documents under these quirks.
    fn rows(&self, table: Table, docs: &[(&str, Doc)], quirks: Quirks) -> Vec<Row> {
        let row = |IndexEntry { attr, value }, resource| Row { attr, value, resource };
        let of_one = |(id, doc): &(&str, Doc)| {
            let entries = self.entries(table, doc, quirks).into_iter();
            entries.map(|entry| row(entry, (*id).to_owned())).collect::<Vec<_>>()
        };
        docs.iter().flat_map(of_one).collect()
    }

    async fn blocks(&self, tx: &mut Tx<'_>, mend: bool) -> Result<Seen, Error> {
        let wrong = blocks::check(tx, &self.tenant, &self.kind.name).await?;
        if mend && !wrong.is_empty() {
            blocks::rebuild(tx, &self.tenant, &self.kind.name).await?;
        }
        let faults = Faults { blocks: wrong.len() as u64, ..Faults::default() };
        Ok(Seen { faults, ..Seen::default() })
    }
}

fn count(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Whether two trees hold the same: a database may order members and write numbers in its own way.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|it| same(value, it)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        _ => one == other,
    }
}
