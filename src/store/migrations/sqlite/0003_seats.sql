-- What the tenant offers, its roles and pools of seats, as JSON; read and written as a whole.
ALTER TABLE tenants ADD COLUMN catalogue TEXT NOT NULL DEFAULT '';

-- How many seats of a pool are taken. Users hold them: a user's document says which, and is indexed by it
-- (`attr_index`); these are their counts, kept in the same transaction. `ceiling` repeats the pool's total, so that a
-- statement that takes a seat can look at both; without it the pool is unlimited.
CREATE TABLE pool_counts (
    tenant   TEXT NOT NULL,
    pool     TEXT NOT NULL,
    ceiling  BIGINT,
    consumed BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    waiting  BIGINT NOT NULL,
    PRIMARY KEY (tenant, pool)
) WITHOUT ROWID;

-- Who waits for a seat of a pool, in the order in which they came.
CREATE TABLE seat_waits (
    tenant   TEXT NOT NULL,
    pool     TEXT NOT NULL,
    place    BIGINT NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (tenant, pool, place)
) WITHOUT ROWID;
CREATE UNIQUE INDEX seat_waits_by_user ON seat_waits (tenant, resource);

-- Groups whose direct membership means something: a role, a pool of seats, and which counts where several disagree.
CREATE TABLE group_maps (
    tenant    TEXT NOT NULL,
    group_id  TEXT NOT NULL,
    role      TEXT,
    seat_type TEXT,
    priority  BIGINT NOT NULL,
    PRIMARY KEY (tenant, group_id)
) WITHOUT ROWID;

-- What was changed and what a rule decided, written with the change: events and the provisioning log. `seq` grows by
-- one for each line of a tenant and is never given twice.
CREATE TABLE records (
    tenant   TEXT NOT NULL,
    seq      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    name     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    resource TEXT NOT NULL,
    version  BIGINT,
    request  TEXT NOT NULL,
    token    TEXT NOT NULL,
    detail   TEXT NOT NULL,
    PRIMARY KEY (tenant, seq)
) WITHOUT ROWID;
