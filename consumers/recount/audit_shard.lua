-- audit_shard.lua - a part of a shard of the ledger and the positions it stands at, in one moment.
--
-- KEYS  position hash, floor, names, forgotten, then counters or states...
-- ARGV  the version of names and forgotten customers that is known, HGETALL | GET
-- Answers {position hash, floor, names, forgotten, values}. Names and forgotten are 0 where the
-- version is the known one. What is of another type than the command reads is the text of the error:
-- of counters as it is, of states in a list.

local function read(command, key)
    local answer = redis.pcall(command, key)
    if type(answer) == 'table' and answer.err then
        error(key .. ' is of another type than ' .. command .. ' reads', 0)
    end
    return answer
end

local position, names, forgotten, values = read('HGETALL', KEYS[1]), 0, 0, {}
if (redis.call('HGET', KEYS[1], 'ledger') or '') ~= ARGV[1] then
    names, forgotten = read('HGETALL', KEYS[3]), read('HGETALL', KEYS[4])
end
for i = 5, #KEYS do
    local answer = redis.pcall(ARGV[2], KEYS[i])
    if type(answer) == 'table' and answer.err then
        answer = ARGV[2] == 'GET' and {answer.err} or answer.err
    end
    values[#values + 1] = answer
end
return {position, read('GET', KEYS[2]) or '', names, forgotten, values}
