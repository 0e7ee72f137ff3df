-- forget.lua - one customer's state goes, and a mark stays from where on in the log it is nobody.
--
-- The batch of a worker that is on its way compares the field `ledger`: it fails, is read again, and
-- then knows of the mark. So does one of a rebuild; the mark holds for both. Counters are not
-- touched, they name nobody.
--
-- KEYS  position hash, forgotten, the customer's state, position hash of a rebuild (of one shard)
-- ARGV  the store's token, partition, the customer's field of forgotten, a new value of `ledger`
-- Answers {foreign}, {damaged}, {ahead}, or
--         {done | again, the mark in force, 1 if there was a state else 0}

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return {'foreign'} end

local function position(key, word)
    local place = redis.call('HGET', key, word .. ':' .. ARGV[2])
    return place and place:match('^(%d+):')
end

local sales, service = position(KEYS[1], 'sales'), position(KEYS[1], 'service')
if not sales or not service then return {'damaged'} end

-- The first mark stays: what lies above it is anonymous already.
local mark = redis.call('HGET', KEYS[2], ARGV[3])
local answer = mark and 'again' or 'done'
if not mark then
    -- A rebuild that is further has counted as the customer's what would now be nobody's.
    if tonumber(position(KEYS[4], 'sales') or 0) > tonumber(sales) or
        tonumber(position(KEYS[4], 'service') or 0) > tonumber(service) then
        return {'ahead'}
    end
    mark = sales .. ':' .. service
    redis.call('HSET', KEYS[2], ARGV[3], mark)
end
local states = redis.call('DEL', KEYS[3])
if answer == 'done' or states > 0 then
    redis.call('HSET', KEYS[1], 'ledger', ARGV[4])
    if redis.call('EXISTS', KEYS[4]) == 1 then redis.call('HSET', KEYS[4], 'ledger', ARGV[4]) end
end
return {answer, mark, states}
