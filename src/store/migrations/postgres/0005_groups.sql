-- What membership of a group means beside a role and a pool: a department and a group of call agents, by their ids.
ALTER TABLE group_maps ADD COLUMN department TEXT COLLATE "C";
ALTER TABLE group_maps ADD COLUMN agent_group TEXT COLLATE "C";
