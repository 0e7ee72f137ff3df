-- rebuild_fence.lua - stops all counting into a store for the moment of a switch, or lets it go on.
--
-- A worker compares the token with every batch; it waits as long as it finds one that ends with
-- `:switching`. What was counted stays as it is.
--
-- KEYS  position hashes
-- ARGV  close | open
-- Answers how many were changed.

local changed = 0
for _, key in ipairs(KEYS) do
    local token = redis.call('TYPE', key).ok == 'hash' and redis.call('HGET', key, 'token')
    if token then
        local closed = token:sub(-10) == ':switching'
        if ARGV[1] == 'close' and not closed then
            redis.call('HSET', key, 'token', token .. ':switching')
            changed = changed + 1
        elseif ARGV[1] == 'open' and closed then
            redis.call('HSET', key, 'token', token:sub(1, -11))
            changed = changed + 1
        end
    end
end
return changed
