#!/usr/bin/env bash
# Brings the whole system up in containers and holds it to what docs/deploy.md promises. Leaves nothing behind.
#
#     deploy/compose-test.sh
#
# Needs a Docker engine on this machine, docker-compose 1.29 or Compose v2, and python3. LATENTLINK_PROFILE names the
# cargo profile of the binary (release), LATENTLINK_COMPOSE the command (`docker compose` or `docker-compose`).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

project="latentlink-test-$$"
scratch="$(mktemp -d)"
binary="$scratch/latentlink"
services=(receiver channel-emulator transmitter)
checks=0

if [[ -n "${LATENTLINK_COMPOSE:-}" ]]; then
    read -ra compose <<<"$LATENTLINK_COMPOSE"
elif docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
else
    compose=(docker-compose)
fi

say() { printf '%6.1f s  %s\n' "$(elapsed "$started")" "$*"; }
ok() { checks=$((checks + 1)); say "ok: $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
now() { date +%s.%N; }
elapsed() { awk -v a="$1" -v b="$(now)" 'BEGIN { print b - a }'; }
stack() { "${compose[@]}" --project-name "$project" --file deploy/compose.yaml --file deploy/compose.local.yaml "$@"; }
container() { docker ps --all --quiet --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$1"; }
inspect() { docker inspect --format "$2" "$(container "$1")"; }

# eventually SECONDS WHAT COMMAND…: polls until the command succeeds.
eventually() {
    local limit=$1 what=$2 start=$SECONDS
    shift 2
    until "$@"; do
        ((SECONDS - start < limit)) || fail "$what: not within $limit s"
        sleep 0.2
    done
}

finish() {
    local status=$?
    trap - EXIT INT TERM
    [[ -n "${client:-}" ]] && kill "$client" 2>/dev/null
    if ((status != 0)); then
        echo "== logs ==" >&2
        stack logs --tail 25 >&2 2>/dev/null || true
    fi
    stack --profile demo down --volumes --remove-orphans --timeout 5 >"$scratch/down" 2>&1 || cat "$scratch/down" >&2
    docker image rm --force "$LATENTLINK_IMAGE" >/dev/null 2>&1 || true
    local left
    left="$(docker ps --all --quiet --filter "label=com.docker.compose.project=$project"
        docker volume ls --quiet --filter "label=com.docker.compose.project=$project"
        docker network ls --quiet --filter "label=com.docker.compose.project=$project"
        docker image ls --quiet "$LATENTLINK_IMAGE")"
    rm -rf "$scratch"
    if [[ -n "$left" ]]; then
        echo "FAILED: left behind: $left" >&2
        status=1
    fi
    ((status == 0)) && echo "compose-test: $checks checks passed"
    exit "$status"
}

# Where nothing listens now, and which the system gives to no outgoing connection.
free_ports() {
    python3 - "$@" <<'PY'
import random, socket, sys
found = []
while len(found) < int(sys.argv[1]):
    port = random.randrange(20000, 32000)
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            continue
    if port not in found:
        found.append(port)
print(*found)
PY
}

# journal SQL: asks a copy of the journal. While the receiver writes, the copy may be torn; then this fails.
journal() {
    rm -rf "$scratch/journal"
    docker cp --quiet "$(container receiver):/var/lib/latentlink/journal" "$scratch/journal" 2>/dev/null \
        || docker cp "$(container receiver):/var/lib/latentlink/journal" "$scratch/journal" >/dev/null
    python3 - "$scratch/journal/journal.sqlite" "$1" <<'PY'
import sqlite3, sys
try:
    for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]):
        print(*row)
except sqlite3.Error as error:
    sys.exit(f"{sys.argv[1]}: {error}")
PY
}
more_rows_than() { local rows; rows="$(journal 'SELECT count(*) FROM clips' 2>/dev/null)" && ((rows > $1)); }
healthy() { [[ "$(inspect "$1" '{{.State.Health.Status}}')" == healthy ]]; }
all_healthy() { local service; for service in "${services[@]}"; do healthy "$service" || return 1; done; }
send() { "$binary" transmitter send --to "$transmitter" --corpus builtin "$@"; }

started="$(now)"
export LATENTLINK_IMAGE="latentlink:test-$$" LATENTLINK_TRAIN_OPTIONS="--epochs 2" LATENTLINK_SNR=9
read -r LATENTLINK_TRANSMITTER_PORT LATENTLINK_EMULATOR_PORT LATENTLINK_RECEIVER_PORT LATENTLINK_DASHBOARD_PORT \
    < <(free_ports 4)
