-- A batch of writes locks its tenant's row first, on every instance: the writes of a tenant take turns.
-- `turn` says whether anything was written since it was read.
CREATE TABLE tenant_turns (
    tenant TEXT   NOT NULL PRIMARY KEY,
    turn   BIGINT NOT NULL
) WITHOUT ROWID;

-- How many resources there are, by ranges of ids: from `first` to the next row's `first`. The first range of a
-- kind begins with ''. Pages at any depth and totals need no walk over all ids (store/blocks.rs).
CREATE TABLE resource_blocks (
    tenant TEXT   NOT NULL,
    kind   TEXT   NOT NULL,
    first  TEXT   NOT NULL,
    live   BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, first)
) WITHOUT ROWID;
INSERT INTO resource_blocks (tenant, kind, first, live)
SELECT tenant, kind, CASE WHEN block = 0 THEN '' ELSE MIN(id) END, COUNT(*)
FROM (SELECT tenant, kind, id,
             (ROW_NUMBER() OVER (PARTITION BY tenant, kind ORDER BY id) - 1) / 1024 AS block
      FROM resources) AS numbered
GROUP BY tenant, kind, block;

-- What a document had in the index is computed from the document: writing costs half without these.
DROP INDEX attr_index_of_resource;
DROP INDEX unique_keys_of_resource;

-- With the id as last column a page by time goes on where the last one ended.
DROP INDEX resources_by_change;
DROP INDEX resources_by_birth;
CREATE INDEX resources_by_change ON resources (tenant, kind, modified_at, id);
CREATE INDEX resources_by_birth ON resources (tenant, kind, created_at, id);

-- Groups in groups, which are few: what is below a group is found without a look at its other members.
CREATE INDEX members_nested ON members (tenant, group_id, member_id) WHERE member_kind = 'Group';

-- Keys that all instances share, such as the one that seals cursors. Made at random by whoever comes first.
CREATE TABLE secrets (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Bulk requests that outlive their connection: with an Idempotency-Key, or asynchronous. `key` is the SHA-256 of the
-- key, `digest` that of key and body; neither tells anything about the body to whoever does not know the key.
-- `caller` is what is needed to go on as whoever asked. `stored` says (1) that all its operations are in
-- `bulk_steps`, so that any instance can go on with it. `owner` is at work on it, until `lease_until` unless it says
-- so again; without an owner it waits until then. `attempts` counts failures since something of it was done.
-- `stopped_at` is set when it was ended before its end.
CREATE TABLE bulk_jobs (
    tenant         TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    token          TEXT   NOT NULL,
    key            TEXT,
    digest         TEXT   NOT NULL,
    caller         TEXT   NOT NULL,
    fail_on_errors BIGINT,
    total          BIGINT NOT NULL,
    done           BIGINT NOT NULL,
    failed         BIGINT NOT NULL,
    stored         BIGINT NOT NULL,
    owner          TEXT,
    lease_until    BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    finished_at    BIGINT,
    stopped_at     BIGINT,
    attempts       BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX bulk_jobs_by_key ON bulk_jobs (tenant, token, key);
CREATE INDEX bulk_jobs_open ON bulk_jobs (tenant) WHERE finished_at IS NULL;
CREATE INDEX bulk_jobs_waiting ON bulk_jobs (stored, lease_until) WHERE finished_at IS NULL;
CREATE INDEX bulk_jobs_ended ON bulk_jobs (finished_at) WHERE finished_at IS NOT NULL;

-- One row per operation, in the order of the request. `operation` is kept while it waits (asynchronous requests) and
-- never holds a password; `resource` is the id that it made, `result` what is answered for it, written in the same
-- transaction. What is not done when its job ends is deleted with the end.
CREATE TABLE bulk_steps (
    tenant    TEXT   NOT NULL,
    job       TEXT   NOT NULL,
    place     BIGINT NOT NULL,
    operation TEXT,
    resource  TEXT,
    result    TEXT,
    PRIMARY KEY (tenant, job, place)
) WITHOUT ROWID;
