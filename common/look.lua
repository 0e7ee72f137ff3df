-- look.lua - what the store says of a worker's kind, read on the master that will apply.
--
-- Removing a field that is never there makes this a writing script: a replica, or a master that
-- was fenced, refuses it, so a decision is never taken on what such a one still holds.
--
-- KEYS  position hash, floor, the position hashes of the other side...
-- Answers {position hash as a list, floor, 1 if one of the others exists else 0}

redis.call('HDEL', KEYS[1], '')
local others = 0
for i = 3, #KEYS do others = others + redis.call('EXISTS', KEYS[i]) end
return {redis.call('HGETALL', KEYS[1]), redis.call('GET', KEYS[2]) or '', others > 0 and 1 or 0}