export LATENTLINK_TRANSMITTER_PORT LATENTLINK_EMULATOR_PORT LATENTLINK_RECEIVER_PORT LATENTLINK_DASHBOARD_PORT
transmitter="http://127.0.0.1:$LATENTLINK_TRANSMITTER_PORT"
emulator="http://127.0.0.1:$LATENTLINK_EMULATOR_PORT"
dashboard="http://127.0.0.1:$LATENTLINK_DASHBOARD_PORT"
trap finish EXIT
trap 'exit 130' INT TERM

say "engine $(docker version --format '{{.Server.Version}}'), ${compose[*]} $("${compose[@]}" version --short)"
deploy/local-image.sh "$LATENTLINK_IMAGE"
cp target/static/image/latentlink "$binary"
size="$(docker image inspect --format '{{.Size}}' "$LATENTLINK_IMAGE")"
((size < 60000000)) || fail "the image has $size bytes, expected less than 60000000"
ok "the image has $size bytes, less than 60000000"

# Weights: trained once, then left alone.
begin="$(now)"
stack up --no-build trainer >"$scratch/train" 2>&1 || { cat "$scratch/train" >&2; fail "training did not start"; }
[[ "$(inspect trainer '{{.State.ExitCode}}')" == 0 ]] || { cat "$scratch/train" >&2; fail "training failed"; }
ok "weights trained into a new volume in $(elapsed "$begin") s (2 epochs)"

begin="$(now)"
stack up --no-build --detach >"$scratch/up" 2>&1 || { cat "$scratch/up" >&2; fail "the stack did not come up"; }
send --channel none --draws 1 >/dev/null
reach="$(elapsed "$begin")"
awk -v s="$reach" 'BEGIN { exit !(s < 30) }' || fail "up to the first predictions took $reach s, expected less than 30 s"
ok "from up to the first predictions, all 686 of the test split: $reach s"
docker logs "$(container trainer)" 2>&1 | grep -q 'holds weights already' || fail "the trainer did not leave the weights"
ok "the trainer left the weights alone"
eventually 60 "health" all_healthy
ok "all healthy"
# Every run that is not noiseless itself sends a noiseless pass besides, for the reference.
sent=686

# What a container may do.
for service in "${services[@]}"; do
    status="/proc/$(inspect "$service" '{{.State.Pid}}')/status"
    if [[ -r "$status" ]]; then
        grep -qP '^Uid:\t65532\t65532\t65532\t65532$' "$status" || fail "$service: $(grep Uid "$status"), expected 65532"
        grep -qP '^CapBnd:\t0+$' "$status" || fail "$service: $(grep CapBnd "$status"), expected none"
        grep -qP '^NoNewPrivs:\t1$' "$status" || fail "$service: may gain privileges"
    fi
    [[ "$(inspect "$service" '{{.Config.User}}')" == 65532:65532 ]] || fail "$service: runs as another user"
    limits="$(inspect "$service" '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}')"
    [[ "$limits" == "536870912 1000000000" ]] || fail "$service: limits $limits, expected 536870912 1000000000"
done
# A receiver beside the service, with its journal where nothing may be written.
for place in / /var/lib/latentlink /var/lib/latentlink/weights; do
    said="$(timeout 20 docker exec "$(container receiver)" /latentlink receiver serve --listen 127.0.0.1:0 \
        --weights /var/lib/latentlink/weights --journal "$place/new.sqlite" 2>&1)" && fail "receiver: wrote to $place"
    [[ "$said" == *"$place/new.sqlite"* ]] || fail "receiver: $said"
done
ok "user 65532, no capabilities, no new privileges, limits set, root and weights read-only"

# What can be reached.
published="$(for service in "${services[@]}"; do docker port "$(container "$service")"; done)"
[[ -n "$published" ]] || fail "nothing is published"
grep -v -- '-> 127\.0\.0\.1:' <<<"$published" && fail "published beyond loopback"
for service in "${services[@]}"; do
    port="$(docker port "$(container "$service")" | sed -n 's/^5005.*127\.0\.0\.1://p' | head -n 1)"
    "$binary" health "http://127.0.0.1:$port" >/dev/null || fail "$service: not reached on loopback"
    for address in $(hostname -I); do
        [[ "$address" == *:* ]] && address="[$address]"
        if "$binary" health --timeout 1 "http://$address:$port" >/dev/null 2>&1; then
            fail "$service: answers on $address"
        fi
    done
done
ok "published on 127.0.0.1 alone, nothing answers on $(hostname -I | wc -w) other addresses of this machine"

