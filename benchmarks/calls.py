"""The calls over HTTP: the list call against the floor and the peers, the create call, and many writers at once."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, cast

import click

from benchmarks import contestants, load
from benchmarks.contestants import Contestant
from benchmarks.databases import SqliteStore, store
from benchmarks.filling import Line, filled
from benchmarks.load import Figures
from benchmarks.rounds import Setup, interleaved
from benchmarks.servers import get, running, send

SIZE = 100_000
Results = dict[str, Any]


def list_call(setup: Setup) -> Results:
    """Requests per second of 25 rows of 100,000, for everybody."""
    ours, line, peers = _product_and_peers(setup, is_constant_too=True)
    with ExitStack() as servers:
        logs = setup.cache / "logs"
        ports = {each.name: servers.enter_context(running(each.command, logs)) for each in (ours, *peers)}
        for peer in peers:
            _require_same_page(ours, ports[ours.name], peer, ports[peer.name])
        body = setup.cache / "page.json"
        body.write_bytes(_page(ours, ports[ours.name]))
        floor = contestants.floor(line, setup.workers, body)
        ports[floor.name] = servers.enter_context(running(floor.command, logs))
        tasks = {
            each.name: partial(load.read, each.list_call(ports[each.name]), setup.seconds, setup.connections)
            for each in (ours, floor, *peers)
        }
        return _results(setup, setup.peer_engine, _measure(tasks, setup))


def create_call(setup: Setup) -> Results:
    """Creates per second from several writers at once, for everybody."""
    ours, _, peers = _product_and_peers(setup)
    return _results(setup, setup.peer_engine, _creates([ours, *peers], setup))


def writers(setup: Setup) -> Results:
    """Creates of the product alone, on each engine: how many, how late the latest, how evenly."""
    results = {}
    for engine in setup.engines:
        kept = store(engine, setup.cache)
        ours = contestants.queuekey(kept, filled(kept, SIZE, setup.cache), setup.workers)
        results[engine] = _results(setup, engine, _creates([ours], setup))
    return {"engines": results}


def _product_and_peers(setup: Setup, *, is_constant_too: bool = False) -> tuple[Contestant, Line, list[Contestant]]:
    """Everybody on copies of the same line; the peers' rows come from the product's SQLite file."""
    kept, source = store(setup.peer_engine, setup.cache), cast(SqliteStore, store("sqlite", setup.cache))
    original = filled(source, SIZE, setup.cache)
    line = filled(kept, SIZE, setup.cache)
    click.echo("  copying the line", err=True)
    ours = contestants.queuekey(kept, line, setup.workers)
    peers = [contestants.django(kept, source, original, setup.workers)]
    peers.append(contestants.fastapi(kept, source, original, setup.workers))
    if is_constant_too:
        peers.append(contestants.fastapi(kept, source, original, setup.workers, is_counting=False))
    return ours, line, peers


def _creates(everybody: Sequence[Contestant], setup: Setup) -> dict[str, list[Figures]]:
    with _all_running(everybody, setup) as ports:
        tasks = {}
        for each in everybody:
            call = each.create_call(ports[each.name])
            _require_created(each, call)
            tasks[each.name] = partial(load.write, call, setup.seconds, setup.writers)
        return _measure(tasks, setup)


@contextmanager
def _all_running(everybody: Sequence[Contestant], setup: Setup) -> Iterator[dict[str, int]]:
    with ExitStack() as servers:
        yield {each.name: servers.enter_context(running(each.command, setup.cache / "logs")) for each in everybody}


def _measure(tasks: Mapping[str, Callable[[], Figures]], setup: Setup) -> dict[str, list[Figures]]:
    """One round that does not count, in which workers and caches get warm, then those that do."""
    interleaved(tasks, 1)
    return interleaved(tasks, setup.rounds)


def _results(setup: Setup, engine: str, measured: dict[str, list[Figures]]) -> Results:
    figures = {name: [each._asdict() for each in rounds] for name, rounds in measured.items()}
    facts = {"engine": engine, "rounds": setup.rounds, "seconds": setup.seconds, "workers": setup.workers}
    clients = {"connections": setup.connections, "writers": setup.writers, "driver": load.driver()}
    return facts | clients | {"size": SIZE, "figures": figures}


def _page(contestant: Contestant, port: int) -> bytes:
    status, body = get(port, contestant.path, contestant.headers)
    if status != 200:
        raise load.WrongAnswers(f"{contestant.name} answered {status}: {body[:500]!r}")
    return body


def _require_same_page(ours: Contestant, our_port: int, peer: Contestant, port: int) -> None:
    """The peer does the same work: the same people at the same places, and as many of them."""
    pages = []
    for each, its_port in ((ours, our_port), (peer, port)):
        page = json.loads(_page(each, its_port))
        people = [(item["email"], item["position"], item["referral_count"]) for item in page[each.items]]
        pages.append((people, page[each.total]))
    if pages[0] != pages[1]:
        raise load.WrongAnswers(f"{peer.name} does not show what {ours.name} shows")


def _require_created(contestant: Contestant, call: load.Call) -> None:
    """A new address is put at the end of the line, and only once."""
    body = call.body.replace("{unique}", f"first-{contestant.name.split()[0].lower().strip(',')}")
    status, answer = send(call.port, call.method, call.path, call.headers, body)
    again, _ = send(call.port, call.method, call.path, call.headers, body)
    if (status, again) != (201, 200) or json.loads(answer)["position"] != SIZE + 1:
        raise load.WrongAnswers(f"{contestant.name} answered {status} and {again}: {answer[:500]!r}")
