-- accept.lua - an operator accepts that the log lost something: positions step over it, and a note
-- of what was skipped stays for every report.
--
-- KEYS  position hash, gap hash
-- ARGV  token, n, n x (field, expected or '', new), topic, n, n x (partition, text)
-- Answers accepted | moved. A note is added to what the field says already.

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 'moved' end
local at, count = 3, tonumber(ARGV[2])
for i = 0, count - 1 do
    local stored = redis.call('HGET', KEYS[1], ARGV[at + 3 * i]) or ''
    if stored ~= ARGV[at + 3 * i + 1] then return 'moved' end
end
redis.call('HLEN', KEYS[2])
for i = 0, count - 1 do
    redis.call('HSET', KEYS[1], ARGV[at + 3 * i], ARGV[at + 3 * i + 2])
end
at = at + 3 * count
local topic = ARGV[at]
count = tonumber(ARGV[at + 1])
for i = 0, count - 1 do
    local field, text = topic .. ':' .. ARGV[at + 2 + 2 * i], ARGV[at + 3 + 2 * i]
    local said = redis.call('HGET', KEYS[2], field)
    redis.call('HSET', KEYS[2], field, said and said .. ' ' .. text or text)
end
return 'accepted'
