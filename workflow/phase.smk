# The phase diagram, a job for the seeds of each point: `snakemake --snakefile workflow/phase.smk` trains what of
# config/phase.yaml is missing. Apart from the sweeps of runs, so that no report trains this by the way.
import json
import os
import re
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir).parent))
from report.studies.design import DESIGN, read_points
from workflow.experiment import CIRCUIT_FILES
from workflow.processes import handle_signals

from dsnlib import AugmentedLagrangian
from dsnlib.runs.provenance import numerics_files

POINTS = read_points()
STUDY = "report/studies/phase.py"
NUMERICS = [os.path.relpath(path) for path in numerics_files(AugmentedLagrangian)]
CODE = [*NUMERICS, *CIRCUIT_FILES, STUDY]
RESULTS = "report/studies/results"
INITIAL = f"{RESULTS}/phase_initial.nc"

# The jobs' `python` is the one that runs Snakemake. It imports the report from the working directory.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ.pop("PYTHONSAFEPATH", None)


wildcard_constraints:
    point="|".join(map(re.escape, POINTS)),


localrules: all


rule all:
    input:
        expand(f"{RESULTS}/phase_{{point}}.nc", point=POINTS),


rule initial:
    input:
        CODE,
    output:
        INITIAL,
    log:
        "logs/phase/initial.log",
    params:
        seeds=yaml.safe_load(DESIGN.read_text())["seeds"],
    threads: 1
    shell:
        "python -m report.studies.phase initial {output} > {log} 2>&1"


rule point:
    input:
        CODE,
        initial=INITIAL,
    output:
        f"{RESULTS}/phase_{{point}}.nc",
    log:
        "logs/phase/{point}.log",
    params:
        settings=lambda wildcards: json.dumps(POINTS[wildcards.point]),
    threads: 1
    shell:
        "python -m report.studies.phase {wildcards.point} {input.initial} {output} > {log} 2>&1"


# On either signal Snakemake would wait until the running jobs are done.
onstart:
    handle_signals()
