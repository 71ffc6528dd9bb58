//! What belongs to one department: departments below it, and groups of agents.

use serde_json::Value;

use crate::app::Error;
use crate::app::rules::Was;
use crate::app::rules::agents::wrong;
use crate::app::work::Work;
use crate::scim::{Doc, urn};
use crate::store::Tx;

/// Departments below each other.
const DEEPEST: usize = 100;

impl Work {
    /// Puts the id into what a document says of its department, where that is new. A department is below
    /// none that is below itself.
    pub(super) async fn resolve_department(
        &self,
        tx: &mut Tx<'_>,
        (id, attribute): (&str, &str),
        was: Was<'_>,
        doc: &mut Doc,
    ) -> Result<(), Error> {
        let before = was.doc().and_then(|doc| doc.get(attribute));
        if before == doc.get(attribute) {
            return Ok(());
        }
        let of_departments = self.on(urn::DEPARTMENT)?;
        let Some(part) = doc.get_mut(attribute) else { return Ok(()) };
        let text = part["value"].as_str().unwrap_or_default().to_owned();
        let above = of_departments.known(tx, &text).await?;
        let above = above.ok_or_else(|| of_departments.unknown(attribute, &text))?;
        part["value"] = above.as_str().into();
        let mut next = Some(above);
        for _ in 0..DEEPEST {
            let Some(above) = next else { return Ok(()) };
            if above == id {
                return Err(wrong(format!(
                    "{attribute}: a department cannot be below itself, be it through others."
                )));
            }
            let loaded = of_departments.seek(tx, &above).await?;
            next = loaded.and_then(|loaded| above_of(&loaded.doc, "parent").map(str::to_owned));
        }
        Err(wrong(format!("{attribute}: departments are at most {DEEPEST} levels deep.")))
    }

    /// Takes a department out of what is below it and of groups of agents.
    pub(super) async fn leave_department(&self, tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
        for (attribute, schema) in [("parent", urn::DEPARTMENT), ("department", urn::AGENT_GROUP)] {
            let work = self.on(schema)?;
            let attr = format!("{attribute}.value");
            for loaded in work.having(tx, &attr, id, i64::from(i32::MAX)).await? {
                let mut doc = loaded.doc.clone();
                doc.shift_remove(attribute);
                work.amend(tx, &loaded, doc, &[]).await?;
            }
        }
        Ok(())
    }
}

fn above_of<'d>(doc: &'d Doc, attribute: &str) -> Option<&'d str> {
    doc.get(attribute)?.get("value").and_then(Value::as_str)
}
