#!/bin/sh
# Fails if a committed object is not what the sources compile to.
set -eu
cd "$(dirname "$0")"
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
./build.sh "$fresh"
for name in weir drops; do
    if ! cmp -s "$fresh/$name.bpf.o" "$name.bpf.o"; then
        echo "crates/capture/bpf/$name.bpf.o is not what its sources compile to: run crates/capture/bpf/build.sh and commit it" >&2
        exit 1
    fi
done
