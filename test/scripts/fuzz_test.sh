#!/usr/bin/env bash
# Searches for inputs that break a decoder, FUZZ_SECONDS for each, starting from the committed corpora.
set -euo pipefail

seconds=${FUZZ_SECONDS:-15}
for corpus in test/corpus/*; do
    target=$(basename "$corpus")
    fuzzer=build/fuzz/${target}_fuzz
    [[ -x $fuzzer ]] || { echo 'clang has no libFuzzer here: run make deps'; exit 77; }
    found=build/fuzz/found/$target
    mkdir -p "$found"
    "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="build/fuzz/$target-" \
        "$found" "$corpus" > "build/fuzz/$target.log" 2>&1 ||
        { tail -n 40 "build/fuzz/$target.log"; exit 1; }
    echo "$target: $(grep -o 'Done .*' "build/fuzz/$target.log")"
done
