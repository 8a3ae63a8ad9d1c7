#!/bin/sh
# All runs of all methods, one after the other: run.sh PYTHON-OF-SBI PYTHON-OF-THE-PROJECT
set -eu
here=$(dirname "$0")
export DSNLIB_PYTHON="$2"
npe="$1 $here/sbi_npe.py" samplers="$1 $here/samplers.py" mcmc="$2 $here/mcmc.py"
