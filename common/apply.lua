-- apply.lua - one batch of a worker: sums and positions, together or not at all.
--
-- Redis runs a script alone, so nothing comes between its steps; but it does not undo what a
-- script did before an error. So everything that can be refused is checked first, additions are
-- taken back when one of them fails, and what has no negation is written last.
-- Sums travel as strings: Lua's numbers are doubles and would round them.
--
-- KEYS  position hash, floor, dirty hash, currency set, names hash
-- ARGV  prefix, token, floor, scope limit, mark, version of the names,
--       n, n x (position field, expected, new),
--       n, n x currency,
--       n, n x group: head, dimension, value, dirty head, expiry, n, n x (field, delta),
--       n, n x (name of a scope, its number), n, n x (customer, state or '')
-- Answers, a list: applied | token <stored> | floor <stored> | moved (<field> <stored>)... |
--       ledger <stored> | torn <begun> <done> | failed <key> <field> <message>
--
-- Names and customers are those of a shard of the ledger; other workers give none, and no version.
-- A state is written with numbers for names, so it may be written only by who knows them all: the
-- position hash's `ledger` is another after every batch with new names, and after `tandem forget`.
--
-- The position hash counts batches twice, `begun` before a batch's first change and `done` after its
-- last. They differ only where Redis replayed a part of a batch: an append-only file that was cut
-- within one (docs/guarantees.md, "What it rests on"). Then nothing is added any more.

local position_key, floor_key, dirty_key, currency_key, names_key =
    KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local prefix, token, floor, limit, mark, ledger =
    ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local at = 7

-- 1. May this worker write here, and is the batch the one that follows?
local stored_token, begun, done, stored_ledger =
    unpack(redis.call('HMGET', position_key, 'token', 'begun', 'done', 'ledger'))
if stored_token ~= token then return {'token', stored_token or ''} end
local stored_floor = redis.call('GET', floor_key) or ''
if stored_floor ~= floor then return {'floor', stored_floor} end

