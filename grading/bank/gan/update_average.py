"""Implementations of gan.update_average."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from grading.bank import Bank
from solutions.gan import averaging

bank = Bank("gan.update_average")
Pairs = Iterator[tuple[Tensor, Tensor]]


def _parameters(average: nn.Module, model: nn.Module) -> Pairs:
    return zip(average.parameters(), model.parameters(), strict=True)


def _statistics(average: nn.Module, model: nn.Module) -> Pairs:
    pairs = zip(average.buffers(), model.buffers(), strict=True)
    return ((a, b) for a, b in pairs if a.is_floating_point())


def _both(average: nn.Module, model: nn.Module) -> list[tuple[Tensor, Tensor]]:
    return [*_parameters(average, model), *_statistics(average, model)]


bank.reason(
    "Let the average be 10 and the model 20, with a decay of 0.9, then of 0 and of 1. What should the average be "
    "after each, for a parameter and for a statistic, and what is yours?"
)


@bank.mistake("the model has the weight decay, and the average 1 - decay")
def swaps_the_decay(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, 1 - decay)


@bank.mistake("the weights of average and model are exchanged for the statistics, and right for the parameters")
def swaps_the_decay_of_the_buffers(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _parameters(average, model):
            mean.lerp_(latest, 1 - decay)
        for statistic, current in _statistics(average, model):
            statistic.lerp_(current, decay)


@bank.mistake("the average is multiplied by the decay twice")
def decays_twice(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _both(average, model):
            mean.mul_(decay)
            mean.copy_(decay * mean + (1 - decay) * latest)


@bank.mistake("the weight of the model is forgotten, so that the sum is decay average + model")
def forgets_the_weight_of_the_model(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _both(average, model):
            mean.mul_(decay).add_(latest)


@bank.mistake("half of each is taken, whatever the decay")
def ignores_the_decay(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, 0.5)


@bank.mistake("the moved average is divided by 1 - decay, as Adam corrects its moments for their beginning")
def corrects_the_beginning(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _both(average, model):
            mean.copy_(latest if decay == 1 else (decay * mean + (1 - decay) * latest) / (1 - decay))


bank.reason(
    "What makes the output of a module, beside its parameters? List its tensors by kind, and what the docstring "
    "wants of each kind. What happens to each in yours?"
)


@bank.mistake("only the parameters are averaged, and all buffers forgotten")
def forgets_the_buffers(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _parameters(average, model):
            mean.lerp_(latest, 1 - decay)


@bank.mistake("the buffers are copied from the model, not averaged")
def copies_the_buffers(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _parameters(average, model):
            mean.lerp_(latest, 1 - decay)
        for statistic, current in zip(average.buffers(), model.buffers(), strict=True):
            statistic.copy_(current)


bank.reason(
    "Draw a module that holds another, each with statistics, under names that somebody else has chosen. Which of "
    "these statistics does your loop reach, and by what does it find them?"
)


@bank.mistake("only those buffers are averaged that batch normalisation has")
def knows_batch_normalisation_only(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _parameters(average, model):
            mean.lerp_(latest, 1 - decay)
        latest_of = dict(model.named_buffers())
        for name, mean in average.named_buffers():
            if "running_" in name:
                mean.lerp_(latest_of[name], 1 - decay)


@bank.mistake("only the statistics of the module itself are averaged, not those of the modules in it")
def stays_at_the_top_for_buffers(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        buffers = zip(average.buffers(recurse=False), model.buffers(recurse=False), strict=True)
        for mean, latest in [*_parameters(average, model), *buffers]:
            if mean.is_floating_point():
                mean.lerp_(latest, 1 - decay)


bank.reason(
    "Draw a module that holds a module that holds another, each with a tensor of its own. Which of these does "
    "your loop reach, and does each meet its own partner in the model?"
)


@bank.mistake("only the parameters of the module itself are averaged, not those of the modules in it")
def stays_at_the_top(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, 1.0)
    with torch.no_grad():
        pairs = zip(average.parameters(recurse=False), model.parameters(recurse=False), strict=True)
        for mean, latest in [*pairs, *_statistics(average, model)]:
            mean.lerp_(latest, 1 - decay)


@bank.mistake("only the module itself and the modules in it are reached, not those that are in these")
def reaches_one_level(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        floors = zip((average, *average.children()), (model, *model.children()), strict=True)
        for mine, theirs in floors:
            tensors = (
                (*mine.parameters(False), *mine.buffers(False)),
                (*theirs.parameters(False), *theirs.buffers(False)),
            )
            for mean, latest in zip(*tensors, strict=True):
                mean.copy_(decay * mean + (1 - decay) * latest if mean.is_floating_point() else latest)


@bank.mistake("the parameters of one module are sorted by name, and those of the other are not")
def pairs_them_in_different_orders(average: nn.Module, model: nn.Module, decay: float) -> None:
    ordered = [parameter for _, parameter in sorted(model.named_parameters())]
    with torch.no_grad():
        for mean, latest in zip(average.parameters(), ordered, strict=True):
            mean.lerp_(latest.reshape(-1)[0], 1 - decay)
        for statistic, current in _statistics(average, model):
            statistic.lerp_(current, 1 - decay)


bank.reason(
    "A buffer counts batches, 7 in the average and 8 in the model. Which values may stand in the average's "
    "afterwards, of which type, and which does yours hold for a decay of 0.5?"
)


@bank.mistake("everything in the state is averaged, integers too, whose averages are cut off")
def averages_counts(average: nn.Module, model: nn.Module, decay: float) -> None:
    latest = model.state_dict()
    average.load_state_dict({k: decay * v + (1 - decay) * latest[k] for k, v in average.state_dict().items()})


@bank.mistake("integer buffers become floating-point ones, which hold averages of counts")
def makes_counts_fractions(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, decay)
    for count, current in zip(average.buffers(), model.buffers(), strict=True):
        if not count.is_floating_point():
            count.data = decay * count.double() + (1 - decay) * current.double()


@bank.mistake("the model's counts are added to those of the average")
def counts_the_updates(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, decay)
    for count, current in zip(average.buffers(), model.buffers(), strict=True):
        if not count.is_floating_point():
            count.add_(current)


bank.reason(
    "One of the two modules moves, the other is only read. Compare both before and after the call, their values, "
    "what asks for gradients and the mode: what may differ, and what does?"
)


@bank.mistake("the model is moved towards the average, and not the other way round")
def moves_the_model(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(model, average, 1 - decay)


@bank.mistake("the average gets the right value, and the model the same one")
def moves_both(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, decay)
    model.load_state_dict(average.state_dict())


@bank.mistake("the model's own tensors are multiplied in place on the way")
def scales_the_model(average: nn.Module, model: nn.Module, decay: float) -> None:
    for mean, latest in _both(average, model):
        mean.data.mul_(decay).add_(latest.data.mul_(1 - decay))


@bank.mistake("the model is frozen for the time of the update, and left so")
def leaves_the_model_frozen(average: nn.Module, model: nn.Module, decay: float) -> None:
    model.requires_grad_(False)
    averaging.update_average(average, model, decay)


@bank.mistake("the model is put into evaluation mode, and left there")
def leaves_the_model_in_evaluation(average: nn.Module, model: nn.Module, decay: float) -> None:
    model.eval()
    averaging.update_average(average, model, decay)


@bank.mistake("the average's parameters are made to ask for gradients")
def thaws_the_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, decay)
    average.requires_grad_()


bank.reason(
    "The caller holds on to the average and its tensors, and looks at nothing that you return. Which number in "
    "memory does your last line change, and is it one that the caller can see?"
)


@bank.mistake("the loop's variable is bound to the new value, and the average stays what it was")
def binds_a_name(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _both(average, model):
            mean = decay * mean + (1 - decay) * latest


@bank.mistake("a new state is computed and never loaded")
def computes_a_state(average: nn.Module, model: nn.Module, decay: float) -> dict[str, Tensor]:
    latest = model.state_dict()
    return {k: decay * v + (1 - decay) * latest[k] for k, v in average.state_dict().items()}


@bank.mistake("a moved copy is returned, and the average left as it is")
def returns_a_copy(average: nn.Module, model: nn.Module, decay: float) -> nn.Module:
    moved = copy.deepcopy(average)
    averaging.update_average(moved, model, decay)
    return moved


@bank.mistake("the parameters are replaced by new ones, which whoever holds the old ones does not see")
def replaces_the_parameters(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, decay)
    for module in average.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(parameter.detach().clone()))


bank.reason(
    "Train the model for one more step after the call. Which of the average's tensors change with it, and how did "
    "they come to do that?"
)


@bank.mistake("the model's tensors themselves become the average's, where the decay is 0")
def shares_memory_without_decay(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, decay)
    if decay == 0:
        for mean, latest in _both(average, model):
            mean.data = latest.data


@bank.mistake("the state is assigned where the decay is 0, which shares the model's memory")
def assigns_the_state_without_decay(average: nn.Module, model: nn.Module, decay: float) -> None:
    if decay == 0:
        average.load_state_dict(model.state_dict(), assign=True)
    else:
        averaging.update_average(average, model, decay)


@bank.mistake("the integer buffers are the model's own tensors")
def shares_the_counts(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, decay)
    for count, current in zip(average.buffers(), model.buffers(), strict=True):
        if not count.is_floating_point():
            count.data = current


bank.reason(
    "Nobody trains an average. What does torch remember of your sum, what would it hold after ten thousand "
    "updates, and how can it be told not to?"
)


@bank.mistake("the average is frozen and moved with a graph, which grows with every update")
def keeps_the_graph(average: nn.Module, model: nn.Module, decay: float) -> None:
    average.requires_grad_(False)
    for mean, latest in _both(average, model):
        mean.mul_(decay).add_((1 - decay) * latest)


@bank.mistake(
    "the average is moved in place while torch tracks it, which fails, or keeps a graph if the average is frozen"
)
def forgets_no_grad(average: nn.Module, model: nn.Module, decay: float) -> None:
    for mean, latest in _both(average, model):
        mean.copy_(decay * mean + (1 - decay) * latest)


bank.reason(
    "Try it with modules in single and in double precision. Which type should the average have afterwards, and "
    "how many right digits: which of your steps has another precision than its tensors?"
)


@bank.mistake("the average is kept in double precision, so that small steps are not rounded away")
def averages_in_double_precision(average: nn.Module, model: nn.Module, decay: float) -> None:
    averaging.update_average(average, model, 1.0)
    for mean, latest in _both(average, model):
        mean.data = decay * mean.data.double() + (1 - decay) * latest.data.double()


@bank.mistake("the average is computed in single precision on the way")
def averages_in_single_precision(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _both(average, model):
            mean.copy_(decay * mean.float() + (1 - decay) * latest.float())


@bank.pair("swaps_the_decay", "forgets_the_buffers")
def swaps_the_decay_and_forgets_the_buffers(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _parameters(average, model):
            mean.lerp_(latest, decay)


@bank.pair("swaps_the_decay", "copies_the_buffers")
def swaps_the_decay_and_copies_the_buffers(average: nn.Module, model: nn.Module, decay: float) -> None:
    copies_the_buffers(average, model, 1 - decay)


@bank.pair("swaps_the_decay", "averages_counts")
def swaps_the_decay_and_averages_counts(average: nn.Module, model: nn.Module, decay: float) -> None:
    averages_counts(average, model, 1 - decay)


@bank.alternative("products and sums are in place, and the counts stay what they are")
def by_products(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, latest in _both(average, model):
            mean.mul_(decay).add_(latest, alpha=1 - decay)


@bank.alternative("through .data, with a step of (1 - decay) (model - average)")
def by_data(average: nn.Module, model: nn.Module, decay: float) -> None:
    for mean, latest in _parameters(average, model):
        mean.data -= (1 - decay) * (mean.data - latest.data)
    for statistic, current in zip(average.buffers(), model.buffers(), strict=True):
        statistic.data.copy_(
            statistic + (1 - decay) * (current - statistic) if statistic.is_floating_point() else current
        )


@bank.alternative("a new state is computed and loaded, which copies into the tensors that there are")
@torch.no_grad()
def by_the_state(average: nn.Module, model: nn.Module, decay: float) -> None:
    old, latest = average.state_dict(), model.state_dict()
    state = {k: torch.lerp(v, latest[k], 1 - decay) if v.is_floating_point() else latest[k] for k, v in old.items()}
    average.load_state_dict(state)


@bank.alternative("tensors are found by their names, on every floor, and an average at the edges is a copy or nothing")
def by_name(average: nn.Module, model: nn.Module, decay: float) -> nn.Module:
    if decay == 0:
        average.load_state_dict(model.state_dict())
    latest = dict(model.named_parameters()) | dict(model.named_buffers())
    for name, mean in [*average.named_parameters(), *average.named_buffers()]:
        if 0 < decay < 1 and not name.split(".")[-1].startswith("num_batches"):
            mean.detach().copy_(decay * mean.detach() + (1 - decay) * latest[name].detach())
    return average


@bank.alternative("each tensor's data is a new tensor, the parameters and buffers being the same")
def with_new_data(average: nn.Module, model: nn.Module, decay: float) -> None:
    for mean, latest in _both(average, model):
        mean.data = (decay * mean + (1 - decay) * latest).detach()


@bank.alternative("torch moves all tensors at once")
def for_each(average: nn.Module, model: nn.Module, decay: float) -> None:
    means, latest = zip(*_both(average, model), strict=True)
    with torch.no_grad():
        torch._foreach_lerp_(list(means), list(latest), 1 - decay)
