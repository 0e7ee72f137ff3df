-- Publishes one comparison whole, or changes nothing.
--
-- KEYS: 1 reporter (the lease)  2 dirty  3 revision  4 outbox  5 reported  6 comparison
--       7 table en  8 table ro  9 the current comparison  10 history  11 verdicts  12 announced
-- ARGV: 1 token of the lease  2 milliseconds it lasts from now  3 channel  4 message
--       5 field of the outbox  6 first day  7 last day of the period
--       8 1 when the period is the running one, else 0  9 length of the history (0: no entry)
--       10 entries kept in verdicts (0: a change is not announced)
--       11 number of marks n, then n times field and mark; the tables en and ro; then the
--       comparison, name and value by turns
-- The revision is not known before: it is written for 0 in fields and documents.
-- Answers the revision, 'lease' when it is another's, 'mark' when something was counted since.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 'lease'
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local at = 12
for _ = 1, tonumber(ARGV[11]) do
    if redis.call('HGET', KEYS[2], ARGV[at]) ~= ARGV[at + 1] then
        return 'mark'
    end
    at = at + 2
end
local en, ro = ARGV[at], ARGV[at + 1]

local revision = string.format('%.0f', redis.call('INCR', KEYS[3]))
local function numbered(document)
    local first, last = string.find(document, '"revision":0', 1, true)
    return first and document:sub(1, last - 1) .. revision .. document:sub(last + 1) or document
end

local fields, value = {}, {}
for i = at + 2, #ARGV, 2 do
    fields[#fields + 1] = ARGV[i]
    fields[#fields + 1] = ARGV[i] == 'revision' and revision or ARGV[i + 1]
    value[ARGV[i]] = fields[#fields]
end
local function put(key)
    redis.call('DEL', key)
    for i = 1, #fields, 4000 do -- unpack has room for 7,999
        redis.call('HSET', key, unpack(fields, i, math.min(i + 3999, #fields)))
    end
end
local before = redis.call('HGET', KEYS[6], 'verdict')
put(KEYS[6])
redis.call('SET', KEYS[7], numbered(en))
redis.call('SET', KEYS[8], numbered(ro))
if ARGV[8] == '1' then
    put(KEYS[9])
end
if ARGV[9] ~= '0' then
    redis.call('XADD', KEYS[10], 'MAXLEN', ARGV[9], '*', unpack(fields))
end

-- A change is noted with what makes it the same event however often it is announced.
if ARGV[10] ~= '0' and before and before ~= value['verdict'] then
    local sequence = string.format('%.0f', redis.call('HINCRBY', KEYS[12], 'made', 1))
    local id = redis.sha1hex(table.concat({value['store'], ARGV[5], before, value['verdict'],
        revision, sequence}, '/'))
    local entry = {'id', id, 'sequence', sequence, 'subject', ARGV[5], 'from', before, 'to',
        value['verdict']}
    for _, name in ipairs({'period_kind', 'scope', 'severity', 'sale_state',
        'service_state', 'provisional', 'closed', 'reasons', 'as_of', 'store', 'revision'}) do
        entry[#entry + 1] = name
        entry[#entry + 1] = value[name] or ''
    end
    redis.call('XADD', KEYS[11], 'MAXLEN', ARGV[10], '*', unpack(entry))
end

-- The days that were ever published: where to look when everything has to be published anew.
local from, til = unpack(redis.call('HMGET', KEYS[5], 'from', 'until'))
if not from or ARGV[6] < from then
    redis.call('HSET', KEYS[5], 'from', ARGV[6])
end
if not til or ARGV[7] > til then
    redis.call('HSET', KEYS[5], 'until', ARGV[7])
end
redis.call('HSET', KEYS[4], ARGV[5], revision)
redis.call('PUBLISH', ARGV[3], numbered(ARGV[4]))
return revision
