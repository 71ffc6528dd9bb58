-- Times are microseconds since 1970 (UTC). Every key starts with the tenant.

-- The security boundary. `settings` holds what differs from the defaults, as JSON.
CREATE TABLE tenants (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    settings   TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- Bearer tokens. `hash` is the SHA-256 of the whole token in hexadecimal; the token itself is never stored.
CREATE TABLE tokens (
    id           TEXT   NOT NULL PRIMARY KEY,
    tenant       TEXT   NOT NULL REFERENCES tenants (id),
    hash         TEXT   NOT NULL UNIQUE,
    label        TEXT   NOT NULL,
    scopes       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX tokens_of_tenant ON tokens (tenant, id);

-- SCIM resources. `doc` is what the client wrote, canonical names, values as sent, without id, meta, members and
-- secrets. `folded` is the same tree in normal forms for comparing (scim/fold.rs). `label` is the display name.
CREATE TABLE resources (
    tenant      TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    doc         TEXT   NOT NULL,
    folded      TEXT   NOT NULL,
    label       TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);
CREATE INDEX resources_by_change ON resources (tenant, kind, modified_at);
CREATE INDEX resources_by_birth ON resources (tenant, kind, created_at);

-- One row per value of an indexed attribute: what filters look up instead of scanning.
CREATE TABLE attr_index (
    tenant   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    attr     TEXT NOT NULL,
    value    TEXT NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, attr, value, resource)
) WITHOUT ROWID;
CREATE INDEX attr_index_of_resource ON attr_index (tenant, kind, resource);

-- One row per value that must be unique: the primary key refuses the second taker.
CREATE TABLE unique_keys (
    tenant   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    attr     TEXT NOT NULL,
    value    TEXT NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, attr, value)
) WITHOUT ROWID;
CREATE INDEX unique_keys_of_resource ON unique_keys (tenant, kind, resource);

-- Group membership: one row per edge, readable in both directions, never a list inside the group.
CREATE TABLE members (
    tenant      TEXT NOT NULL,
    group_id    TEXT NOT NULL,
    member_id   TEXT NOT NULL,
    member_kind TEXT NOT NULL,
    PRIMARY KEY (tenant, group_id, member_id),
    FOREIGN KEY (tenant, member_kind, member_id) REFERENCES resources (tenant, kind, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX members_by_member ON members (tenant, member_id, group_id);

-- Password hashes (PHC strings), apart from the documents so that nothing that reads a document can show one.
CREATE TABLE passwords (
    tenant   TEXT NOT NULL,
    resource TEXT NOT NULL,
    phc      TEXT NOT NULL,
    PRIMARY KEY (tenant, resource)
) WITHOUT ROWID;
