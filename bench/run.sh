#!/usr/bin/env bash
# run.sh [-w page,db] [-c 32,256] [-r 3] [-d 8] [-o NAME] [-verify] [-report] CONTENDER...
# Builds what the contenders need, starts the database, and measures the contenders of
# contenders.tsv in turn. README.md tells the rest.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$BENCH_DIR"
flags=(-trimpath -ldflags '-s -w')
go build "${flags[@]}" -o "$BENCH_BIN/" ./cmd/benchrun ./cmd/seed
if [ "${BENCH_NOBUILD:-}" = "" ]; then
	mkdir -p "$BENCH_BIN/lite"
	for program in $("$BENCH_BIN/benchrun" -binaries "$@"); do
		case $program in
		entweb) ./gen.sh ;;&
		lite/*) go build "${flags[@]}" -tags sqlite -o "$BENCH_BIN/lite/" "./cmd/${program#lite/}" ;;
		*) go build "${flags[@]}" -o "$BENCH_BIN/" "./cmd/$program" ;;
		esac
	done
fi
if [ "${BENCH_NOPG:-}" = "" ]; then
	./pg.sh start >/dev/null
	[ -e "$BENCH_SQLITE" ] && ./pg.sh psql -tAc 'select 1 from post limit 1' >/dev/null 2>&1 || ./pg.sh seed
fi
exec "$BENCH_BIN/benchrun" "$@"
