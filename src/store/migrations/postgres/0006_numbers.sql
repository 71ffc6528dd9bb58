-- Numbers that are given in order: those of call agents and of phone extensions, by length and then by digits. The next
-- one is found without a walk over all of them. A number with a zero in front is another text, and in nobody's way.
CREATE INDEX unique_numbers ON unique_keys (tenant, kind, attr, length(value), value)
WHERE attr IN ('agentNumber', 'number') AND value ~ '^[1-9][0-9]{0,7}$';

-- Phone extensions that anybody may get.
CREATE INDEX resources_free_extensions ON resources (tenant, length(label), label)
WHERE kind = 'PhoneExtension' AND folded -> 'agent' IS NULL AND folded -> 'user' IS NULL
AND COALESCE(folded ->> 'reserved', '0') = '0';
