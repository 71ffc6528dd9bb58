-- A batch of writes locks its tenant's row first, on every instance: the writes of a tenant take turns.
-- `turn` says whether anything was written since it was read.
CREATE TABLE tenant_turns (
    tenant TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    turn   BIGINT NOT NULL
);

-- How many resources there are, by ranges of ids: from `first` to the next row's `first`. The first range of a
-- kind begins with ''. Pages at any depth and totals need no walk over all ids (store/blocks.rs).
CREATE TABLE resource_blocks (
    tenant TEXT   COLLATE "C" NOT NULL,
    kind   TEXT   COLLATE "C" NOT NULL,
    first  TEXT   COLLATE "C" NOT NULL,
    live   BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, first)
);
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

-- Of two indexes that look alike the server takes the younger one, and while a table is young they all look alike:
-- the primary key is to be the youngest, or a look-up by id walks all resources by time.
ALTER TABLE members DROP CONSTRAINT members_tenant_member_kind_member_id_fkey;
ALTER TABLE resources DROP CONSTRAINT resources_pkey;
ALTER TABLE resources ADD PRIMARY KEY (tenant, kind, id);
ALTER TABLE members ADD FOREIGN KEY (tenant, member_kind, member_id)
    REFERENCES resources (tenant, kind, id) ON DELETE CASCADE;

-- Groups in groups, which are few: what is below a group is found without a look at its other members.
CREATE INDEX members_nested ON members (tenant, group_id, member_id) WHERE member_kind = 'Group';

-- Keys that all instances share, such as the one that seals cursors. Made at random by whoever comes first.
CREATE TABLE secrets (
    name  TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT   COLLATE "C" NOT NULL
);

-- Bulk requests that outlive their connection: with an Idempotency-Key, or asynchronous. `key` is the SHA-256 of the
-- key, `digest` that of key and body; neither tells anything about the body to whoever does not know the key.
-- `caller` is what is needed to go on as whoever asked. `stored` says (1) that all its operations are in
-- `bulk_steps`, so that any instance can go on with it. `owner` is at work on it, until `lease_until` unless it says
-- so again; without an owner it waits until then. `attempts` counts failures since something of it was done.
-- `stopped_at` is set when it was ended before its end.
CREATE TABLE bulk_jobs (
    tenant         TEXT   COLLATE "C" NOT NULL,
    id             TEXT   COLLATE "C" NOT NULL,
    token          TEXT   COLLATE "C" NOT NULL,
    key            TEXT   COLLATE "C",
    digest         TEXT   COLLATE "C" NOT NULL,
    caller         TEXT   COLLATE "C" NOT NULL,
    fail_on_errors BIGINT,
    total          BIGINT NOT NULL,
    done           BIGINT NOT NULL,
    failed         BIGINT NOT NULL,
    stored         BIGINT NOT NULL,
    owner          TEXT   COLLATE "C",
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
    tenant    TEXT   COLLATE "C" NOT NULL,
    job       TEXT   COLLATE "C" NOT NULL,
    place     BIGINT NOT NULL,
    operation TEXT   COLLATE "C",
    resource  TEXT   COLLATE "C",
    result    TEXT   COLLATE "C",
    PRIMARY KEY (tenant, job, place)
);
