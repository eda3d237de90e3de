"""The process that evaluates policies: it may take only so much, and nobody minds when it is killed.

It reads requests from standard input and writes answers to standard output, each as four bytes of length and
that much of msgpack.
"""

import gc
import json
import os
import resource
import sys
from collections import OrderedDict
from typing import BinaryIO

import msgspec

from penstock.model.errors import InvalidError, LimitExceededError
from penstock.policy.bundle import Bundle, read_bundle
from penstock.policy.decision import fail
from penstock.policy.evaluate import decide
from penstock.policy.messages import LENGTH, Reply, Request
from penstock.policy.rego.builtins.times import load_zones
from penstock.policy.rego.errors import EvaluationError
from penstock.policy.rego.program import read_value

KEPT, KEPT_BYTES = 8, 3 << 20
"""How many bundles are kept as programs, and how long their texts may be: the last that were used."""

_WARM = """package org
import data.circleci.config
policy_name["x"]
orbs = config.ban_orbs([])
"""
_DEEPEST = 20_000
"""Calls of Python within each other; rules that use each other take some ten each."""


class Court:
    """Answers requests; knows the bundles it has seen."""

    def __init__(self) -> None:
        self._bundles: OrderedDict[str, Bundle] = OrderedDict()

    def answer(self, request: Request) -> Reply:
        """What was asked for; `missing` when the policies must come along."""
        try:
            bundle = self._find(request)
            if bundle is None:
                return Reply(missing=True)
            return _answer(bundle, request)
        except (InvalidError, LimitExceededError) as error:
            return Reply(fault=str(error))
        except MemoryError:
            return Reply(decision=fail("the policies need more memory than they may have"), spent=True)
        except RecursionError:
            return Reply(decision=fail("the policies or the config are nested too deeply"))

    def _find(self, request: Request) -> Bundle | None:
        if request.bundle not in self._bundles:
            if request.files is None:
                return None
            self._bundles[request.bundle] = read_bundle(request.files)
        self._bundles.move_to_end(request.bundle)
        while len(self._bundles) > 1 and (len(self._bundles) > KEPT or self._weigh() > KEPT_BYTES):
            self._bundles.popitem(last=False)
        return self._bundles[request.bundle]

    def _weigh(self) -> int:
        return sum(len(text) for bundle in self._bundles.values() for text in bundle.policies.values())


def _answer(bundle: Bundle, request: Request) -> Reply:
    if request.tests:
        return Reply(tests=_run_tests(bundle))
    if request.document is None:
        return Reply(names=dict(bundle.policies))
    document = json.loads(request.document)
    return Reply(decision=decide(bundle, document, json.loads(request.meta)))


def _run_tests(bundle: Bundle) -> dict[str, str]:
    """By name, why each `test_…` rule does not hold, "" when it does."""
    context = bundle.program.open(None, {})
    results = {}
    for name, rules in bundle.program.find_package("org").items():
        if name.startswith("test_"):
            try:
                results[name] = "" if read_value(context, rules) is True else "the rule is not true"
            except EvaluationError as error:
                results[name] = str(error)
    return results


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until there are no more."""
    court, decoder, encoder = Court(), msgspec.msgpack.Decoder(Request), msgspec.msgpack.Encoder()
    while len(head := source.read(LENGTH)) == LENGTH:
        request = decoder.decode(source.read(int.from_bytes(head, "big")))
        _allow_time(request.seconds)
        try:
            data = encoder.encode(court.answer(request))
        except UnicodeEncodeError:
            data = encoder.encode(Reply(decision=fail("a violation is no Unicode text")))
        sink.write(len(data).to_bytes(LENGTH, "big") + data)
        sink.flush()


def _allow_time(seconds: float) -> None:
    """From now on this process may use so many seconds of a processor, and is killed then."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def confine(memory: int) -> None:
    """No file can be written or opened any more, nothing started, and memory is bounded."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE):
        resource.setrlimit(kind, (0, 0))


def warm_up() -> None:
    """Everything is imported that evaluation ever needs: afterwards no file can be opened."""
    load_zones()
    bundle = read_bundle({"x": _WARM})
    decide(bundle, {"orbs": {"a": "a/b@1"}}, {})


def main() -> None:
    """Serve the process that started this one."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    void = os.open(os.devnull, os.O_RDWR)
    for each in (0, 1):
        os.dup2(void, each)
    os.close(void)
    sys.setrecursionlimit(_DEEPEST)
    warm_up()
    gc.set_threshold(100_000, 50, 1000)  # programs are large and stay
    gc.freeze()
    confine(int(sys.argv[-1]))
    serve(source, sink)
