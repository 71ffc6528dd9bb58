//! Bound filters as SQL.

use crate::scim::filter::{Bound, Target};
use crate::scim::resource_type::{Registry, ResourceType};
use crate::store::{Dialect, Sql};

/// What a condition needs to know beside the filter.
#[derive(Debug, Clone, Copy)]
pub struct World<'w> {
    /// The id of the tenant.
    pub tenant: &'w str,
    /// The resource type that is searched.
    pub rt: &'w ResourceType,
    /// All resource types: members and managers may be of any.
    pub registry: &'w Registry,
    /// The SCIM base URL, for `meta.location` and `$ref`.
    pub base: &'w str,
}

/// Appends a boolean expression, never NULL, over the alias `r` of the table `resources`.
pub fn condition(sql: &mut Sql, _dialect: Dialect, _world: &World<'_>, _bound: &Bound<'_>) {
    sql.push("(1 = 1)");
}

/// Appends a boolean expression, never NULL, over the alias `m` of the table `members`, for a
/// filter from inside `members[…]`.
pub fn member_condition(sql: &mut Sql, _dialect: Dialect, _world: &World<'_>, _bound: &Bound<'_>) {
    sql.push("(1 = 1)");
}

/// Appends what stands behind ORDER BY, for the alias `r`; ties are broken by the id.
pub fn order(
    sql: &mut Sql,
    _dialect: Dialect,
    _world: &World<'_>,
    _target: &Target<'_>,
    _descending: bool,
) {
    sql.push("r.id");
}
