# The phase diagram, a job for the seeds of each point: `snakemake --snakefile workflow/phase.smk` trains what of
# config/phase.yaml is missing. Apart from the sweeps of runs, so that no report trains this by the way.
import json
import os
import re
import signal
import sys
from pathlib import Path

import yaml

sys.path[:0] = [workflow.basedir, "studies"]
from design import DESIGN, read_points
from execute import stop_children
from grid import read_grid

from dsnlib.runs.identity import numerics_files

POINTS = read_points()
CODE = [os.path.relpath(path) for path in numerics_files(read_grid(Path("config/note.yaml")).settings)]
INITIAL = "studies/results/phase_initial.nc"

# The jobs' `python` is the one that runs Snakemake.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


wildcard_constraints:
    point="|".join(map(re.escape, POINTS)),


localrules: all


rule all:
    input:
        expand("studies/results/phase_{point}.nc", point=POINTS),


rule initial:
    input:
        CODE,
        "studies/phase.py",
    output:
        INITIAL,
    log:
        "logs/phase/initial.log",
    params:
        seeds=yaml.safe_load(DESIGN.read_text())["seeds"],
    threads: 1
    shell:
        "python studies/phase.py initial {output} > {log} 2>&1"


rule point:
    input:
        CODE,
        "studies/phase.py",
        initial=INITIAL,
    output:
        "studies/results/phase_{point}.nc",
    log:
        "logs/phase/{point}.log",
    params:
        settings=lambda wildcards: json.dumps(POINTS[wildcards.point]),
    threads: 1
    shell:
        "python studies/phase.py {wildcards.point} {input.initial} {output} > {log} 2>&1"


# On either signal Snakemake would wait until the running jobs are done.
onstart:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_children)
