//! Words of tenants' own for their letters.

use crate::domain::template::Template;
use crate::ids::TenantId;
use crate::store::{Error, Tx};

/// The templates of a tenant: of this name in all languages, or all; by name and language.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    name: Option<&str>,
) -> Result<Vec<Template>, Error> {
    let sql = "SELECT name, locale, subject, intro FROM templates
               WHERE tenant = $1 AND (CAST($2 AS TEXT) IS NULL OR name = $2) ORDER BY name, locale";
    let rows = tx.query(sql, &[tenant.into(), name.into()]).await?;
    let read = |row: &crate::store::Row| {
        let text = |column: usize| row.text(column).map(str::to_owned);
        Ok(Template { name: text(0)?, locale: text(1)?, subject: text(2)?, intro: text(3)? })
    };
    rows.iter().map(read).collect()
}

/// Whether there is a template of this name in any language.
pub async fn is_there(tx: &mut Tx<'_>, tenant: &TenantId, name: &str) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM templates WHERE tenant = $1 AND name = $2 LIMIT 1";
    Ok(!tx.query(sql, &[tenant.into(), name.into()]).await?.is_empty())
}

/// How many there are, in all languages.
pub async fn count(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM templates WHERE tenant = $1";
    tx.query(sql, &[tenant.into()]).await?.first().map_or(Ok(0), |row| row.int(0))
}

/// Makes or replaces a template in one language.
pub async fn set(tx: &mut Tx<'_>, tenant: &TenantId, template: &Template) -> Result<(), Error> {
    let sql = "INSERT INTO templates (tenant, name, locale, subject, intro)
               VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (tenant, name, locale) DO UPDATE SET subject = excluded.subject,
                   intro = excluded.intro";
    let binds = [
        tenant.into(),
        (&template.name).into(),
        (&template.locale).into(),
        (&template.subject).into(),
        (&template.intro).into(),
    ];
    tx.execute(sql, &binds).await.map(drop)
}

/// Removes a template in one language; false where there is none.
pub async fn remove(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    name: &str,
    locale: &str,
) -> Result<bool, Error> {
    let sql = "DELETE FROM templates WHERE tenant = $1 AND name = $2 AND locale = $3";
    Ok(tx.execute(sql, &[tenant.into(), name.into(), locale.into()]).await? == 1)
}
