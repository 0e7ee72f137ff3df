-- Makes customer counters of the business what the ledger's shards come to.
--
-- KEYS: 1 reporter (the lease)  2 dirty, then one hash each. ARGV: 1 token of the lease  2 the mark
-- to leave, then for each hash its field in dirty ('': none), a number n, and n times field and
-- value. A hash that is so already is left alone, so that nothing is published again for nothing.
-- Answers how many changed, -1 when the lease is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return -1
end
local at, changed = 3, 0
local function is_so(key, first, n)
    local found = redis.call('HGETALL', key)
    if #found ~= 2 * n then
        return false
    end
    local values = {}
    for i = 1, #found, 2 do
        values[found[i]] = found[i + 1]
    end
    for i = first, first + 2 * n - 2, 2 do
        if values[ARGV[i]] ~= ARGV[i + 1] then
            return false
        end
    end
    return true
end
for i = 3, #KEYS do
    local mark, n, first = ARGV[at], tonumber(ARGV[at + 1]), at + 2
    at = first + 2 * n
    if not is_so(KEYS[i], first, n) then
        redis.call('DEL', KEYS[i])
        if n > 0 then
            redis.call('HSET', KEYS[i], unpack(ARGV, first, at - 1))
        end
        if mark ~= '' then
            redis.call('HSET', KEYS[2], mark, ARGV[2])
        end
        changed = changed + 1
    end
end
return changed