# Conditions.
"$binary" channel-emulator get --emulator "$emulator" | grep -q '9 dB' || fail "LATENTLINK_SNR does not reach the emulator"
"$binary" channel-emulator set --emulator "$emulator" --channel awgn --snr -6 >/dev/null
send --draws 1 >/dev/null
sent=$((sent + 2 * 686))
ok "conditions set from outside, clips sent over them"

# The dashboard, as seen from the host.
python3 - "$dashboard" <<'PY' || fail "the dashboard does not answer as it should"
import json, sys, time, urllib.error, urllib.request
dashboard = sys.argv[1]
def ask(path, body=None, host=None):
    headers = {"Content-Type": "application/json"} | ({"Host": host} if host else {})
    request = urllib.request.Request(dashboard + path, body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()
assert b"<html" in ask("/")
state = json.loads(ask("/api/state"))
assert state["clips"] == 3 * 686, state["clips"]
assert json.loads(ask("/api/conditions", {"snr_db": 3}))["snr_db"] == 3
deadline = time.monotonic() + 20
while json.loads(ask("/api/info"))["takes_text"] is None:
    assert time.monotonic() < deadline, "the transmitter is not reached"
    time.sleep(0.2)
try:
    ask("/", host="elsewhere.example")
    raise SystemExit("answers for another host")
except urllib.error.HTTPError as error:
    assert error.code == 403, error
PY
"$binary" channel-emulator get --emulator "$emulator" | grep -q 'awgn 3 dB' || fail "the dashboard does not reach the emulator"
ok "the dashboard shows the clips, sets conditions, and reaches the transmitter"

# Deaths in the middle of a stream.
sweep=(--channel rayleigh --snr 6 --draws 40)
send "${sweep[@]}" --predictions "$scratch/disturbed.csv" >/dev/null 2>"$scratch/client" &
client=$!
for service in "${services[@]}"; do
    rows="$(journal 'SELECT count(*) FROM clips' 2>/dev/null || echo "$sent")"
    eventually 60 "rows of the stream" more_rows_than "$rows"
    kill -0 "$client" 2>/dev/null || fail "the stream ended before the $service was killed"
    restarts="$(inspect "$service" '{{.RestartCount}}')"
    if kill -KILL "$(inspect "$service" '{{.State.Pid}}')" 2>/dev/null; then
        restarted() { (($(inspect "$service" '{{.RestartCount}}') > restarts)); }
        eventually 60 "the restart of the $service" restarted
        say "killed the $service in the middle of the stream; it was restarted"
    else
        docker restart --time 0 "$(container "$service")" >/dev/null
        say "restarted the $service in the middle of the stream"
    fi
done
wait "$client" || { cat "$scratch/client" >&2; fail "the stream did not survive"; }
client=
sent=$((sent + 41 * 686))
send "${sweep[@]}" --predictions "$scratch/undisturbed.csv" >/dev/null
sent=$((sent + 41 * 686))
cmp "$scratch/disturbed.csv" "$scratch/undisturbed.csv" || fail "the predictions differ from those of an undisturbed stream"
ok "a stream that lost each container once has the predictions of an undisturbed one"
eventually 60 "health" all_healthy

# The end, and what outlives it.
stack stop >/dev/null 2>&1
for service in "${services[@]}"; do
    [[ "$(inspect "$service" '{{.State.ExitCode}}')" == 0 ]] || fail "$service: did not end in order"
done
ok "stopped in order"
rows="$(journal 'SELECT count(*) FROM clips')"
keys="$(journal "SELECT count(DISTINCT run_id || ' ' || sequence) FROM clips")"
live="$(journal "SELECT count(*) FROM clips WHERE channel = 'awgn' AND snr_db = -6")"
[[ "$rows $keys $live" == "$sent $sent 686" ]] || fail "the journal has $rows rows for $keys clips, $live of them at -6 dB;
    expected $sent, $sent and 686"
ok "the journal has $rows rows, each clip once, 686 of them under the conditions that were set"

if "$binary" transmitter send --help | grep -q -- --forever; then
    stack down >/dev/null 2>&1
    stack --profile demo up --no-build --detach >"$scratch/up" 2>&1 || { cat "$scratch/up" >&2; fail "no demo clients"; }
    eventually 60 "the demo's clips" more_rows_than $((rows + 200))
    ok "profile demo streams into the journal of before"
    stack --profile demo stop client-sweep client-live >/dev/null 2>&1
    for service in client-sweep client-live; do
        [[ "$(inspect "$service" '{{.State.ExitCode}}')" == 0 ]] || fail "$service: did not end in order"
    done
    ok "its clients end in order"
fi
