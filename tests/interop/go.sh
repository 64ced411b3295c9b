#!/usr/bin/env bash
# Go's SDK, unmodified: documents, PATCH, batches, queries within a partition, throughput. Left out where there is no
# Go, or where its modules cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build="$here/build/go"
if ! command -v go >/dev/null; then
  echo "no go: Go's SDK is left out" >&2
  exit 0
fi
mkdir -p "$build"
cd "$here/go"
if ! timeout 120 go mod download 2>"$build/download.log"; then
  echo "Go's SDK is left out: $(tail -1 "$build/download.log")" >&2
  exit 0
fi
# From the cache of builds the second time.
go build -o "$build/sdk" .
# Instead of the machine's roots: only this certificate is trusted.
[ -z "${SYNCSCOPE_COSMOS_PEM:-}" ] || export SSL_CERT_FILE=$SYNCSCOPE_COSMOS_PEM
"$build/sdk"
