-- What resources change all the time stands in one text of each and in one index (scim/state.rs), no longer in an entry
-- each: a suspension changes one entry instead of five. Resources of a type that has no states have an empty one.
ALTER TABLE resources ADD COLUMN state TEXT NOT NULL DEFAULT '';
UPDATE resources SET state = json_object(
    'active', CAST(folded ->> '$.active' AS TEXT),
    'lifecycle', folded ->> '$."urn:ietf:params:scim:schemas:extension:usher:2.0:User".lifecycle',
    'pool.value', folded ->> '$."urn:ietf:params:scim:schemas:extension:usher-seat:2.0:User".pool.value'
) WHERE kind = 'User';
DELETE FROM attr_index WHERE kind = 'User' AND attr IN (
    'active',
    'urn:ietf:params:scim:schemas:extension:usher:2.0:User:lifecycle',
    'urn:ietf:params:scim:schemas:extension:usher-seat:2.0:User:pool.value'
);
CREATE INDEX resources_by_state ON resources (tenant, kind, state, id);
