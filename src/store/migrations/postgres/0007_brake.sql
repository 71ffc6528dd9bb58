-- Users that were suspended or deleted within the window of the tenant's brake, each once. `nth` grows by one, so that how
-- many there are is a subtraction; `users` is how many were not suspended just before.
CREATE TABLE departures (
    tenant   TEXT   COLLATE "C" NOT NULL,
    resource TEXT   COLLATE "C" NOT NULL,
    nth      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    users    BIGINT NOT NULL,
    PRIMARY KEY (tenant, resource)
);
CREATE INDEX departures_in_order ON departures (tenant, at, nth);

-- Users that were suspended or deleted beyond what the brake lets pass, until an administrator decides or `until` comes.
-- Of a deleted one it is all there is: `doc` is its document, `groups` what it was a member of, `pool` and `hold` the seat
-- that is kept for it and counted in `pool_counts`. Of a suspended one they are null: it is in `resources`.
CREATE TABLE held_users (
    tenant     TEXT   COLLATE "C" NOT NULL,
    resource   TEXT   COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    doc        TEXT COLLATE "C",
    version    BIGINT,
    created_at BIGINT,
    phc        TEXT COLLATE "C",
    groups     TEXT COLLATE "C",
    pool       TEXT COLLATE "C",
    hold       TEXT COLLATE "C",
    PRIMARY KEY (tenant, resource)
);
CREATE INDEX held_users_by_end ON held_users (until);
