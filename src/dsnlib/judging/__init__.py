"""Judging the networks of a run against the exact answer."""

from dsnlib.judging.networks import judge

__all__ = ["judge"]
