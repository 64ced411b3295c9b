#!/usr/bin/env bash
# Java's SDK, unmodified, in gateway mode: documents, queries, feeds (SdkCheck). Then its own change feed processor
# in both of its forms (leases by partition key range and by EPK range): it makes its leases, delivers, is killed on
# the way, resumes, two of it share the leases, and a range splits under it. Then our lease pane must list them as
# what they are, and our sync must leave them alone. Left out where there is no mvn.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build="$here/build/java"
if ! command -v mvn >/dev/null || ! command -v java >/dev/null; then
  echo "no mvn: Java's SDK is left out" >&2
  exit 0
fi
mkdir -p "$build"
cd "$build"
# Built once for both schemes, and again only when something has changed.
sources=$(cd "$here/java" && find . -type f -exec cksum {} + | sort)
if [ "$(cat sources 2>/dev/null)" != "$sources" ]; then
  rm -rf src target
  cp -r "$here/java/." "$build/"
  mvn -q -B -Dstyle.color=never -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
    compile dependency:build-classpath -Dmdep.outputFile=classpath >&2
  printf '%s\n' "$sources" >sources
fi

options=(-DCOSMOS.HTTP_CONNECTION_WITHOUT_TLS_ALLOWED=true)
if [ -n "${SYNCSCOPE_COSMOS_PEM:-}" ]; then
  rm -f trust.p12
  keytool -importcert -noprompt -alias emulator -file "$SYNCSCOPE_COSMOS_PEM" -keystore trust.p12 \
    -storetype PKCS12 -storepass emulator >&2
  options+=(-Djavax.net.ssl.trustStore=trust.p12 -Djavax.net.ssl.trustStorePassword=emulator)
fi
run() { java "${options[@]}" -cp "target/classes:$(cat classpath)" "$@" 2> >(grep -v '^SLF4J' >&2); }
check() { run ProcessorCheck "$@"; }

run SdkCheck
check fill
# What the processor does is the same over https: one of its kinds will do there.
kinds="epk pk"
[ -z "${SYNCSCOPE_COSMOS_PEM:-}" ] || kinds=epk
for kind in $kinds; do
  check first "$kind" "delivered-$kind"
  check second "$kind" "delivered-$kind"
done

[ -n "${SYNCSCOPE_BIN:-}" ] || exit 0
ours=(--database javashop --container prices --lease-container leases-epk)
# No pipe into a command that may end first: the line is looked at when it is whole.
timeout 5 "$SYNCSCOPE_BIN" watch leases --json "${ours[@]}" >leases.json 2>/dev/null || true
grep -q '"kind":"JavaEpkRange"' leases.json || { echo "our lease pane does not know Java's leases" >&2; exit 1; }
timeout 10 "$SYNCSCOPE_BIN" sync --until-idle "${ours[@]}" 2>refusal.txt && exit 1
grep -q "of Java's processor, left alone" refusal.txt
