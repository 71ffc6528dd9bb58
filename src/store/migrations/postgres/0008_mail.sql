-- Letters, each written by the transaction that it tells of. `seq` grows by one in a tenant, so that a person gets letters
-- in their order. One that is still to go has `next_at`, its words in `letter` and, where it has a link, the sealed secret
-- in `sealed`; both are gone once it has gone or is given up. `asked` is 1 where somebody asked for it by itself. `owner` sends it until `lease_until`.
CREATE TABLE outbox (
    tenant      TEXT   COLLATE "C" NOT NULL,
    seq         BIGINT NOT NULL,
    id          TEXT   COLLATE "C" NOT NULL,
    resource    TEXT   COLLATE "C" NOT NULL,
    asked       BIGINT NOT NULL,
    kind        TEXT   COLLATE "C" NOT NULL,
    state       TEXT   COLLATE "C" NOT NULL,
    state_at    BIGINT NOT NULL,
    detail      TEXT   COLLATE "C" NOT NULL,
    address     TEXT   COLLATE "C" NOT NULL,
    mailbox     TEXT   COLLATE "C" NOT NULL,
    message_id  TEXT   COLLATE "C" NOT NULL,
    letter      TEXT COLLATE "C",
    sealed      TEXT COLLATE "C",
    attempts    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    next_at     BIGINT,
    owner       TEXT COLLATE "C",
    lease_until BIGINT,
    PRIMARY KEY (tenant, seq)
);
CREATE UNIQUE INDEX outbox_by_id ON outbox (tenant, id);
CREATE INDEX outbox_by_user ON outbox (tenant, resource, kind, seq);
CREATE INDEX outbox_by_time ON outbox (tenant, created_at);
CREATE INDEX outbox_by_mailbox ON outbox (tenant, mailbox, seq);
CREATE INDEX outbox_waiting ON outbox (tenant, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_waiting_of_user ON outbox (tenant, resource, seq) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_leased ON outbox (owner) WHERE owner IS NOT NULL;

-- How a tenant shows itself; `logo` is the file in Base64.
CREATE TABLE brands (
    tenant TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name   TEXT COLLATE "C",
    color  TEXT COLLATE "C",
    logo   TEXT COLLATE "C"
);

-- Words of a tenant's own for its letters, in one language each.
CREATE TABLE templates (
    tenant  TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    locale  TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    intro   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, name, locale)
);

-- Up to which line of the record administrators have been told: of administrative roles that somebody got, and of what did
-- not go as it was asked for; and when they were last told of the latter. What was before this table was told to nobody.
CREATE TABLE tellings (
    tenant    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    gains     BIGINT NOT NULL,
    digest    BIGINT NOT NULL,
    digest_at BIGINT NOT NULL
);
INSERT INTO tellings (tenant, gains, digest, digest_at)
    SELECT tenant, MAX(seq), MAX(seq), 0 FROM records GROUP BY tenant;
