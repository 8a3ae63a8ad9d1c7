"""Relaxed maximum entropy by SMC as a method."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from dsnlib.circuits import Circuit
from dsnlib.methods.base import Method, Problem, Report, Result, Variable
from dsnlib.methods.smc import density, sampler
from dsnlib.methods.smc.agreement import LEAST_EFFECTIVE
from dsnlib.methods.smc.noise import dependence
from dsnlib.methods.smc.records import PRODUCED, STAGED, VARIABLES
from dsnlib.methods.smc.run import SMCRun
from dsnlib.methods.smc.settings import SMCSettings
from dsnlib.methods.smc.state import SLOTS, State, features_for, first_state, target_of
from dsnlib.property import EmergentProperty

_REPORTED = 20_000  # samples of a density that are simulated to judge it


@dataclasses.dataclass(frozen=True)
class SMC(SMCSettings, Method):
    """Relaxed maximum entropy by sequential Monte Carlo (SMC), the main method.

    Particles begin uniform on the box. In stages the relaxation rho falls from infinity to 0: each
    stage solves the maximum-entropy problem in which a miss of the constraints costs
    |miss|^2 / (2 rho), weights the particles to its answer, resamples them and moves them. Islands
    are populations that know nothing of each other; their spread is the answer's error.

    A region can be lost before anything hints at it: no uniform state of an island falls on a share
    s of the box with probability (1 - s)^(5 particles). With the default 10,000 that is 0.7 % for
    s = 1e-4 and 61 % for 1e-5, in all four islands 13 % for 1e-5 and 98 % for 1e-7. Islands that
    see different regions disagree, and the run is not trusted; a region that none of them sees
    leaves no trace. More particles see smaller ones.

    Args:
        particles: of each island, even; each contributes 5 states to a stage.
        islands: number of independent populations, at least 2.
        moves: "ensemble", which needs no gradient, or "gradient" (Hamiltonian Monte Carlo), for
            smooth circuits of hundreds of parameters.
        order: "together", the relaxations of all statistics fall as one; or "in turn", the
            statistic nearest to its target falls to 0 first and holds while the next one falls.
            In turn helps where reaching one target closes the way to another: the network of rank
            two with 50 neurons, whose particles lose their growing direction while the
            amplification falls. Together is better for 12 conductances of the STG.
        density: fit a flow of this name (in `dsnlib.flows.FLOWS`) to the samples; None: fit none.
        precision: "float32" or "float64".

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of its range.

    Example:
        >>> SMC(particles=101)
        Traceback (most recent call last):
        ...
        ValueError: particles must be even, got 101: its halves move in turn; pass 102
    """

    name: ClassVar[str] = "smc"
    variables: ClassVar[dict[str, Variable]] = VARIABLES
    run: ClassVar[type[SMCRun]] = SMCRun

    def check(self, circuit: Circuit, prop: EmergentProperty) -> None:
        """ValueError where moves or density ask for what the circuit does not have."""
        if self.density is not None and any(circuit.box.log):
            raise ValueError(
                f"density must be None for parameters on a logarithmic scale, got "
                f"{self.density!r}; drop it"
            )
        if self.moves != "gradient":
            return
        z = jax.ShapeDtypeStruct((2, len(circuit.parameters)), "float32")
        try:
            jax.eval_shape(lambda z: jax.vjp(circuit.evaluate, z)[0], z)
        except Exception as error:  # JAX raises various kinds
            raise ValueError(
                f"moves must be 'ensemble' for a circuit that JAX cannot differentiate, got "
                f"'gradient' for {type(circuit).__name__} ({error}); pass moves='ensemble'"
            ) from error

    def start(self, problem: Problem) -> State:
        """No particle has been drawn."""
        return first_state(problem, self)

    def step(self, problem: Problem, state: State) -> State:
        """One further state of every particle, or a block of the density's fit."""
        return sampler.advance(problem, self, state)

    def report(self, problem: Problem, state: State) -> Report:
        """Where the run stands; the bar counts states of particles."""
        done = state.stage * SLOTS + state.slot
        finished = sampler.finished(state)
        if state.density is not None and state.density.iterations:
            detail = f"held-out loss {state.density.best_loss:.4f} nat"
            return Report(
                finished, f"density, iteration {state.density.iterations}", done, detail=detail
            )
        acceptance = state.accepted.sum() / max(state.tried.sum(), 1)
        rho = ", ".join(dict.fromkeys(f"{rho:.3g}" for rho in state.rho))
        detail = (
            f"rho {rho}, acceptance {acceptance:.1%}, "
            f"{np.nansum(state.records['simulations']) / 1e6:.2f} M simulations"
        )
        line = ""
        if state.stage == 0 and state.slot == SLOTS:
            worth = sampler.worth_of_uniform(problem, state)
            line = f"{_drawn(state):,} uniform draws are worth {worth:,.0f} samples of the answer"
            if worth > LEAST_EFFECTIVE:
                line += ": dsnlib.Uniform() may be all you need"
        if state.stage and state.slot == SLOTS:
            share = state.records["effective_share"][state.stage].min()
            line = f"stage {state.stage}: effective share {share:.0%}, {detail}"
        return Report(finished, f"stage {state.stage}", done, detail=detail, line=line)

    def result(self, problem: Problem, state: State) -> Result:
        """Samples, natural parameters and entropies, island by island."""
        circuit, stages = problem.circuit, state.stage + 1
        features = features_for(problem)
        found = sampler.weighted(problem, state, state.rho)
        theta = np.stack([each.theta for each in found])
        log_z = state.log_z + [each.log_ratio for each in found]
        eta, constant = features.natural(theta)
        log_volume = circuit.box.log_volume
        z, statistics = _kept(state.z), _kept(state.statistics)
        parameters = np.asarray(target_of(problem).parameters(jnp.asarray(z)))
        final = state.records["rho"][:stages] == 0
        moved = np.nansum(
            (state.records["acceptance"] * state.records["sweeps"][:, None])[:stages][final], axis=0
        )
        fit = state.density
        log_p = log_z - constant + log_volume
        report, weights = self._judged_density(problem, state, parameters, statistics, eta, log_p)
        noise = dependence(
            problem,
            features,
            parameters.reshape(-1, parameters.shape[-1]),
            statistics.reshape(-1, statistics.shape[-1]),
            theta.mean(axis=0),
        )
        records = {name: state.records[name][:stages] for name in STAGED}
        records["stage_z"] = np.asarray(
            target_of(problem).parameters(jnp.asarray(records["stage_z"], self.precision))
        )
        records |= {
            "z": parameters,
            "statistics": statistics,
            "theta": theta,
            "eta": eta,
            "log_z": log_p,
            # E[features] = 0, so the entropy relative to the box is log Z of the features
            "entropy": log_z + log_volume,
            "accepted_moves": moved,
            "noise_share": noise.share,
            "noise_shift": noise.shift,
            "weights": weights,
            "density_report": report,
        }
        coordinates = {
            "island": np.arange(self.islands),
            "stage": np.arange(stages),
            "snapshot": [state.stage],
            "noise": np.arange(len(noise.share)),
            "statistic": [o.name for o in circuit.columns],
            "figure": list(density.DensityReport._fields) if fit is not None else [],
        }
        attributes = {
            "scales": list(features.scales),
            PRODUCED: state.records[PRODUCED].tolist(),
        }
        return Result(records, coordinates, attributes)

    def _judged_density(
        self,
        problem: Problem,
        state: State,
        z: np.ndarray,
        statistics: np.ndarray,
        eta: np.ndarray,
        log_z: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Figures of `density.report` and the density's weights; empty where there is none."""
        if state.density is None or self.density is None:
            return np.zeros(0), np.zeros(0)

        def log_p(f: np.ndarray) -> np.ndarray:
            exponent = np.concatenate([f, f**2], axis=1).astype(float) @ eta.mean(axis=0)
            return np.where(np.isfinite(exponent), exponent, -np.inf) - log_z.mean()

        q = (self.density, density.box_of(problem.circuit.bounds), state.density.best)
        held_out, f_held_out = density.split(z)[1], density.split(statistics)[1]
        drawn = density.sample(*q, jax.random.key(problem.seed), _REPORTED)
        f_drawn = np.asarray(problem.circuit.statistics(np.asarray(drawn)))
        report = density.report(
            log_p(f_held_out),
            np.asarray(density.log_density(*q, jnp.asarray(held_out))),
            log_p(f_drawn),
            np.asarray(density.log_density(*q, drawn)),
        )
        return np.array(report), np.asarray(ravel_pytree(state.density.best)[0])


def _kept(slots: tuple[Any, ...]) -> np.ndarray:
    """(islands, n, ...) one state of each particle, from all slots in turn."""
    stacked = np.stack([np.asarray(each) for each in slots])
    n = np.arange(stacked.shape[2])
    return np.moveaxis(stacked[n % SLOTS, :, n], 0, 1)


def _drawn(state: State) -> int:
    """Number of uniform draws, those of all islands."""
    return int(np.prod(np.shape(state.z)[:3]))
