"""Compilation of the library's programs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import jax

P = ParamSpec("P")
R = TypeVar("R")

# On the CPU XLA splits every small loop body over all cores and waits for them, twice in each of
# T steps: one thread a program is twice as fast, and leaves the other cores to other runs.
_OPTIONS = {"cpu": {"xla_cpu_multi_thread_eigen": False}}


def compiled(static_argnums: tuple[int, ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`jax.jit` with the options that suit the device; inside another jit, the plain function."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @cache
        def on(backend: str) -> Callable[P, R]:
            return jax.jit(
                function, static_argnums=static_argnums, compiler_options=_OPTIONS.get(backend)
            )

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((args, kwargs))):
                return function(*args, **kwargs)
            return on(jax.default_backend())(*args, **kwargs)

        return call

    return decorate
