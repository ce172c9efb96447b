#!/usr/bin/env bash
# Every input of the fuzz corpora is refused or read as it should, in a build with ASan and UBSan.
set -euo pipefail

for corpus in test/corpus/*; do
    target=$(basename "$corpus")
    printf '%s: ' "$target"
    "build/fuzz/${target}_replay" "$corpus"
done
