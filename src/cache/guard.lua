-- Writes entries, each unless a newer version of it was written before. Atomic, as every script.
-- KEYS: for each write the entry, and the key that keeps its version where the entry has no room for it.
-- ARGV: for each write ts, lsn or '', what (set, hash, json, delete), milliseconds to live or '', of how many
-- arguments its content is, and these.
-- Answers for each write 1 = written, 0 = what is there is newer, or the error that kept it from being written.
local field = 'syncscope:version'
local most = 1000
local entries, version_keys, results = {}, {}, {}
for i = 1, #KEYS / 2 do
  entries[i], version_keys[i] = KEYS[2 * i - 1], KEYS[2 * i]
end
-- Asked for all at once: most of what a write costs the server is the call.
local held = redis.call('MGET', unpack(version_keys))
local there = redis.call('EXISTS', unpack(entries)) > 0
-- Versions that were written by this very call.
local written = {}

local function failed(done)
  return type(done) == 'table' and done.err
end

local function call(...)
  local done = redis.pcall(...)
  if failed(done) then error(done) end
  return done
end

-- What `pcall` caught as an error reply; newer servers hand out its words alone.
local function blamed(caught)
  return failed(caught) and caught or {err = tostring(caught)}
end

-- A server that is full tells so at the first write of a script that needs room, and lets all others pass.
-- This one writes nothing.
local function full()
  local done = redis.pcall('SETRANGE', version_keys[1], 0, '')
  if failed(done) and string.find(done.err, 'OOM', 1, true) then return done end
end

-- The version to write, or nothing where a newer one is there.
local function admitted(i, ts, lsn)
  local known = written[version_keys[i]] or held[i]
  if not known and there and call('TYPE', entries[i])['ok'] == 'hash' then
    known = call('HGET', entries[i], field)
  end
  if known then
    local known_ts, known_lsn = string.match(known, '^(%d+):(%d*)$')
    known_ts = tonumber(known_ts)
    if known_ts then
      if tonumber(ts) < known_ts then return nil end
      if tonumber(ts) == known_ts and known_lsn ~= '' then
        if lsn == '' then
          lsn = known_lsn
        elseif tonumber(lsn) < tonumber(known_lsn) then
          return nil
        end
      end
    end
  end
  return ts .. ':' .. lsn
end

-- Entries that only need to be set are set together.
local plain, pending = {}, {}
local function flush()
  if #pending == 0 then return end
  if failed(redis.pcall('MSET', unpack(plain))) then
    -- One by one, to know whose fault it is.
    for n, i in ipairs(pending) do
      results[i] = redis.pcall('SET', plain[4 * n - 3], plain[4 * n - 2])
      if not failed(results[i]) then results[i] = redis.pcall('SET', plain[4 * n - 1], plain[4 * n]) end
      if not failed(results[i]) then results[i] = 1 end
    end
  else
    for _, i in ipairs(pending) do results[i] = 1 end
  end
  plain, pending = {}, {}
end

local function write(i, at, what, ttl, version)
  local entry, version_key, content = entries[i], version_keys[i], at + 5
  if what == 'delete' then
    call('UNLINK', entry)
    call('SET', version_key, version, 'PX', ttl)
  elseif what == 'hash' then
    call('UNLINK', entry, version_key)
    local last = at + 4 + ARGV[at + 4]
    for from = content, last, most do
      call('HSET', entry, unpack(ARGV, from, math.min(from + most - 1, last)))
    end
    call('HSET', entry, field, version)
    if ttl ~= '' then call('PEXPIRE', entry, ttl) end
  elseif what == 'json' then
    local done = redis.pcall('JSON.SET', entry, '$', ARGV[content])
    if failed(done) then
      if string.find(done.err, 'nknown') then error(done) end
      call('UNLINK', entry)
      call('JSON.SET', entry, '$', ARGV[content])
    end
    if ttl == '' then
      call('PERSIST', entry)
      call('SET', version_key, version)
    else
      call('PEXPIRE', entry, ttl)
      call('SET', version_key, version, 'PX', ttl)
    end
  else
    call('SET', entry, ARGV[content], 'PX', ttl)
    call('SET', version_key, version, 'PX', ttl)
  end
  return 1
end

local at = 1
for i = 1, #entries do
  local what, ttl = ARGV[at + 2], ARGV[at + 3]
  if i == 1 and what ~= 'delete' then
    local refused = full()
    if refused then return refused end
  end
  local known, version = pcall(admitted, i, ARGV[at], ARGV[at + 1])
  if not known then
    results[i] = blamed(version)
  elseif not version then
    results[i] = 0
  else
    written[version_keys[i]] = version
    if what == 'set' and ttl == '' then
      local n = #plain
      plain[n + 1], plain[n + 2], plain[n + 3], plain[n + 4] = entries[i], ARGV[at + 5], version_keys[i], version
      pending[#pending + 1] = i
    else
      flush()
      local done, outcome = pcall(write, i, at, what, ttl, version)
      results[i] = done and outcome or blamed(outcome)
    end
  end
  at = at + 5 + ARGV[at + 4]
end
flush()
return results
