#!/bin/sh
# Compiles NAME.bpf.c into NAME.bpf.o, or into the folder named by $1. The
# committed objects must come out the same on every machine: clang 14, no debug
# information, no paths. CLANG and LLVM_STRIP name other tools.
set -eu
cd "$(dirname "$0")"
out=${1:-.}
clang=${CLANG:-clang-14}
strip=${LLVM_STRIP:-llvm-strip-14}
for tool in "$clang" "$strip"; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is missing; on Debian: apt-get install clang-14 llvm-14 libbpf-dev" >&2
        exit 2
    fi
done
for name in weir drops; do
    "$clang" -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter \
        -fdebug-compilation-dir=. -ffile-prefix-map="$PWD"=. \
        -I"/usr/include/$(uname -m)-linux-gnu" -c "$name.bpf.c" -o "$out/$name.bpf.o"
    "$strip" -g "$out/$name.bpf.o"
done
