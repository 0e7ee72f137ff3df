-- forget.lua - one customer's state goes, and a mark stays from where on in the log it is nobody.
--
-- The batch of a worker that is on its way compares the field `ledger`: it fails, is read again, and
-- then knows of the mark. Counters are not touched, they name nobody.
--
-- KEYS  position hash, forgotten, the customer's state (of one shard)
-- ARGV  the store's token, partition, the customer's field of forgotten, a new value of `ledger`
-- Answers {foreign}, {damaged}, or {done | again, the mark in force, 1 if there was a state else 0}

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return {'foreign'} end

local function position(word)
    local place = redis.call('HGET', KEYS[1], word .. ':' .. ARGV[2])
    return place and place:match('^(%d+):')
end

local sales, service = position('sales'), position('service')
if not sales or not service then return {'damaged'} end

-- The first mark stays: what lies above it is anonymous already.
local mark = redis.call('HGET', KEYS[2], ARGV[3])
local answer = mark and 'again' or 'done'
if not mark then
    mark = sales .. ':' .. service
    redis.call('HSET', KEYS[2], ARGV[3], mark)
end
local states = redis.call('DEL', KEYS[3])
if answer == 'done' or states > 0 then redis.call('HSET', KEYS[1], 'ledger', ARGV[4]) end
return {answer, mark, states}
