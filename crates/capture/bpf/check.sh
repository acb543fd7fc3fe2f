#!/bin/sh
# Fails if the committed object is not what the sources compile to.
set -eu
cd "$(dirname "$0")"
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
./build.sh "$fresh"
if ! cmp -s "$fresh" weir.bpf.o; then
    echo "crates/capture/bpf/weir.bpf.o is not what its sources compile to: run crates/capture/bpf/build.sh and commit it" >&2
    exit 1
fi
