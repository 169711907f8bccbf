#!/usr/bin/env bash
# The dashboard against a mock scheduler, scene by scene, in headless Chromium: `run.sh [DIR]`
# leaves screenshots in DIR. Needs python3, chromium and chromedriver; no network.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-$(mktemp -d)}
mkdir -p "$out"

# The engine's words stop at the cluster; and nothing of the page comes from elsewhere.
page=../../crates/drystone-cluster/src/dashboard
if grep -rniE '\b(partition|stage|task|executor)s?\b' "$page"; then exit 1; fi
if grep -rnE '(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function)' "$page"; then exit 1; fi
if grep -rnE 'https?://' "$page" | grep -vF 'http://www.w3.org/2000/svg'; then exit 1; fi

# The mock serves whatever is there: the scheduler must, too.
for file in "$page"/*; do
  if ! grep -qF "include_str!(\"dashboard/${file##*/}\")" "$page.rs"; then echo "dashboard.rs does not serve $file"; exit 1; fi
done

coproc MOCK { exec python3 mock.py; }
mock=$MOCK_PID
trap 'kill "$mock" 2>/dev/null || true' EXIT
read -r base <&"${MOCK[0]}"
token=0123456789abcdef0123456789abcdef

# Adds a scene: its name, its path and what check.py is to do there.
scenes=()
scene() {
  local name=$1 path=$2
  shift 2
  scenes+=("$(printf '%q ' "$base/$path" --screenshot "$out/$name.png" "$@")")
}

scene empty "empty/#token=$token" --expect 'No workers' 'No fit yet' 'drystone worker 127.0.0.1:8786' \
  'cargo run --release --features cluster --example kmeans -- --cluster 127.0.0.1:8786' --absent Cost
scene idle "idle/#token=$token" --expect w0 'No fit yet' '0 of 2' --absent 'No workers' NaN undefined
scene running "running/#token=$token" --reload \
  --expect w2 'pass 31: iteration' 'of 50 blocks' rows/s 'in the last iteration' 9f04d1 'iteration' '95 %' live \
  --focus '#costs svg' --press home right --then 'iteration 2: 2.'
scene running-dark "running/#token=$token" --scheme dark --expect 'pass 3' rows/s
scene running-phone "running/#token=$token" --size 390x844 --expect w2 'pass 3'
scene older "running/#token=$token" --expect 9f04d1 --focus '#fit-table tr:nth-child(3) button' --press enter \
  --then 'rows that violate the optimum most' 'show the newest fit'
scene silent "silent/#token=$token" --expect '1 silent' 'trying the step again' '71 of 96' 'version 0.0.9' 'keeps no blocks'
scene silent-phone "silent/#token=$token" --size 390x844 --scheme dark --expect '1 silent'
scene failed "failed/#token=$token" --expect 'failed' 'part-0017.csv: line 20481' '17 of 50 blocks' --absent Cost
scene many "many/#token=$token" --expect w23 linear_svc 'the last 1,000 iterations' 'in the last 200 passes' --scheme dark
scene hostile "hostile/#token=$token" --expect '<img src=x onerror=alert(1)>' 'javascript:alert(1)' \
  __proto__ live --absent NaN undefined
scene hostile-empty "hostile-empty/#token=$token" --expect 'drystone worker ADDRESS' '--cluster ADDRESS'
scene unauthorised "running/" --expect 'asks for its token' 'the scheduler printed' 'drystone status' --allow 'status of 401' --absent w0
scene wrong-token "running/#token=beef" --expect 'not accepted' 'the scheduler printed' 'drystone status' --allow 'status of 401' --absent w0
scene signed-in "running/" --sign-in "$token" --expect w2 live --allow 'status of 401'
scene away "away/#token=$token" --expect 'no answer for 3 s' 'asks again in' w2 --absent live --allow ERR_EMPTY_RESPONSE
scene back "back/#token=$token" --expect 'The scheduler answers again' live --absent 'no answer' --allow ERR_EMPTY_RESPONSE
scene broken "broken/#token=$token" --expect 'only status 500 for' w2 --allow 'status of 500'

printf '%s\n' "${scenes[@]}" | python3 check.py -
echo "All scenes passed; screenshots in $out"
