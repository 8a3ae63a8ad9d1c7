"""The grid of a sweep: a YAML file that is checked, then spelled out as runs."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import re
from pathlib import Path
from reprlib import repr as shorten
from typing import Any

import papermill
import yaml

from dsnlib import STG, EmergentProperty, Population, Settings
from dsnlib.settings import checked_seed

NOTEBOOK = "train.ipynb"
_OPTIONAL = {"fixed", "notebook", "prefix"}
_KEYS = {"folder", "grid"} | _OPTIONAL
_KINDS = {int: "a whole number", float: "a number", str: "a name"}


class GridError(ValueError):
    """A grid file that cannot be used."""


@dataclasses.dataclass(frozen=True)
class Grid:
    """The runs of a sweep.

    Args:
        folder: of the runs, relative to the repository's root.
        runs: for each run's name what the notebook is given.
        notebook: that trains them.
        settings: of the first run, as a dict.
    """

    folder: str
    runs: dict[str, dict[str, Any]]
    notebook: str
    settings: dict[str, Any]


def read_grid(file: Path, root: Path = Path()) -> Grid:
    """Read and check a grid file.

    It holds `folder`, `grid` (a list of values for each parameter that varies; every combination is
    a run) and, where wanted, `fixed` (values of other parameters), `notebook` (whose parameters
    they are, train.ipynb by default) and `prefix`. A run is called after the parameters that vary,
    behind the prefix: c0-1_seed-2.

    Args:
        file: in YAML.
        root: of the repository, where notebooks lie.

    Returns:
        The sweep.

    Raises:
        GridError: the file cannot be read, or holds something that the notebook would refuse.

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
    notebook = _name("notebook", content.get("notebook", NOTEBOOK), r"[\w-]+\.ipynb")
    if not (root / notebook).is_file():
        raise ValueError(f"notebook must be a file at the root, got {notebook}; see README.md")
    prefix = _name("prefix", content.get("prefix", "run"), r"[\w-]+") if "prefix" in content else ""
    defaults = _defaults(root / notebook)
    folder, grid, fixed = content["folder"], content["grid"], content.get("fixed") or {}
    if not isinstance(folder, str) or not re.fullmatch(r"(?:[\w-]+/)*runs", folder):
        raise ValueError(
            f"folder must be runs, or a path in the repository that ends in /runs and has letters, "
            f"digits, _ and - alone, got {shorten(folder)}; pass for example studies/mine/runs"
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
    first: dict[str, Any] = {}
    for values in itertools.product(*grid.values()):
        varied = dict(zip(grid, values, strict=True))
        given = {
            name: _value(name, value, defaults[name]) for name, value in (varied | fixed).items()
        }
        settings = _check_run({**defaults, **given})
        words = [f"{name}-{_text(given[name])}" for name in grid]
        run = "_".join([prefix, *words] if prefix else words)
        if run in runs:
            raise ValueError(f"grid must hold each value once, got {run} twice; remove one")
        runs[run] = given
        first = first or dataclasses.asdict(settings)
    return Grid(folder, runs, notebook, first)


def _name(key: str, value: Any, pattern: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(
            f"{key} must be a name of letters, digits, _ and - alone, got {shorten(value)}; "
            "see config/recipe.yaml"
        )
    return value


def _defaults(notebook: Path) -> dict[str, Any]:
    """Parameters of the notebook with their default values."""
    found = papermill.inspect_notebook(str(notebook))
    return {name: ast.literal_eval(entry["default"]) for name, entry in found.items()}


def _value(name: str, value: Any, default: Any) -> Any:
    """The value as the parameter's kind; TypeError where it is of another."""
    kind = type(default)
    if type(value) is not kind and not (kind is float and type(value) is int):
        hint = "; YAML takes 1e-3 for text, write 1.0e-3" if isinstance(value, str) else ""
        raise TypeError(
            f"{name} must be {_KINDS[kind]}, got {shorten(value)}; "
            f"pass for example {default!r}{hint}"
        )
    return value


def _check_run(given: dict[str, Any]) -> Settings | Population:
    """What the notebook would check when it starts, before any run is started; its settings."""
    kind = Population if "samples" in given else Settings
    fields = {field.name for field in dataclasses.fields(kind)}
    settings = kind(**{name: value for name, value in given.items() if name in fields})
    circuit = STG(T=given["T"], dt=given["dt"], window=given["window"])
    EmergentProperty(mean=[given["mean"]], sd=[given["sd"]]).check_against(circuit)
    checked_seed(given["seed"])
    return settings


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
