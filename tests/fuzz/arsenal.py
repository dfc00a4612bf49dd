"""Every kind of shot and how often it comes; the sequence follows from the seed."""

from collections.abc import Callable, Iterator
from random import Random

from tests.fuzz import bodies, connections, requests
from tests.fuzz.mutations import Tree
from tests.fuzz.shots import Shot

Maker = Callable[[Random, list[Tree]], Shot]

# The slow and the heavy ones come seldom, so that they do not crowd out the rest.
WEIGHTS: dict[Maker, int] = {
    bodies.valid: 6,
    bodies.repeated: 2,
    bodies.json_bytes: 12,
    bodies.json_tree: 24,
    bodies.xml_bytes: 10,
    bodies.xml_tree: 12,
    bodies.xml_attack: 5,
    bodies.random_bytes: 4,
    bodies.zipped: 4,
    bodies.deep: 3,
    bodies.huge: 1,
    requests.query: 20,
    requests.by_id: 6,
    requests.verbs: 6,
    requests.headers: 14,
    connections.not_http: 6,
    connections.framing: 6,
    connections.cut: 3,
    connections.pipelined: 2,
    connections.not_tls: 6,
}


def barrage(seed: int, seeds: list[Tree]) -> Iterator[Shot]:
    """Without end."""
    rng = Random(seed)
    makers, weights = list(WEIGHTS), list(WEIGHTS.values())
    while True:
        yield rng.choices(makers, weights)[0](rng, seeds)
