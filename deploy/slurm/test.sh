#!/bin/sh
# Runs the job array and the merge on a Slurm of one node, this one, and holds the result against one run.
#
#     apt-get install slurmctld slurmd slurm-client munge
#     cargo build --release && deploy/slurm/test.sh target/release/latentlink
#
# Wants root, for munge and slurmd; what it starts it stops.
set -eu
binary=$(realpath "${1:?the latentlink binary}")
here=$(dirname "$(realpath "$0")")
for tool in munged slurmctld slurmd sbatch; do
    command -v "$tool" > /dev/null || { echo "$tool is missing; see the head of this file" >&2; exit 2; }
done
dir=$(mktemp -d)
host=$(hostname -s)
mkdir "$dir/state" "$dir/spool"
cat > "$dir/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MailProg=/bin/true
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=4000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
SLURM_CONF=$dir/slurm.conf
export SLURM_CONF
stop() {
    for daemon in slurmd slurmctld munged; do
        if [ -f "$dir/$daemon.pid" ]; then kill "$(cat "$dir/$daemon.pid")" 2> /dev/null || true; fi
    done
}
trap stop EXIT
mkdir -m 755 "$dir/munge"
dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 2> /dev/null
chmod 400 "$dir/munge/key"
chmod 755 "$dir"
munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
slurmctld
slurmd
grid="--corpus builtin --quick --split valid --snr -9 --draws 1 --epochs 6 --only proposed,t-deepsc,sign-repetition"
OUT=$dir/grid
LATENTLINK=$binary
export OUT LATENTLINK
mkdir "$OUT"
cd "$dir"
limits="--mem=0 --time=10 --output=$dir/job-%A-%a.log"
# shellcheck disable=SC2086
job=$(sbatch --parsable --array=1-2 --cpus-per-task=1 $limits "$here/reproduce.sbatch" $grid)
# shellcheck disable=SC2086
sbatch --wait --dependency="afterok:$job" $limits "$here/merge.sbatch" || { cat "$dir"/job-*.log; exit 1; }
# shellcheck disable=SC2086
"$binary" trainer reproduce $grid --out "$dir/whole" > /dev/null 2>&1
cmp "$OUT/report/results.json" "$dir/whole/results.json"
echo "two tasks of a Slurm array, put together, equal one run: $(wc -c < "$dir/whole/results.json") bytes"
stop
trap - EXIT
rm -rf "$dir"
