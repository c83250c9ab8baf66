"""Beside the student's code: sequences of tensors, answers of several tensors, and what a call costs."""

import pytest
import torch

from grading.engine.answering import answer
from grading.engine.calls import Call, Cost
from grading.engine.metering import Meter
from tests.support.networks import Network
from tests.support.players import Game, LinearCritic, LinearGenerator, Objective

X = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
LAYERS = [(X, 2 * X, torch.tensor(0.5, dtype=torch.float64)), (3 * X, 4 * X, torch.tensor(1.0, dtype=torch.float64))]


def asked(function, *arguments, **watched):
    return answer(function, Call("toy.f", "f.py", arguments, **watched))


def test_a_sequence_comes_as_a_list_of_tuples_of_copies():
    seen = []

    def function(layers, x):
        seen.append((type(layers), type(layers[0]), layers[1][0] is LAYERS[1][0]))
        layers[1][0].zero_()
        layers.append(None)
        return x

    asked(function, LAYERS, X)
    assert seen == [(list, tuple, False)]
    assert len(LAYERS) == 2
    assert torch.equal(LAYERS[1][0], 3 * X)


def test_what_became_of_the_tensors_in_a_sequence_is_told():
    def function(layers, x):
        layers[1][0].mul_(2)
        return x

    after = asked(function, LAYERS, X, watch="effects").arguments
    assert torch.equal(after[0][1][0], 6 * X)
    assert torch.equal(after[0][0][0], X)
    assert torch.equal(after[1], X)


def test_a_gradient_reaches_a_tensor_in_a_sequence():
    found = asked(lambda layers, x: (x * layers[1][0] ** 2).sum(), LAYERS, X, wrt=("0.1.0", "0.0.1")).gradients
    assert torch.equal(found[0], 2 * X * 3 * X)
    assert found[1] is None


def both(x):
    return 2 * x, (x**2).sum()


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((torch.ones(3), None), 2 * torch.ones(3)),
        ((None, torch.tensor(1.0)), 2 * X),
        ((torch.ones(3), torch.tensor(10.0)), 2 + 20 * X),
    ],
)
def test_several_results_are_weighted_each_by_itself(weights, expected):
    found = asked(both, X, wrt=("0",), cotangent=weights)
    assert found.has_graph
    assert torch.equal(found.gradients[0], expected.double())


@pytest.mark.parametrize(
    "function", [lambda x: 2 * x, lambda x: (x, x, x), lambda x: None, lambda x: (x.detach(), x.detach())]
)
def test_an_answer_that_the_weights_do_not_fit_has_no_gradient(function):
    assert asked(function, X, wrt=("0",), cotangent=(torch.ones(3), None)).gradients == (None,)


def test_entries_that_are_read_and_written_are_counted():
    with Meter() as meter:
        y = X + X  # two read, one written
        y.view(3, 1)  # a view touches nothing
        y.sum()
    assert meter.cost == Cost(peak_bytes=32, elements=9 + 4, largest=3)


def test_an_expanded_tensor_counts_as_what_it_stands_for():
    assert asked(lambda x: x[:, None] * x, X, watch="cost").cost == Cost(peak_bytes=72, elements=3 + 3 + 9, largest=9)


def test_the_backward_pass_inside_of_a_function_counts_too():
    def by_autograd(x):
        x = x.clone().requires_grad_()
        return torch.autograd.grad((x**2).sum(), x)[0]

    plain, differentiated = (asked(f, X, watch="cost").cost.elements for f in (lambda x: (x**2).sum(), by_autograd))
    assert differentiated > 2 * plain


def test_memory_that_was_there_before_does_not_count():
    big = torch.zeros(1000)
    with Meter([big]) as meter:
        big.add_(1)
    assert meter.cost.peak_bytes == 0


def test_where_memory_lies_is_told_by_numbers_that_are_the_same_in_every_process():
    network = Network((X, 2 * X), (), (torch.tensor(3),))

    def share(average, model):
        average.weight_0.data = model.weight_0.data

    apart, shared = (
        [after[4] for after in asked(function, network, network, watch="effects").arguments]
        for function in (lambda average, model: None, share)
    )
    assert apart == [(0, 1, 2), (3, 4, 5)]
    assert shared == [(0, 1, 2), (0, 3, 4)]


def test_arguments_that_are_the_calls_own_are_not_copied():
    seen = []
    for own in (False, True):
        answer(seen.append, Call("toy.f", "f.py", (X,)), own)
    assert [x is X for x in seen] == [False, True]


@pytest.mark.parametrize("keyword", [False, True])
@pytest.mark.parametrize("method", ["__call__", "forward"])
def test_a_game_notes_whom_it_was_asked_for_however_it_is_asked(method, keyword):
    player = LinearGenerator(X[:1, None], X[:1])
    game = Game(LinearCritic(X[:1], X[0]), player, player, Objective(0, 0), None, 0, X[None, :, None], X[None], (1, 1))

    def function(game):
        ask = getattr(game.critic, method)
        return ask(x=X[:, None]) if keyword else ask(X[:, None])

    log = asked(function, game, watch="effects").arguments[0][3]
    assert [name for name, _ in log] == ["critic"]
    assert torch.equal(log[0][1], X[:, None])
