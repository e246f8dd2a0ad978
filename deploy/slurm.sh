#!/bin/bash
# A sweep on the nodes of a Slurm cluster: `sbatch --nodes=4 --cpus-per-task=32 deploy/slurm.sh plan.toml table.parquet`.
# It is taken up where it was stopped, at its time limit too: submit it again. Ray starts on the first node, the others join it.
#SBATCH --job-name=resviz-sweep
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=08:00:00
set -euo pipefail

plan=${1:?name a plan, such as assets/sweeps/depth.toml}
table=${2:?name the table to write, such as depth.parquet}
port=${RESVIZ_RAY_PORT:-6379}
mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${hosts[0]}
cpus=${SLURM_CPUS_PER_TASK:-8}

srun --nodes=1 --ntasks=1 --nodelist="$head" ray start --head --port="$port" --num-cpus="$cpus" --block &
trap 'kill $(jobs -p) 2> /dev/null || true' EXIT
until ray status --address="$head:$port" > /dev/null 2>&1; do sleep 1; done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
  srun --nodes=$((SLURM_JOB_NUM_NODES - 1)) --ntasks=$((SLURM_JOB_NUM_NODES - 1)) --exclude="$head" \
    ray start --address="$head:$port" --num-cpus="$cpus" --block &
fi
resviz sweep "$plan" --out "$table" --ray "$head:$port"
