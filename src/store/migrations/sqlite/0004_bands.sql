-- Between which numbers of seats taken counting suffices: outside of them somebody has to be told, and `ceiling` is no
-- more the pool's total alone. The bounds are as narrow as can be until a change has looked at the pool.
ALTER TABLE pool_counts ADD COLUMN floor BIGINT NOT NULL DEFAULT 0;
UPDATE pool_counts SET floor = consumed + reserved, ceiling = consumed + reserved WHERE ceiling IS NOT NULL;
