-- Users that were suspended or deleted within the window of the tenant's brake, each once. `nth` grows by one, so that how
-- many there are is a subtraction; `users` is how many were not suspended just before.
CREATE TABLE departures (
    tenant   TEXT   NOT NULL,
    resource TEXT   NOT NULL,
    nth      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    users    BIGINT NOT NULL,
    PRIMARY KEY (tenant, resource)
) WITHOUT ROWID;
CREATE INDEX departures_in_order ON departures (tenant, at, nth);

-- Users that were suspended or deleted beyond what the brake lets pass, until an administrator decides or `until` comes.
-- Of a deleted one it is all there is: `doc` is its document, `groups` what it was a member of, `pool` and `hold` the seat
-- that is kept for it and counted in `pool_counts`. Of a suspended one they are null: it is in `resources`.
CREATE TABLE held_users (
    tenant     TEXT   NOT NULL,
    resource   TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    doc        TEXT,
    version    BIGINT,
    created_at BIGINT,
    phc        TEXT,
    groups     TEXT,
    pool       TEXT,
    hold       TEXT,
    PRIMARY KEY (tenant, resource)
) WITHOUT ROWID;
CREATE INDEX held_users_by_end ON held_users (until);
