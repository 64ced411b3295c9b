-- Writes an entry unless a newer version of it was written before. Atomic, as every script.
-- KEYS: the entry, and the key that keeps its version where the entry itself has no room for it.
-- ARGV: ts, lsn or '', what (set, hash, json, delete), milliseconds to live or '', content.
-- Answers 1 = written, 0 = what is there is newer.
local field = 'syncscope:version'
local held = redis.call('GET', KEYS[2])
if not held and redis.call('TYPE', KEYS[1])['ok'] == 'hash' then
  held = redis.call('HGET', KEYS[1], field)
end
local ts, lsn = tonumber(ARGV[1]), ARGV[2]
if held then
  local held_ts, held_lsn = string.match(held, '^(%d+):(%d*)$')
  held_ts = tonumber(held_ts)
  if held_ts then
    if ts < held_ts then return 0 end
    if ts == held_ts and held_lsn ~= '' then
      if lsn == '' then
        lsn = held_lsn
      elseif tonumber(lsn) < tonumber(held_lsn) then
        return 0
      end
    end
  end
end
local version, what, ttl = ARGV[1] .. ':' .. lsn, ARGV[3], ARGV[4]
if what == 'delete' then
  redis.call('UNLINK', KEYS[1])
  redis.call('SET', KEYS[2], version, 'PX', ttl)
  return 1
end
if what == 'hash' then
  redis.call('UNLINK', KEYS[1], KEYS[2])
  for i = 5, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
  redis.call('HSET', KEYS[1], field, version)
  if ttl ~= '' then redis.call('PEXPIRE', KEYS[1], ttl) end
  return 1
end
if what == 'json' then
  local done = redis.pcall('JSON.SET', KEYS[1], '$', ARGV[5])
  if type(done) == 'table' and done.err then
    if string.find(done.err, 'nknown') then return done end
    redis.call('UNLINK', KEYS[1])
    redis.call('JSON.SET', KEYS[1], '$', ARGV[5])
  end
  if ttl ~= '' then redis.call('PEXPIRE', KEYS[1], ttl) else redis.call('PERSIST', KEYS[1]) end
elseif ttl ~= '' then
  redis.call('SET', KEYS[1], ARGV[5], 'PX', ttl)
else
  redis.call('SET', KEYS[1], ARGV[5])
end
if ttl ~= '' then redis.call('SET', KEYS[2], version, 'PX', ttl) else redis.call('SET', KEYS[2], version) end
return 1
