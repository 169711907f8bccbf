#!/usr/bin/env bash
# Faults that need root or other programs: a full disk, a clock that jumps, a scheduler that stands
# still, a driver that is killed and started again. Each fit must give the model of local threads.
# Needs the programs of README.md, and Debian's faketime.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${BIN:-target/release}
out=$(mktemp -d)
source benches/cluster/common.sh
clean() {
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
  umount "$out/disk" 2>/dev/null || true
  rm -r "$out"
}
trap clean EXIT

# Starts a scheduler in the environment NAME=VALUE ..., and sets address and scheduler.
start_scheduler() {
  env "$@" "$bin/drystone" scheduler --bind 127.0.0.1:0 --dashboard 127.0.0.1:0 >"$out/scheduler" &
  scheduler=$!
  address=$(said "$out/scheduler" 's/^scheduler at //p')
}

# Starts a worker of this name in the environment NAME=VALUE ...; sets worker.
start_worker() {
  local name=$1
  shift
  env "$@" "$bin/drystone" worker "$address" --slots 1 --name "$name" --memory 512MiB >"$out/$name" 2>&1 &
  worker=$!
  said "$out/$name" '/is connected/p' >/dev/null
}

stop_all() {
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
}

same() {
  test "$(field model_sha256)" = "$hash"
  echo "$1: the same bits after $(field total) s"
}

fit --threads 2
hash=$(field model_sha256)
echo "on 2 threads: $(field total) s"

start_scheduler
start_worker w0
start_worker w1
fit --cluster "$address"
same "undisturbed"
(in_the_middle "$address" && kill -STOP "$scheduler" && { sleep 6; kill -CONT "$scheduler"; }) &
fault=$!
fit --cluster "$address"
happened "$fault"
same "a scheduler that stands still for 6 s"
(in_the_middle "$address" && pkill -KILL -P $$ -x kmeans) &
fault=$!
fit --cluster "$address" --checkpoint "$out/journal" 2>/dev/null && exit 1
happened "$fault"
fit --cluster "$address" --checkpoint "$out/journal"
same "a driver that was killed, $(field resumed_steps) steps resumed"
stop_all

mkdir "$out/disk"
mount -t tmpfs -o size=1m tmpfs "$out/disk"
start_scheduler
start_worker w0
start_worker full TMPDIR="$out/disk"
(in_the_middle "$address" && ! dd if=/dev/zero of="$out/disk/filler" bs=64k count=100 2>/dev/null) &
fault=$!
fit --cluster "$address"
happened "$fault"
same "a worker whose disk is full"
tail -n 1 "$out/full"
stop_all

faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
test -n "$faketime" || { echo "no libfaketime: apt-get install faketime" >&2; exit 1; }
echo "+0" >"$out/clock"
clock=(LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$out/clock" FAKETIME_NO_CACHE=1
  FAKETIME_DONT_FAKE_MONOTONIC=1)
for jump in +10d -10d; do
  echo "+0" >"$out/clock"
  start_scheduler "${clock[@]}"
  start_worker w0 "${clock[@]}"
  start_worker w1
  (in_the_middle "$address" && echo "$jump" >"$out/clock") &
  fault=$!
  fit --cluster "$address"
  happened "$fault"
  same "clocks of the scheduler and of a worker that jump by $jump"
  stop_all
done
