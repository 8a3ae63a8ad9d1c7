"""The grid of a sweep: a YAML file that is checked, then spelled out as runs."""

from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path
from reprlib import repr as shorten
from typing import Any

import yaml

from dsnlib.methods import Problem
from workflow.experiment import DEFAULT_METHOD, PAGES, experiment, method_of
from workflow.sources import parameters, read

_OPTIONAL = {"fixed", "method", "notebook", "prefix"}
_KEYS = {"folder", "grid"} | _OPTIONAL
_KINDS = {int: "a whole number", float: "a number", str: "a name", bool: "true or false"}


class GridError(ValueError):
    """A grid file that cannot be used."""


@dataclasses.dataclass(frozen=True)
class Grid:
    """The runs of a sweep.

    Args:
        folder: of the runs, relative to the repository's root.
        runs: for each run's name what its page is given.
        method: the name under which `dsnlib.methods.METHODS` has it.
        notebook: the page of every run.
        problems: for each run's name what it is asked to do.
    """

    folder: str
    runs: dict[str, dict[str, Any]]
    method: str
    notebook: str
    problems: dict[str, Problem]


def read_grid(file: Path, root: Path = Path()) -> Grid:
    """Read and check a grid file.

    It holds `folder`, `grid` (a list of values for each parameter that varies; every combination is
    a run) and, where wanted, `fixed` (values of other parameters), `method` (of training, by name),
    `notebook` (the runs' page, whose parameters they are; each method has one) and `prefix`. A run
    is called after the parameters that vary, behind the prefix: c0-1_seed-2.

    Args:
        file: in YAML.
        root: of the repository, where notebooks lie.

    Returns:
        The sweep.

    Raises:
        GridError: the file cannot be read, or holds what training would refuse.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "mine.yaml"
        ...     _ = path.write_text("{folder: mine/runs, grid: {c0: [1, 100], seed: [1]}}")
        ...     list(read_grid(path).runs)
        ['c0-1_seed-1', 'c0-100_seed-1']
    """
    try:
        content = yaml.load(file.read_text(), _UniqueKeys)
    except (OSError, UnicodeDecodeError, RecursionError, ValueError, yaml.YAMLError) as error:
        raise GridError(f"{file} cannot be read ({error}); mend the file") from error
    try:
        return _checked(content, root)
    except (TypeError, ValueError) as error:
        raise GridError(f"{file}: {error}") from error


def _checked(content: Any, root: Path) -> Grid:
    if not isinstance(content, dict) or not {"folder", "grid"} <= content.keys() <= _KEYS:
        raise ValueError(
            f"a grid file must hold folder, grid and perhaps {', '.join(sorted(_OPTIONAL))}, "
            f"got {shorten(content)}; see config/note.yaml"
        )
    method = method_of(content.get("method", DEFAULT_METHOD)).name
    if method not in PAGES and "notebook" not in content:
        raise ValueError(
            f"notebook must be given for method {method}, whose runs have no page of their own; "
            f"name one, or pass a method of {', '.join(sorted(PAGES))}"
        )
    notebook = _name("notebook", content.get("notebook", PAGES.get(method)), r"[\w-]+\.ipynb")
    if not (root / notebook).is_file():
        raise ValueError(f"notebook must be a file at the root, got {notebook}; see README.md")
    prefix = _name("prefix", content.get("prefix", "run"), r"[\w-]+") if "prefix" in content else ""
    defaults = parameters(read(root / notebook))
    folder, grid, fixed = content["folder"], content["grid"], content.get("fixed") or {}
    if not isinstance(folder, str) or not re.fullmatch(r"(?:[\w-]+/)*runs", folder):
        raise ValueError(
            "folder must be runs, or a path in the repository that ends in /runs and has only "
            f"letters, digits, _ and -, got {shorten(folder)}; pass for example studies/mine/runs"
        )
    for name, group in (("grid", grid), ("fixed", fixed)):
        if not isinstance(group, dict) or (name == "grid" and not group):
            raise ValueError(
                f"{name} must map parameters to values, got {shorten(group)}; see config/note.yaml"
            )
        for parameter in group:
            if parameter not in defaults or parameter == "out":
                known = ", ".join(sorted(defaults.keys() - {"out"}))
                raise ValueError(
                    f"{notebook} has no parameter {shorten(parameter)} for {name}; "
                    f"choose from {known}"
                )
    if both := sorted(grid.keys() & fixed.keys()):
        raise ValueError(f"{both[0]} must be in grid or in fixed, got it in both; remove one")
    for parameter, values in grid.items():
        if not isinstance(values, list) or not values:
            raise ValueError(
                f"{parameter} in grid must be a list of values, got {shorten(values)}; "
                f"pass for example [{defaults[parameter]}]"
            )
    runs: dict[str, dict[str, Any]] = {}
    problems: dict[str, Problem] = {}
    for values in itertools.product(*grid.values()):
        varied = dict(zip(grid, values, strict=True))
        given = {
            name: _value(name, value, defaults[name]) for name, value in (varied | fixed).items()
        }
        problem = experiment({"method": method, **defaults, **given})
        words = [f"{name}-{_text(given[name])}" for name in grid]
        run = "_".join([prefix, *words] if prefix else words)
        if run in runs:
            raise ValueError(f"grid must hold each value once, got {run} twice; remove one")
        runs[run], problems[run] = given, problem
    return Grid(folder, runs, method, notebook, problems)


def _name(key: str, value: Any, pattern: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(
            f"{key} must be a name of only letters, digits, _ and -, got {shorten(value)}; "
            "see config/smc.yaml"
        )
    return value


def _value(name: str, value: Any, default: Any) -> Any:
    """The value as the parameter's kind; TypeError where it is of another."""
    if default is None:  # its owner checks it
        return value
    kind = type(default)
    if type(value) is not kind and not (kind is float and type(value) is int):
        hint = "; YAML takes 1e-3 for text, write 1.0e-3" if isinstance(value, str) else ""
        raise TypeError(
            f"{name} must be {_KINDS[kind]}, got {shorten(value)}; "
            f"pass for example {default!r}{hint}"
        )
    return value


def _text(value: Any) -> str:
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key may stand once; PyYAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping; an error where a key is repeated."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {twice[0]!r} stands twice", node.start_mark
            )
        return super().construct_mapping(node, deep)
