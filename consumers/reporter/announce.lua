-- Notes how far verdicts are announced, by a reporter that holds the lease.
--
-- KEYS: 1 reporter (the lease)  2 announced  3 verdicts. ARGV: 1 token of the lease  2 the way
-- 3 '<id> <sequence>' of the last entry announced; 'now': from the present end on, unless the way
-- has a place already; '': the way is not used, its place is forgotten.
-- Answers the place of the way, '' when the lease is another's or there is none.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return ''
end
if ARGV[3] == '' then
    redis.call('HDEL', KEYS[2], ARGV[2])
    return ''
end
local place = ARGV[3]
if place == 'now' then
    place = redis.call('HGET', KEYS[2], ARGV[2])
    if not place then
        local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
        local made = redis.call('HGET', KEYS[2], 'made') or '0'
        place = (last and last[1] or '0-0') .. ' ' .. made
    end
end
redis.call('HSET', KEYS[2], ARGV[2], place)
return place
