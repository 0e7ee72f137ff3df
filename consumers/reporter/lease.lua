-- The right to publish: one reporter of a business holds it, the others wait.
--
-- KEYS[1] the lease. ARGV: 1 my token, 2 milliseconds it lasts (0: let it go).
-- Answers 2 taken anew, 1 still mine, 0 another's (or let go).
local owner = redis.call('GET', KEYS[1])
if tonumber(ARGV[2]) == 0 then
    if owner == ARGV[1] then
        redis.call('DEL', KEYS[1])
    end
    return 0
end
if owner and owner ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return owner and 1 or 2
