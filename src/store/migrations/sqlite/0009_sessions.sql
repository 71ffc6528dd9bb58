-- Sessions of people who signed in. A refresh token names its session, its place in the line of that session's tokens
-- (`generation` is the one that is good) and proves both by a seal of the installation's key over them and `salt`, so that
-- neither the tokens nor anything they could be made from stands here, and one of long ago is known for what it is.
CREATE TABLE sessions (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant     TEXT   NOT NULL,
    resource   TEXT   NOT NULL,
    account    TEXT,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    network    TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    salt       TEXT   NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (tenant, resource);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- What is known of a user's signing in: `epoch` grows whenever all sessions were ended, `at` is the last time, `networks`
-- are those from which it was last done.
CREATE TABLE logins (
    tenant   TEXT   NOT NULL,
    resource TEXT   NOT NULL,
    epoch    BIGINT NOT NULL,
    at       BIGINT,
    networks TEXT   NOT NULL,
    PRIMARY KEY (tenant, resource)
) WITHOUT ROWID;

-- Keys that sign access tokens, each from `signs_at` until the next one does. `public` is a JWK, `secret` is sealed.
CREATE TABLE signing_keys (
    generation BIGINT NOT NULL PRIMARY KEY,
    id         TEXT   NOT NULL,
    public     TEXT   NOT NULL,
    secret     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    signs_at   BIGINT NOT NULL
) WITHOUT ROWID;
