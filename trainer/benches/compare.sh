#!/usr/bin/env bash
# Times one training step of preset `paper` in Rust and in PyTorch, by turns, and prints the medians and their ratio.
#
#     trainer/benches/compare.sh [ROUNDS] [LENGTHS...]        default: 3 rounds of `full` and of `mosi`
#
# Use a machine that does nothing else. PyTorch: see step_torch.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rounds=${1:-3}
shift || true
[ $# -gt 0 ] || set -- full mosi

cd "$here/../.."
# Both are built, or installed, before anything is timed.
cargo bench --quiet -p trainer --bench step -- --steps 10 --warm-up 0 >/dev/null
"$here/step_torch.sh" --steps 10 --warm-up 0 >/dev/null

median() { sed -E 's/.*"median_ms": ?([0-9.]+).*/\1/'; }
# The median of the numbers on the input.
middle() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for lengths in "$@"; do
    for _ in $(seq "$rounds"); do
        load=$(cut -d " " -f 1 /proc/loadavg 2>/dev/null || echo unknown)
        rust=$(cargo bench --quiet -p trainer --bench step -- --lengths "$lengths")
        torch=$("$here/step_torch.sh" --lengths "$lengths")
        echo "load before $load"
        echo "  rust  $rust"
        echo "  torch $torch"
        median <<<"$rust" >>"$results/rust-$lengths"
        median <<<"$torch" >>"$results/torch-$lengths"
    done
done
for lengths in "$@"; do
    rust=$(middle <"$results/rust-$lengths")
    torch=$(middle <"$results/torch-$lengths")
    awk -v l="$lengths" -v r="$rust" -v t="$torch" \
        'BEGIN { printf "%s: Rust %.2f ms, PyTorch %.2f ms a step; Rust takes %.2f of PyTorch'"'"'s time\n", l, r, t, r / t }'
done
