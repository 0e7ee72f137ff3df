-- rebuild.lua - the recounted counters take the place of the live ones, in one step.
--
-- KEYS  position hashes of sales and service, live, then recounted (of a shard of the ledger the one
--       hash twice); dirty, live, then recounted; n keys that go; then pairs: a recounted key and its
--       new name
-- ARGV  token of the recounted store, a mark, n, length of "tandem:{<business>}:", and of a shard a
--       new version of its names, else ''
-- Answers switched | moved (the recounted store is another) | unfenced (somebody may have counted
-- into the live one since its keys were listed).
--
-- Every day that goes and every day that comes is marked, so that the reporter publishes all of them
-- anew. A worker that knows the names of the live shard must not take them for those of the recounted
-- one, whose numbers are others: `tandem forget` gives both the same version. What may be refused for
-- want of memory comes first: Redis then lets the script end.

for i = 3, 4 do
    if redis.call('HGET', KEYS[i], 'token') ~= ARGV[1] then return 'moved' end
end
for i = 1, 2 do
    if redis.call('TYPE', KEYS[i]).ok == 'hash' then
        local token = redis.call('HGET', KEYS[i], 'token')
        if token and token:sub(-10) ~= ':switching' then return 'unfenced' end
    end
end

local dirty, mark, gone, prefix = KEYS[5], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('TYPE', dirty).ok ~= 'hash' then redis.call('DEL', dirty) end
local marks = redis.call('HGETALL', KEYS[6])
for i = 1, #marks, 2 do redis.call('HSET', dirty, marks[i], marks[i + 1]) end
for i = 7, 6 + gone do
    local side, rest = KEYS[i]:sub(prefix + 1):match('^(%a+):day:(.*)$')
    if side then redis.call('HSET', dirty, side .. ':' .. rest, mark) end
end
if ARGV[5] ~= '' then redis.call('HSET', KEYS[3], 'ledger', ARGV[5]) end

for i = 7, 6 + gone do redis.call('UNLINK', KEYS[i]) end
for i = 7 + gone, #KEYS, 2 do
    -- An hour may have expired since the keys were listed.
    if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('RENAME', KEYS[i], KEYS[i + 1]) end
end
redis.call('UNLINK', KEYS[6])
return 'switched'
