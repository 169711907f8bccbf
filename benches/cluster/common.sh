# What the trials by shell have in common; they set bin, where programs are, and out, a directory.

# What a file comes to say, within ten seconds.
said() {
  for _ in $(seq 100); do
    sed -n "$2" "$1" | grep . && return
    sleep 0.1
  done
  echo "no such line in $1" >&2
  return 1
}

# A fit of the example with these flags, and a field of what it came to.
fit() {
  "$bin/examples/kmeans" --blocks 64 --block-rows 50000 --clusters 8 --centers 8 --cluster-std 6 --json \
    "$@" >"$out/fit"
}
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([0-9a-f.]*\).*/\1/p" "$out/fit"; }

# Returns in the middle of a fit of the scheduler with this address and these flags: in its fifth
# pass or later.
in_the_middle() {
  for _ in $(seq 400); do
    "$bin/drystone" status "$@" --json | tr -d ' \n' |
      grep -qE '"status":"running"[^}]*"pass":([5-9]|[1-9][0-9]),' && return
    sleep 0.02
  done
  echo "no fit got to its fifth pass" >&2
  return 1
}

# Waits for a fault in the background, which must have happened while the fit went on.
happened() {
  wait "$1" || { echo "the fault did not happen" >&2; return 1; }
}
