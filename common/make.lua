-- make.lua - a business's store, made once: the position hashes of all its kinds together.
--
-- KEYS  the position hashes
-- ARGV  for each key: n, n x (field, value)
-- Answers made | exists

for _, key in ipairs(KEYS) do
    if redis.call('EXISTS', key) == 1 then return 'exists' end
end
local at = 1
for _, key in ipairs(KEYS) do
    local count = tonumber(ARGV[at])
    at = at + 1
    for _ = 1, count do
        redis.call('HSET', key, ARGV[at], ARGV[at + 1])
        at = at + 2
    end
end
return 'made'
