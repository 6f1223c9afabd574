"""Errors of scoring by many workers."""

from __future__ import annotations

from surefoot.errors.base import SurefootError


class BulkError(SurefootError):
    """Workers cannot do what is asked of them."""


class EngineMissing(BulkError):
    """The library that the engine needs is not installed."""

    code = "engine_missing"


class ClusterUnavailable(BulkError):
    """The cluster cannot be reached, or has no room for a worker."""

    code = "cluster_unavailable"


class WorkersLost(BulkError):
    """Workers ended again and again over the same rows, or the cluster did."""

    code = "workers_lost"


class WorkersDiffer(BulkError):
    """A worker has other models than the first one: their scores must not be mixed in one file."""

    code = "workers_differ"
