"""Properties of averaging.py, on modules in three floors with buffers of both kinds."""

from dataclasses import replace
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.support.closeness import WrongAnswer
from tests.support.common import assert_unchanged
from tests.support.gan import assert_close_or_named
from tests.support.networks import Network
from tests.support.properties import Observation, Part, Topic
from tests.support.strategies import reals, tensor

average = Part("gan.update_average", "averaging.py", ("average", "model", "decay"))

Networks = tuple[Network, Network]
DECAYS = reals(0, 1)


@st.composite
def _networks(draw: st.DrawFn) -> Networks:
    """An average and a model of the same kind, with different numbers; the average may ask for gradients or not."""
    shapes = [(2,), (1, 2), ()][: draw(st.integers(1, 3))]

    def network(count: int, frozen: bool = False) -> Network:
        parameters, statistics = (tuple(tensor(draw, s, reals(-3, 3)) for s in shapes) for _ in range(2))
        return Network(parameters, statistics, tuple(torch.tensor(count + i) for i in range(len(shapes))), frozen)

    return network(draw(st.integers(0, 5)), draw(st.booleans())), network(draw(st.integers(6, 1000)))


def _left(seen: Observation, which: int) -> dict[str, Tensor]:
    names, values, *_ = seen.arguments[which]
    return dict(zip(names, values, strict=True))


def _before(network: Network) -> dict[str, Tensor]:
    names, values, *_ = network.build().left()
    return dict(zip(names, values, strict=True))


def _assert_followed(gan: Topic, networks: Networks, decay: float, kind: str) -> None:
    """Accept tensors of one kind that are the averages of the formula."""
    left = _left(gan.update_average.observe(*networks, decay), 0)
    old, latest = map(_before, networks)
    for name in (name for name in old if kind in name):
        if name not in left:
            raise WrongAnswer(f"{name} of average is gone")
        expected = decay * old[name] + (1 - decay) * latest[name]
        mistakes = {
            "it has not moved": old[name],
            "decay and 1 - decay are exchanged": decay * latest[name] + (1 - decay) * old[name],
            "it was copied from the model": latest[name],
        }
        assert_close_or_named(left[name], expected, 10.0, f"{name} of average", mistakes)


EDGES: list[dict[str, Any]] = [
    {
        "networks": (
            Network(*[(torch.tensor([1.0]).double(),)] * 2, ()),
            Network(*[(torch.zeros(1).double(),)] * 2, ()),
        ),
        "decay": d,
    }
    for d in (0.0, 1.0)
]


@average.property("value", edges=EDGES, networks=_networks(), decay=DECAYS)
def parameters_follow(gan: Topic, networks: Networks, decay: float) -> None:
    """Every parameter of the average, of submodules too, becomes decay average + (1 - decay) model."""
    _assert_followed(gan, networks, decay, "weight")


@average.property("value", edges=EDGES, networks=_networks(), decay=DECAYS)
def statistics_follow(gan: Topic, networks: Networks, decay: float) -> None:
    """Every floating-point buffer follows likewise: sampling needs the statistics that belong to the parameters."""
    _assert_followed(gan, networks, decay, "statistic")


# A count that single precision has no number for.
LARGE_COUNT: dict[str, Any] = {
    "networks": tuple(Network(*[(torch.ones(1).double(),)] * 2, (torch.tensor(n),)) for n in (5, 2**24 + 1)),
    "decay": 0.5,
}


@average.property("value", edges=[LARGE_COUNT], networks=_networks(), decay=reals(0.05, 0.95))
def counts_stay_whole(gan: Topic, networks: Networks, decay: float) -> None:
    """An integer buffer stays an integer, and is that of the model, or what it was: no number in between."""
    left = _left(gan.update_average.observe(*networks, decay), 0)
    old, latest = map(_before, networks)
    for name in (name for name in old if "num_batches" in name):
        now = left.get(name)
        if now is None or now.dtype != torch.int64:
            raise WrongAnswer(f"{name} of average is no integer any more", now)
        if int(now) not in (int(old[name]), int(latest[name])):
            raise WrongAnswer(
                f"{name} of average is neither what it was, {int(old[name])}, nor the model's", now, latest[name]
            )


@average.property("value", most=10, networks=_networks(), decay=DECAYS)
def model_stays(gan: Topic, networks: Networks, decay: float) -> None:
    """The model's parameters and buffers are after the call what they were before, and it can be trained as before."""
    seen = gan.update_average.observe(*networks, decay)
    left = _left(seen, 1)
    for name, before in _before(networks[1]).items():
        assert_unchanged(f"{name} of model", left.get(name, before * 0 - 1), before)
    trainable, training = seen.arguments[1][-1]
    if not (trainable and training):
        raise WrongAnswer("the model was left " + ("in evaluation mode" if trainable else "without gradients: frozen"))


@average.property("value", edges=EDGES, most=10, networks=_networks(), decay=DECAYS)
def in_place_and_apart(gan: Topic, networks: Networks, decay: float) -> None:
    """The average's tensors are the same objects as before, belong to no graph, and share no memory with the model's:
    what happens to the model afterwards does not reach them."""
    seen = gan.update_average.observe(*networks, decay)
    (_, _, same, graph, places, (trainable, _)), (_, _, _, _, others, _) = seen.arguments[:2]
    if trainable == networks[0].frozen:
        raise WrongAnswer("the average's parameters ask for gradients otherwise than before")
    if set(places) & set(others):
        raise WrongAnswer("the average shares memory with the model, so that it changes whenever the model does")
    if not same:
        raise WrongAnswer("a tensor of the average was replaced by another one; it should be changed in place")
    if graph:
        raise WrongAnswer("the average belongs to a graph, which grows with every update: use torch.no_grad()")


def _singles(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(t.float() for t in tensors)


@average.property("shape", most=5, networks=_networks(), decay=DECAYS)
def keeps_the_dtype(gan: Topic, networks: Networks, decay: float) -> None:
    """Modules in single precision stay in single precision."""
    single = [replace(n, parameters=_singles(n.parameters), statistics=_singles(n.statistics)) for n in networks]
    left = _left(gan.update_average.observe(*single, decay), 0)
    for name, before in _before(single[0]).items():
        if name in left and left[name].dtype != before.dtype:
            raise WrongAnswer(f"{name} of average was {before.dtype} and is {left[name].dtype}")
