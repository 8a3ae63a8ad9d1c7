"""The augmented Lagrangian as a method."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import numpy as np

from dsnlib.circuits import Circuit
from dsnlib.methods.base import Method, Problem, Report, Result, Variable
from dsnlib.methods.lagrangian import records, training
from dsnlib.methods.lagrangian.objective import violation
from dsnlib.methods.lagrangian.run import LagrangianRun
from dsnlib.methods.lagrangian.settings import LagrangianSettings
from dsnlib.methods.lagrangian.training import State
from dsnlib.property import EmergentProperty


@dataclasses.dataclass(frozen=True)
class AugmentedLagrangian(LagrangianSettings, Method):
    """Train a density network by the augmented Lagrangian (AL), the method of the 2019 note.

    The network's entropy H is maximised under the constraint that its mean moments are those of
    the property. The loss of an epoch is -H + lambda.R + c/2 |R|^2 with the violation R; after
    each epoch the multipliers lambda grow by c R, and the penalty c by `beta` where a Welch test
    finds that |R| has not fallen to `gamma` times its value at the epoch's start.

    Args:
        c0: penalty coefficient of the first epoch, above 0.
        beta: factor by which the penalty grows, above 1.
        gamma: fraction to which an epoch should reduce the violation |R|, in (0, 1).
        epochs: number of AL epochs.
        iterations: optimiser steps in each epoch.
        batch: samples in each step, even and at least 4: its halves give an unbiased gradient.
        learning_rate: step size of Adam, above 0.
        flow: architecture of the network, a name in `dsnlib.flows.FLOWS`.
        layers: number of layers of that flow.
        precision: "float32" or "float64".
        gradient: how gradients are estimated: "pathwise", through the simulator as in the note;
            "score", that of the constraints from the simulator's values only; "vargrad", that of
            the entropy too, so that the noise of the two cancels near the solution.
        clip: norm to which longer gradients are cut before each step, 0 for none.
        decay: share by which the learning rate falls over each epoch, along a half cosine, in
            [0, 1).
        standardised: whether violations, multipliers and penalty are those of the moments of
            (f - mean) / sd, instead of those of f, whose scales depend on its unit.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of its range.

    Source: Loaiza-Ganem, Gao and Cunningham, "Maximum entropy flow networks" (2017), section 3;
    Bittner (2019) for this use; Richter et al. (2020) for "vargrad".

    Example:
        >>> AugmentedLagrangian(c0=0)
        Traceback (most recent call last):
        ...
        ValueError: c0 must be finite and above 0, got 0; pass a number in that range
    """

    name: ClassVar[str] = "lagrangian"
    variables: ClassVar[dict[str, Variable]] = records.VARIABLES
    run: ClassVar[type[LagrangianRun]] = LagrangianRun

    def check(self, circuit: Circuit, prop: EmergentProperty) -> None:
        """ValueError where the method cannot have what the problem asks for."""
        prop.check_moments("dsnlib.AugmentedLagrangian")
        circuit.check_plain("dsnlib.AugmentedLagrangian")
        if self.gradient != "pathwise":
            return
        z = jax.ShapeDtypeStruct((2, len(circuit.parameters)), "float32")
        try:
            jax.eval_shape(lambda z: jax.vjp(circuit.evaluate, z)[0], z)
        except Exception as error:  # JAX raises various kinds
            raise ValueError(
                f"gradient must be 'score' for a circuit that JAX cannot differentiate, got "
                f"'pathwise' for {type(circuit).__name__} ({error}); pass gradient='score', or "
                "dsnlib.SMC(), which needs no gradient"
            ) from error

    def start(self, problem: Problem) -> State:
        """The untrained network."""
        return training.first_state(problem, self)

    def step(self, problem: Problem, state: State) -> State:
        """A window of the initial fit, a block of iterations, or the end of an epoch."""
        return training.advance(problem, self, state)

    def report(self, problem: Problem, state: State) -> Report:
        """Where training stands."""
        total = self.epochs * self.iterations
        if state.epoch < 0:
            detail = f"iteration {state.initial.iterations}, KL {state.initial.kl:.4f} nat"
            return Report(
                False, "initial fit", 0, total, detail if state.initial.iterations else ""
            )
        done = state.epoch * self.iterations + state.iteration
        if state.iteration == 0:
            line = _epoch_line(state) if state.epoch else "initial fit done"
            finished, title = state.epoch == self.epochs, f"epoch {state.epoch} done"
            return Report(finished, title, done, total, line=line, milestone=True)
        row = records.record_row(self.iterations, state.epoch, state.iteration - 1)
        R = violation(self, problem.prop, state.records["statistic_mean"][row])
        detail = f"H {state.records['entropy'][row]:.3f} nat, |R| {np.linalg.norm(R):.2e}"
        return Report(False, f"epoch {state.epoch + 1}/{self.epochs}", done, total, detail)

    def result(self, problem: Problem, state: State) -> Result:
        """What was recorded."""
        steps = records.step_iterations(self.epochs, self.iterations)
        coordinates = {
            "step": ("step", steps, {"long_name": "iterations done"}),
            "epoch": np.arange(1, self.epochs + 1),
            "snapshot": ("snapshot", np.arange(self.epochs + 1), {"long_name": "epochs done"}),
        }
        initial = state.initial
        attributes = {
            "initial_kl": initial.kl,
            "initial_kl_se": initial.kl_se,
            "initial_iterations": initial.iterations,
        }
        return Result(state.records, coordinates, attributes)


def _epoch_line(state: State) -> str:
    epoch, found = state.epoch - 1, state.records
    p = ", ".join(f"{value:.3g}" for value in found["p_value"][epoch])
    return (
        f"epoch {epoch + 1} done: c {found['c'][epoch]:g}, "
        f"H {-found['log_q'][epoch + 1].mean():.3f} nat, "
        f"|R| {found['violation_end'][epoch].mean():.2e}, p ({p}), "
        f"{found['skipped_steps'][epoch]:.0f} steps skipped"
    )
