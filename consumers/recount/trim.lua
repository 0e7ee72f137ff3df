-- trim.lua - the floor moves up, and with it stands from where on in the log it holds.
--
-- Workers compare the floor in every batch, so of each record it is exact which floor it was counted
-- under: the one in force at its offset. An audit needs that.
--
-- KEYS  floor; then for each generation of counters: floors, position hashes of sales and service
-- ARGV  the new floor
-- Answers {moved | same | above, the floor before or ''}. It never moves back.

local before = redis.call('GET', KEYS[1]) or ''
if before == ARGV[1] then return {'same', before} end
if before > ARGV[1] then return {'above', before} end

-- "sales:0=1220 sales:1=1325 ...": a partition that is not named had the floor from its beginning.
local function positions(key, word)
    local found = {}
    if redis.call('TYPE', key).ok ~= 'hash' then return found end
    local fields = redis.call('HGETALL', key)
    for i = 1, #fields, 2 do
        local partition = fields[i]:match('^' .. word .. ':(%d+)$')
        local offset = fields[i + 1]:match('^(%d+):')
        if partition and offset then
            found[#found + 1] = word .. ':' .. partition .. '=' .. offset
        end
    end
    return found
end

for g = 2, #KEYS, 3 do
    local sales, service = positions(KEYS[g + 1], 'sales'), positions(KEYS[g + 2], 'service')
    for _, one in ipairs(service) do sales[#sales + 1] = one end
    if #sales > 0 then redis.call('HSET', KEYS[g], ARGV[1], table.concat(sales, ' ')) end
end
redis.call('SET', KEYS[1], ARGV[1])
return {'moved', before}