local positions, moved = {}, {'moved'}
local count = tonumber(ARGV[at])
at = at + 1
for _ = 1, count do
    local stored = redis.call('HGET', position_key, ARGV[at])
    if stored ~= ARGV[at + 1] then
        moved[#moved + 1] = ARGV[at]
        moved[#moved + 1] = stored or ''
    end
    positions[#positions + 1] = ARGV[at]
    positions[#positions + 1] = ARGV[at + 2]
    at = at + 3
end
if #moved > 1 then return moved end
if (stored_ledger or '') ~= ledger then return {'ledger', stored_ledger or ''} end

local currencies = {}
count = tonumber(ARGV[at])
for i = 1, count do currencies[i] = ARGV[at + i] end
at = at + 1 + count

begun, done = begun or '0', done or '0'
if begun ~= done then return {'torn', begun, done} end

-- 2. Under which key does each group count? A dimension holds at most `limit` values. Whatever can
-- be of the wrong type is read here, before the first addition: an error ends the script cleanly.
local decided, size, joined, other = {}, {}, {}, {}
local function scope_of(dimension, value)
    if dimension == '' then return value end
    local name = dimension .. '=' .. value
    if decided[name] then return decided[name] end
    local set = prefix .. 'scope:' .. dimension
    local scope = name
    size[set] = size[set] or
        redis.call('SCARD', set) - redis.call('SISMEMBER', set, '__other__')
    if value ~= '__other__' and redis.call('SISMEMBER', set, value) == 0 then
        if size[set] < limit then
            size[set] = size[set] + 1
            joined[#joined + 1] = {set, value}
        else
            scope = dimension .. '=__other__'
        end
    end
    if scope == dimension .. '=__other__' and not other[set] then
        other[set] = true
        joined[#joined + 1] = {set, '__other__'}
    end
    decided[name] = scope
    return scope
end

redis.call('SCARD', currency_key)
redis.call('HLEN', dirty_key)
redis.call('HLEN', names_key)
local groups = tonumber(ARGV[at])
local first = at + 1
local keys, starts, marks, expiries = {}, {}, {}, {}
at = first
for g = 1, groups do
    local scope = scope_of(ARGV[at + 1], ARGV[at + 2])
    starts[g] = at
    keys[g] = ARGV[at] .. scope
    if ARGV[at + 3] ~= '' then
        marks[#marks + 1] = ARGV[at + 3] .. scope
        marks[#marks + 1] = mark
    end
    if ARGV[at + 4] ~= '' then expiries[#expiries + 1] = {keys[g], ARGV[at + 4]} end
    at = at + 6 + 2 * tonumber(ARGV[at + 5])
end

-- A user who may not do what is written last would leave sums without their position.
local function forbidden(command, key, ...)
    if redis.acl_check_cmd(command, key, ...) then return nil end
    return {'failed', key, command, 'NOPERM this user may not do it: its ACL lacks it ' ..
            '(deploy/redis/users.acl, docs/security.md)'}
end
if redis.acl_check_cmd then -- since Redis 7
    local set = joined[1] and joined[1][1] or currencies[1] and currency_key
    local expiry = expiries[1]
    local no = forbidden('HINCRBY', position_key, 'begun', '1') or
        forbidden('HSET', position_key, 'token', '') or
        (marks[1] and forbidden('HSET', dirty_key, marks[1], '')) or
        (keys[1] and forbidden('HINCRBY', keys[1], '', '1')) or
        (set and forbidden('SADD', set, '')) or
        (expiry and forbidden('EXPIREAT', expiry[1], expiry[2])) or
        (ledger ~= '' and (forbidden('SET', prefix .. 'c:', '') or
                           forbidden('DEL', prefix .. 'c:') or
                           forbidden('HSET', names_key, '', '')))
    if no then return no end
end

local counted = redis.pcall('HINCRBY', position_key, 'begun', '1')
if type(counted) == 'table' then return {'failed', position_key, 'begun', counted.err} end

-- 3. Add. On an error take back what was added and say where it failed.
local function negated(delta)
    if delta:sub(1, 1) == '-' then return delta:sub(2) end
    return '-' .. delta
end

-- Last first: so every sum goes back through values that it already had, and none overflows.
local function take_back(last_group, last_cell)
    for g = last_group, 1, -1 do
        local i = starts[g]
        local added = tonumber(ARGV[i + 5])
        if g == last_group then added = last_cell - 1 end
        for c = added - 1, 0, -1 do
            redis.call('HINCRBY', keys[g], ARGV[i + 6 + 2 * c], negated(ARGV[i + 7 + 2 * c]))
        end
    end
    redis.call('HINCRBY', position_key, 'begun', '-1')
end

local pcall = redis.pcall
at = first
for g = 1, groups do
    local key = keys[g]
    local cells = tonumber(ARGV[at + 5])
    at = at + 6
    for c = 1, cells do
        local answer = pcall('HINCRBY', key, ARGV[at], ARGV[at + 1])
        if type(answer) == 'table' then
            take_back(g, c)
            return {'failed', key, ARGV[at], answer.err}
        end
        at = at + 2
    end
end

-- 4. Nothing can fail any more.
-- One call for many fields: half of what a call costs is not its field. unpack has its limit.
local function set_all(key, list)
    for i = 1, #list, 4000 do
        redis.call('HSET', key, unpack(list, i, math.min(i + 3999, #list)))
    end
end

for _, pair in ipairs(joined) do redis.call('SADD', pair[1], pair[2]) end
for _, code in ipairs(currencies) do redis.call('SADD', currency_key, code) end
set_all(dirty_key, marks)
for _, pair in ipairs(expiries) do redis.call('EXPIREAT', pair[1], pair[2]) end

local names = {}
for i = 1, 2 * tonumber(ARGV[at]) do names[i] = ARGV[at + i] end
at = at + 1 + #names
set_all(names_key, names)
if #names > 0 then
    positions[#positions + 1] = 'ledger'
    positions[#positions + 1] = mark
end
for i = at + 1, at + 2 * tonumber(ARGV[at]), 2 do
    local key = prefix .. 'c:' .. ARGV[i]
    if ARGV[i + 1] == '' then
        redis.call('DEL', key)
    else
        redis.call('SET', key, ARGV[i + 1])
    end
end
set_all(position_key, positions)
redis.call('HINCRBY', position_key, 'done', '1')
return {'applied'}
