#!/bin/sh
# All recorded runs, one after the other: run.sh PYTHON-OF-SBI PYTHON-OF-THE-PROJECT
set -eu
here=$(dirname "$0")
npe="$1 $here/sbi_npe.py"
samplers="$1 $here/samplers.py"
clipped="$1 $here/sbi_clipped.py --rate 1e-3"
mcmc="$2 $here/mcmc.py"
simple="$2 $here/simple.py"
export DSNLIB_PYTHON="$2"

for cells in 100 200 400; do
    $simple grid-$cells --algorithm grid --size $cells
done
for seed in 1 2 3; do
    $simple uniform-20k --size 20000 --seed $seed
    $simple uniform-200k --size 200000 --seed $seed
    $simple uniform-2000k --size 2000000 --seed $seed
    $samplers rejection --algorithm rejection --seed $seed
    $samplers smc-10k --starts 1000 --seed $seed
    $samplers smc-100k --starts 10000 --seed $seed
    $mcmc aies --kernel aies --chains 200 --warmup 500 --kept 50 --thinning 20 --seed $seed
    $npe npe-maf-20k --estimator maf --seed $seed
    $npe npe-nsf-20k --seed $seed
    $npe npe-nsf-200k --simulations 200000 --batch 2000 --epochs 40 --seed $seed
    $npe tsnpe-nsf-20k --algorithm tsnpe --rounds 5 --simulations 4000 --epochs 40 --seed $seed
    $npe snpe-c-maf-10k --algorithm snpe_c --estimator maf --rounds 5 --simulations 2000 --epochs 20 --seed $seed
    $clipped npe-clipped-20k --batch 1000 --seed $seed
    $clipped tsnpe-clipped-20k --batch 1000 --algorithm tsnpe --rounds 5 --simulations 4000 --seed $seed
    $clipped fmpe-clipped-20k --batch 1000 --algorithm fmpe --limit-s 120 --seed $seed
    $mcmc nuts --chains 100 --warmup 60 --kept 20 --seed $seed
    $mcmc sa --kernel sa --chains 10 --warmup 1000 --kept 200 --thinning 10 --seed $seed
done
