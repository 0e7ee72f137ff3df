-- names.lua - what a shard of the ledger knows of scopes, and whether anybody was forgotten.
--
-- KEYS  position hash, names hash, hash of forgotten customers
-- Answers {version or '', names as a list, forgotten customers}

return {redis.call('HGET', KEYS[1], 'ledger') or '', redis.call('HGETALL', KEYS[2]),
        redis.call('HLEN', KEYS[3])}
