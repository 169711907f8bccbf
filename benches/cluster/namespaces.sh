#!/usr/bin/env bash
# A scheduler, workers in network namespaces of their own, and 1 ms between them each way:
#
#     benches/cluster/namespaces.sh [WORKERS] [DELAY_MS]
#
# Needs root, iproute2, and the programs: cargo build --release -p drystone-cli -p drystone-trials
# and cargo build --release --features cluster --example kmeans. Three fits of the example: on
# threads, on the workers, and on the workers with the link of one cut in the middle. Not all
# kernels can delay packets (netem), so relays do.
set -euo pipefail
cd "$(dirname "$0")/../.."
workers=${1:-8}
delay=${2:-1}
bin=${BIN:-target/release}
out=$(mktemp -d)
source benches/cluster/common.sh

clean() {
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
  for i in $(seq "$workers"); do
    ip netns del "dry$i" 2>/dev/null || true
    ip link del "dry$i" 2>/dev/null || true
  done
  rm -r "$out"
}
trap clean EXIT

"$bin/drystone" scheduler --insecure --bind 0.0.0.0:18786 --dashboard 127.0.0.1:0 >"$out/scheduler" &
said "$out/scheduler" 's/^scheduler at //p' >/dev/null
for i in $(seq "$workers"); do
  ip netns add "dry$i"
  ip link add "dry$i" type veth peer name eth0 netns "dry$i"
  ip addr add "10.77.$i.1/24" dev "dry$i"
  ip link set "dry$i" up
  ip -n "dry$i" addr add "10.77.$i.2/24" dev eth0
  ip -n "dry$i" link set eth0 up
  ip -n "dry$i" link set lo up
  ip -n "dry$i" route add default via "10.77.$i.1"
  # The worker reaches the scheduler by one relay, and all others reach the worker by another.
  "$bin/trials" relay --delay-ms "$delay" --listen "10.77.$i.1:8786" --to 127.0.0.1:18786 >"$out/up$i" &
  "$bin/trials" relay --delay-ms "$delay" --listen "10.77.$i.1:$((40000 + i))" --to "10.77.$i.2:$((40000 + i))" >"$out/down$i" &
  said "$out/up$i" '/relay at/p' >/dev/null
  ip netns exec "dry$i" "$bin/drystone" worker "10.77.$i.1:8786" --insecure --slots 1 --name "w$i" \
    --bind "10.77.$i.2:$((40000 + i))" --host "10.77.$i.1" --memory 256MiB >"$out/worker$i" &
done
for i in $(seq "$workers"); do said "$out/worker$i" '/is connected/p' >/dev/null; done

fit --threads 2
local_hash=$(field model_sha256)
echo "on 2 threads: $(field total) s"
fit --cluster 127.0.0.1:18786 --insecure
echo "on $workers workers in namespaces, $delay ms each way: $(field total) s, $(field passes) passes"
test "$(field model_sha256)" = "$local_hash"

# A connection that is cut says nothing: no packet comes through in either direction.
(in_the_middle 127.0.0.1:18786 --insecure && ip link set "dry$workers" down) &
cut=$!
fit --cluster 127.0.0.1:18786 --insecure
happened "$cut"
echo "with the link of one cut in the middle: $(field total) s"
test "$(field model_sha256)" = "$local_hash"
left() { "$bin/drystone" status 127.0.0.1:18786 --insecure --json | grep -o '"slots"' | wc -l; }
for _ in $(seq 100); do
  test "$(left)" -lt "$workers" && break
  sleep 0.1
done
test "$(left)" -eq "$((workers - 1))"
echo "workers left: $(left); the same model in all fits: $local_hash"
