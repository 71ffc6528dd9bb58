//! Users and groups for the store's tests, without the protocol around them.

use usher::clock::Micros;
use usher::ids::{ResourceId, TenantId};
use usher::store::resources::{self, Draft, Entries, Key};
use usher::store::tenants::{self, Tenant};
use usher::store::{Error, Store};

/// The moment at which the tests begin.
pub(crate) const T0: Micros = Micros(1_700_000_000_000_000);

/// A new tenant.
pub(crate) async fn tenant(store: &Store, name: &str) -> TenantId {
    let id = TenantId::new();
    let tenant = Tenant {
        id: id.clone(),
        name: name.to_owned(),
        settings: "{}".to_owned(),
        created: T0,
        catalogue: String::new(),
    };
    store.write_apart(async move |tx| tenants::insert(tx, &tenant).await).await.unwrap();
    id
}

/// A document with this unique name.
pub(crate) fn draft(name: &str) -> Draft {
    let folded = name.to_lowercase();
    Draft {
        doc: format!(r#"{{"userName":"{name}"}}"#),
        folded: format!(r#"{{"userName":"{folded}"}}"#),
        label: name.to_owned(),
        entries: Entries {
            index: vec![
                ("userName".to_owned(), folded.clone()),
                ("emails.value".to_owned(), format!("{folded}@example.com")),
            ],
            unique: vec![("userName".to_owned(), folded)],
        },
        ..Draft::default()
    }
}

/// Adds a resource and gives its id.
pub(crate) async fn add(
    store: &Store,
    tenant: &TenantId,
    kind: &'static str,
    name: &str,
) -> Result<String, Error> {
    let (tenant, id, draft) = (tenant.clone(), ResourceId::new(T0).to_string(), draft(name));
    store
        .write_apart(async move |tx| {
            let key = Key { tenant: &tenant, kind, id: &id };
            resources::insert(tx, key, &draft, T0).await?;
            Ok(id.clone())
        })
        .await
}

/// The version of a resource.
pub(crate) async fn version(store: &Store, tenant: &TenantId, kind: &'static str, id: &str) -> i64 {
    let (tenant, id) = (tenant.clone(), id.to_owned());
    let found = store
        .read(async move |tx| resources::find(tx, Key { tenant: &tenant, kind, id: &id }).await)
        .await;
    found.unwrap().unwrap().version
}
