"""What a method is: settings that know how to get from one state of a run to the next."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from dsnlib.circuits import Circuit
from dsnlib.property import EmergentProperty

if TYPE_CHECKING:
    from dsnlib.methods.run import Run

#: Every method by the name under which its runs are stored.
METHODS: dict[str, type[Method]] = {}

#: A NamedTuple of arrays, numbers and pytrees of these; the same structure throughout a run.
State = Any

Records = dict[str, np.ndarray]


class SimulationError(RuntimeError):
    """Too many simulations or gradients were not finite."""


class Variable(NamedTuple):
    """A variable that a run records."""

    dims: tuple[str, ...]
    meaning: str


class Report(NamedTuple):
    """Where a run stands, in words."""

    finished: bool
    title: str
    done: int = 0  # steps of the progress bar
    total: int | None = None  # of these, where it is known
    detail: str = ""
    line: str = ""  # that stays on the screen
    milestone: bool = False  # worth a checkpoint


class Result(NamedTuple):
    """What a finished run leaves behind."""

    records: Records  # an array for each of the method's variables
    coordinates: Mapping[str, Any]  # of their dimensions, as xarray takes them
    attributes: Mapping[str, Any]  # numbers and strings


@dataclasses.dataclass(frozen=True)
class Problem:
    """What a run is asked to do: a circuit, its property, a method, and the seed of all chance."""

    circuit: Circuit
    prop: EmergentProperty
    method: Method
    seed: int


class Method(ABC):
    """A method of finding parameters; its instances are frozen dataclasses of settings.

    A subclass registers itself under its `name`. Its steps are pure: the same problem and state
    give the same next state, bit for bit, so a run that was stopped resumes from any state. The
    source files beside the subclass's own are those on which its numbers depend.
    """

    #: Under which runs of this method are stored.
    name: ClassVar[str]
    #: What `Result.records` holds.
    variables: ClassVar[dict[str, Variable]]
    #: What a complete run of this method can do.
    run: ClassVar[type[Run[Any]]]

    precision: str

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in cls.__dict__:
            METHODS[cls.name] = cls

    @abstractmethod
    def check(self, circuit: Circuit, prop: EmergentProperty) -> None:
        """ValueError where the method cannot solve the problem; computes no statistics."""

    @abstractmethod
    def start(self, problem: Problem) -> State:
        """The state before anything was simulated."""

    @abstractmethod
    def step(self, problem: Problem, state: State) -> State:
        """The next state, after about a second of work."""

    @abstractmethod
    def report(self, problem: Problem, state: State) -> Report:
        """Where the run stands."""

    @abstractmethod
    def result(self, problem: Problem, state: State) -> Result:
        """What the run leaves behind, from its last state."""
