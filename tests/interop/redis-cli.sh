#!/usr/bin/env bash
# redis-cli against the Redis at SYNCSCOPE_REDIS (redis://host:port). One line a check; exit 0 = all passed.
# Uses keys that start with "redis-cli:" only.
set -euo pipefail
url=${SYNCSCOPE_REDIS:?is not set}
if ! command -v redis-cli >/dev/null; then
  echo "skipped redis-cli: not installed"
  exit 0
fi
cli() { timeout 10 redis-cli -u "$url" "$@"; }

check() { # NAME EXPECTED ACTUAL
  if [ "$2" != "$3" ]; then
    printf 'failed redis-cli: %s: expected %q, got %q\n' "$1" "$2" "$3" >&2
    exit 1
  fi
  echo "ok redis-cli: $1"
}

check "ping" PONG "$(cli ping)"
check "set" OK "$(cli set redis-cli:a 'a "quoted" value')"
check "get" 'a "quoted" value' "$(cli get redis-cli:a)"
check "inline strings of a pipe" $'OK\nb c' "$(printf 'set redis-cli:b "b c"\nget redis-cli:b\n' | cli)"
check "value from standard input" OK "$(printf 'line\r\nline' | cli -x set redis-cli:b)"
check "hash over RESP2" $'f\n1' "$(cli hset redis-cli:h f 1 >/dev/null; cli hgetall redis-cli:h)"
check "hash over RESP3" $'f 1' "$(cli -3 --no-raw hgetall redis-cli:h | sed 's/[0-9]*# "\(.*\)" => "\(.*\)"/\1 \2/')"
check "wrong type" "WRONGTYPE Operation against a key holding the wrong kind of value" \
  "$(cli get redis-cli:h 2>&1 | head -n 1)"
check "unknown command" "ERR unknown command 'NOSUCH', with args beginning with: 'x' " \
  "$(cli NOSUCH x 2>&1 | head -n 1)"
check "another database" "" "$(cli -n 7 get redis-cli:a)"
check "expiry" 1 "$(cli expire redis-cli:a 100)"
check "--scan" $'redis-cli:a\nredis-cli:b\nredis-cli:h' "$(cli --scan --pattern 'redis-cli:*' | sort)"
check "bulk load by --pipe" "errors: 0, replies: 2" \
  "$(printf '*3\r\n$3\r\nSET\r\n$11\r\nredis-cli:p\r\n$1\r\n1\r\n*2\r\n$3\r\nDEL\r\n$11\r\nredis-cli:p\r\n' |
    cli --pipe | tail -n 1)"
check "info" 1 "$(cli info replication | grep -c '^role:master')"

# Follows changes: the subscriber writes what it sees until the message that ends it.
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
timeout 30 redis-cli -u "$url" subscribe redis-cli:news >"$seen" &
subscriber=$!
for _ in $(seq 100); do
  [ "$(cli publish redis-cli:news hello)" = 0 ] || break
  sleep 0.05
done
for _ in $(seq 100); do
  grep -q hello "$seen" && break
  sleep 0.05
done
kill "$subscriber" 2>/dev/null || true
wait "$subscriber" 2>/dev/null || true
check "subscribe" 1 "$(grep -c '^hello$' "$seen" | head -c 1)"
check "unlink" 3 "$(cli unlink redis-cli:a redis-cli:b redis-cli:h)"
