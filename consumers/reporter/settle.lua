-- Removes what is done from a list of things to do: fields of a hash whose value is still the one
-- that was done. One that changed since stays.
--
-- KEYS: 1 reporter (the lease)  2 the hash. ARGV: 1 token of the lease, then field and value by
-- turns. Answers how many were removed, -1 when the lease is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return -1
end
local removed = 0
for i = 2, #ARGV, 2 do
    if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] then
        removed = removed + redis.call('HDEL', KEYS[2], ARGV[i])
    end
end
return removed
