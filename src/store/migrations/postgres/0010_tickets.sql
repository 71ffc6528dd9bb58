-- Links that let somebody in, by the SHA-256 of their secret. `ended` is null as long as one is good, and then says what
-- became of it, so that a person can be told; of a user and a purpose at most one is good.
CREATE TABLE tickets (
    hash     TEXT NOT NULL PRIMARY KEY,
    tenant   TEXT NOT NULL,
    resource TEXT NOT NULL,
    purpose  TEXT NOT NULL,
    expires  BIGINT NOT NULL,
    ended    TEXT
);
CREATE UNIQUE INDEX tickets_good ON tickets (tenant, resource, purpose) WHERE ended IS NULL;
CREATE INDEX tickets_overdue ON tickets (expires) WHERE ended IS NULL;
CREATE INDEX tickets_by_end ON tickets (expires);
