-- rebuild_scopes.lua - a recount begins with the values that the live counters have admitted.
--
-- Else values beyond the limit might change their place between their own name and __other__ only
-- because the log is read in another order.
--
-- KEYS  pairs: the live set of a dimension, that of the recount
-- ARGV  the limit of values; where the live set is beyond it, or is none, the recount's is empty

for i = 1, #KEYS, 2 do
    redis.call('DEL', KEYS[i + 1])
    if redis.call('TYPE', KEYS[i]).ok == 'set' then
        local other = redis.call('SISMEMBER', KEYS[i], '__other__')
        if redis.call('SCARD', KEYS[i]) - other <= tonumber(ARGV[1]) then
            redis.call('SUNIONSTORE', KEYS[i + 1], KEYS[i])
            redis.call('SREM', KEYS[i + 1], '__other__')
        end
    end
end
return 'copied'
