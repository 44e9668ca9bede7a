#!/usr/bin/env bash
# micro.sh [ROUNDS] [BENCHTIME]: the pure-Go micro benchmarks, ROUNDS times
# over (default 5, 200ms), into results/micro.md.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$BENCH_DIR"
rounds=${1:-5} benchtime=${2:-200ms}
./gen.sh
./pg.sh start >/dev/null
t=$BENCH_STATE/micro
mkdir -p "$t" results
for p in router tmpl codec orm ormgormlite; do go test -c -o "$t/$p" ./micro/$p; done
GOEXPERIMENT=jsonv2 go test -c -o "$t/codec2" ./micro/codec
go build -o "$BENCH_BIN/" ./cmd/seed ./cmd/microreport
"$BENCH_BIN/seed" json >"$t/data.json"
: >"$t/out.txt"
for _ in $(seq "$rounds"); do
	for p in router tmpl codec orm ormgormlite; do "$t/$p" -test.run xxx -test.bench . -test.benchtime "$benchtime" >>"$t/out.txt"; done
	"$t/codec2" -test.run xxx -test.bench JSON/.*/v2 -test.benchtime "$benchtime" >>"$t/out.txt"
	[ -x "$(command -v "$BENCH_PY")" ] && "$BENCH_PY" micro/templates.py <"$t/data.json" >>"$t/out.txt" || true
done
{
	echo "# micro"
	echo
	echo "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(go version | cut -d' ' -f3), GOMAXPROCS=$GOMAXPROCS; $rounds rounds of $benchtime, $(date -u +%F). Written by \`micro.sh\`. × is of the best rounds, to the first line. Where a database answers, wall holds its round trip and own CPU is this process's only."
	echo
	"$BENCH_BIN/microreport" <"$t/out.txt"
} >results/micro.md
