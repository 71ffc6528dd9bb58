-- What the tenant offers, its roles and pools of seats, as JSON; read and written as a whole.
ALTER TABLE tenants ADD COLUMN catalogue TEXT COLLATE "C" NOT NULL DEFAULT '';

-- How many seats of a pool are taken. Users hold them: a user's document says which, and is indexed by it
-- (`attr_index`); these are their counts, kept in the same transaction. `ceiling` repeats the pool's total, so that a
-- statement that takes a seat can look at both; without it the pool is unlimited.
CREATE TABLE pool_counts (
    tenant   TEXT COLLATE "C" NOT NULL,
    pool     TEXT COLLATE "C" NOT NULL,
    ceiling  BIGINT,
    consumed BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    waiting  BIGINT NOT NULL,
    PRIMARY KEY (tenant, pool)
);

-- Who waits for a seat of a pool, in the order in which they came.
CREATE TABLE seat_waits (
    tenant   TEXT COLLATE "C" NOT NULL,
    pool     TEXT COLLATE "C" NOT NULL,
    place    BIGINT NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, pool, place)
);
CREATE UNIQUE INDEX seat_waits_by_user ON seat_waits (tenant, resource);

-- Groups whose direct membership means something: a role, a pool of seats, and which counts where several disagree.
CREATE TABLE group_maps (
    tenant    TEXT COLLATE "C" NOT NULL,
    group_id  TEXT COLLATE "C" NOT NULL,
    role      TEXT COLLATE "C",
    seat_type TEXT COLLATE "C",
    priority  BIGINT NOT NULL,
    PRIMARY KEY (tenant, group_id)
);

-- What was changed and what a rule decided, written with the change: events and the provisioning log. `seq` grows by
-- one for each line of a tenant and is never given twice.
CREATE TABLE records (
    tenant   TEXT COLLATE "C" NOT NULL,
    seq      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    version  BIGINT,
    request  TEXT COLLATE "C" NOT NULL,
    token    TEXT COLLATE "C" NOT NULL,
    detail   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, seq)
);
