# The designed studies, a job for the seeds of each point: `snakemake --snakefile workflow/phase.smk` trains what of
# config/phase.yaml and config/factors.yaml is missing. Apart from the sweeps of runs, so that no report trains this by the way.
import json
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir).parent))
from report.studies.design import initials, read_points
from workflow.experiment import CIRCUIT_FILES
from workflow.processes import handle_signals

from dsnlib import AugmentedLagrangian
from dsnlib.runs.provenance import numerics_files

POINTS, STARTS = read_points(), initials()
STUDY = ["report/studies/phase.py", "report/studies/training.py"]
NUMERICS = [os.path.relpath(path) for path in numerics_files(AugmentedLagrangian)]
CODE = [*NUMERICS, *CIRCUIT_FILES, *STUDY]
RESULTS = "report/studies/results"

# The jobs' `python` is the one that runs Snakemake. It imports the report from the working directory.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ.pop("PYTHONSAFEPATH", None)


wildcard_constraints:
    point="|".join(map(re.escape, POINTS)),
    start="|".join(map(re.escape, STARTS)),


localrules: all


rule all:
    input:
        expand(f"{RESULTS}/phase_{{point}}.nc", point=POINTS),


rule initial:
    input:
        CODE,
    output:
        f"{RESULTS}/initial_{{start}}.nc",
    log:
        "logs/phase/initial_{start}.log",
    params:
        settings=lambda wildcards: json.dumps(STARTS[wildcards.start]),
    threads: 1
    shell:
        "python -m report.studies.phase {wildcards.start} {output} > {log} 2>&1"


rule point:
    input:
        CODE,
        initial=lambda wildcards: f"{RESULTS}/initial_{POINTS[wildcards.point].initial}.nc",
    output:
        f"{RESULTS}/phase_{{point}}.nc",
    log:
        "logs/phase/{point}.log",
    params:
        settings=lambda wildcards: json.dumps(POINTS[wildcards.point]._asdict()),
    threads: 1
    shell:
        "python -m report.studies.phase {wildcards.point} {input.initial} {output} > {log} 2>&1"


# On either signal Snakemake would wait until the running jobs are done.
onstart:
    handle_signals()
