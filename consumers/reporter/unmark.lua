-- Removes marks of a ledger's shard whose days are in the business's sums: those that are still
-- the same. One that changed since stays. No lease is asked for: the sums were written under it.
--
-- KEYS: 1 the shard's dirty. ARGV: field and value by turns. Answers how many were removed.
local removed = 0
for i = 1, #ARGV, 2 do
    if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
        removed = removed + redis.call('HDEL', KEYS[1], ARGV[i])
    end
end
return removed
