-- audit.lua - a few counters and the positions they stand at, in one moment.
--
-- KEYS  position hash, floor, floors, the sets (scope:<dimension> ..., currency), counters...
-- ARGV  number of sets, then for each how many members are known already
-- Answers {seconds since 1970, position hash, floor, floors, the sets, the counters}. A set that has
-- as many members as are known is 0: members are never removed. Counters of another type than a
-- hash are the text of the error.

local function read(command, key)
    local answer = redis.pcall(command, key)
    if type(answer) == 'table' and answer.err then
        error(key .. ' is of another type than ' .. command .. ' reads', 0)
    end
    return answer
end

local sets, counters, count = {}, {}, tonumber(ARGV[1])
for i = 1, count do
    local key = KEYS[3 + i]
    sets[i] = read('SCARD', key) == tonumber(ARGV[1 + i]) and 0 or read('SMEMBERS', key)
end
for i = 4 + count, #KEYS do
    local answer = redis.pcall('HGETALL', KEYS[i])
    counters[#counters + 1] = answer.err or answer
end
return {redis.call('TIME')[1], read('HGETALL', KEYS[1]), read('GET', KEYS[2]) or '',
        read('HGETALL', KEYS[3]), sets, counters}
