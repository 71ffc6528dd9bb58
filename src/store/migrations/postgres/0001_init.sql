-- Times are microseconds since 1970 (UTC). Every key starts with the tenant.

-- The security boundary. `settings` holds what differs from the defaults, as JSON.
CREATE TABLE tenants (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT   COLLATE "C" NOT NULL UNIQUE,
    settings   TEXT   COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

-- Bearer tokens. `hash` is the SHA-256 of the whole token in hexadecimal; the token itself is never stored.
CREATE TABLE tokens (
    id           TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    tenant       TEXT   COLLATE "C" NOT NULL REFERENCES tenants (id),
    hash         TEXT   COLLATE "C" NOT NULL UNIQUE,
    label        TEXT   COLLATE "C" NOT NULL,
    scopes       TEXT   COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX tokens_of_tenant ON tokens (tenant, id);

-- SCIM resources. `doc` is what the client wrote, canonical names, values as sent, without id, meta, members and
-- secrets. `folded` is the same tree in normal forms for comparing (scim/fold.rs). `label` is the display name.
CREATE TABLE resources (
    tenant      TEXT   COLLATE "C" NOT NULL,
    kind        TEXT   COLLATE "C" NOT NULL,
    id          TEXT   COLLATE "C" NOT NULL,
    doc         TEXT   COLLATE "C" NOT NULL,
    folded      JSONB  NOT NULL,
    label       TEXT   COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);
CREATE INDEX resources_by_change ON resources (tenant, kind, modified_at);
CREATE INDEX resources_by_birth ON resources (tenant, kind, created_at);

-- One row per value of an indexed attribute: what filters look up instead of scanning.
CREATE TABLE attr_index (
    tenant   TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    attr     TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, kind, attr, value, resource)
);
CREATE INDEX attr_index_of_resource ON attr_index (tenant, kind, resource);

-- One row per value that must be unique: the primary key refuses the second taker.
CREATE TABLE unique_keys (
    tenant   TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    attr     TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, kind, attr, value)
);
CREATE INDEX unique_keys_of_resource ON unique_keys (tenant, kind, resource);

-- Group membership: one row per edge, readable in both directions, never a list inside the group.
CREATE TABLE members (
    tenant      TEXT COLLATE "C" NOT NULL,
    group_id    TEXT COLLATE "C" NOT NULL,
    member_id   TEXT COLLATE "C" NOT NULL,
    member_kind TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, group_id, member_id),
    FOREIGN KEY (tenant, member_kind, member_id) REFERENCES resources (tenant, kind, id) ON DELETE CASCADE
);
CREATE INDEX members_by_member ON members (tenant, member_id, group_id);

-- Password hashes (PHC strings), apart from the documents so that nothing that reads a document can show one.
CREATE TABLE passwords (
    tenant   TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    phc      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, resource)
);
