"""Implementations of flows.constrain_u."""

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank
from solutions.flows import planar

bank = Bank("flows.constrain_u")

bank.probe(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), torch.zeros(3, dtype=torch.float64))  # a shared w of 0


def _dot(u: Tensor, w: Tensor) -> Tensor:
    return (w * u).sum(-1, keepdim=True)


def _square(w: Tensor) -> Tensor:
    """The square of the length of w, and 1 where that is 0."""
    ww = _dot(w, w)
    return torch.where(ww > 0, ww, 1.0)


bank.reason(
    "u belongs to whoever called, to an optimiser that has just written it, say. What does it hold after your call, "
    "and what does the next call begin with?"
)


@bank.mistake("u itself is corrected in place, without a gradient, and only where w.u is below -1")
def corrects_in_place(u: Tensor, w: Tensor) -> Tensor:
    with torch.no_grad():
        wu = _dot(u, w)
        u += torch.where(wu < -1, F.softplus(wu) - 1 - wu, 0.0) / _square(w) * w
    return u


@bank.mistake("the caller's u is overwritten with u_hat too, though the result is right")
def overwrites_u(u: Tensor, w: Tensor) -> Tensor:
    u_hat = planar.constrain_u(u.clone(), w)
    u.data.copy_(u_hat)
    return u_hat


bank.reason(
    "Draw w.u_hat against w.u from -4 to 4, for a w of length 1. Is your curve smooth, and does it change u on both "
    "sides of -1, as the handout's m does?"
)


@bank.mistake("only u with w.u below -1 are constrained, so that u_hat jumps there")
def corrects_only_below_minus_one(u: Tensor, w: Tensor) -> Tensor:
    return torch.where(_dot(u, w) < -1, planar.constrain_u(u, w), u)


@bank.mistake("w.u_hat is cut off at -1 instead of following the smooth m")
def cuts_off_at_minus_one(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (wu.clamp(min=-1) - wu) / _square(w) * w


bank.reason(
    "Take w = (2, 0), and multiply your u_hat by w on paper. Is the product m(w.u), or is a power of the length of w "
    "left over?"
)


@bank.mistake("the step along w is divided by the length of w instead of the square of it")
def divides_by_the_length(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - 1 - wu) / _square(w).sqrt() * w


@bank.mistake("the step along w is not divided by the square of the length of w")
def forgets_to_divide(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - 1 - wu) * w


bank.reason(
    "Take a w of length 1 and let w.u be -100, 0 and 100. What has w.u_hat to be for each of the three, and what is "
    "yours?"
)


@bank.mistake("the -1 of m is missing, so that w.u_hat is never negative")
def forgets_the_minus_one(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - wu) / _square(w) * w


@bank.mistake("1 is added in m instead of subtracted")
def adds_one_in_m(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) + 1 - wu) / _square(w) * w


@bank.mistake("m is shifted so that m(0) = 0, by log 2 instead of 1")
def shifts_by_log_two(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - F.softplus(torch.zeros_like(wu)) - wu) / _square(w) * w


@bank.mistake("m(w.u) is added to w.u instead of put in its place")
def adds_m(u: Tensor, w: Tensor) -> Tensor:
    return u + (F.softplus(_dot(u, w)) - 1) / _square(w) * w


@bank.mistake("the sign of w.u is turned inside m")
def turns_the_sign_in_m(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(-wu) - 1 - wu) / _square(w) * w


bank.reason(
    "Take w = (1, 0) and u = (-3, 5): which entry of u decides whether the layer can be inverted, and which one "
    "should come back as it was? Look at both in your u_hat."
)


@bank.mistake("u is scaled until w.u_hat is right, which also changes the part of u across w")
def scales_u(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u * torch.where(wu == 0, 1.0, (F.softplus(wu) - 1) / wu)


@bank.mistake("the step goes along u instead of w")
def steps_along_u(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - 1 - wu) / _square(u) * u


@bank.mistake("the part of u across w is dropped, as only the part along w matters for the determinant")
def drops_what_lies_across(u: Tensor, w: Tensor) -> Tensor:
    return torch.where(_dot(w, w) > 0, (F.softplus(_dot(u, w)) - 1) / _square(w) * w, u)


@bank.mistake("u and w are swapped, so that w is moved along u")
def swaps_u_and_w(u: Tensor, w: Tensor) -> Tensor:
    return planar.constrain_u(w, u)


bank.reason("Take w.u = 1000: which numbers does your code compute on the way to m? How large is m itself there?")


@bank.mistake("the exponential in m is taken as it stands, which overflows where w.u is large")
def exponentiates_directly(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (torch.log(1 + torch.exp(wu)) - 1 - wu) / _square(w) * w


bank.reason(
    "Let one layer of a batch have w = 0. What should it return, what is the derivative of every quotient on the way "
    "there, also of one that is thrown away, and should its neighbours notice?"
)


@bank.mistake("the square of the length of w is divided by without a look at 0, where the result is nan")
def divides_by_zero(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - 1 - wu) * w / _dot(w, w)


@bank.mistake("the nan where w is 0 is replaced after the division, so that it stays in the gradient")
def replaces_nan_afterwards(u: Tensor, w: Tensor) -> Tensor:
    wu, ww = _dot(u, w), _dot(w, w)
    return torch.where(ww > 0, u + (F.softplus(wu) - 1 - wu) * w / ww, u)


@bank.mistake("no layer of a batch is constrained in which one w is 0")
def gives_up_on_the_batch(u: Tensor, w: Tensor) -> Tensor:
    if not bool(w.any(-1).all()):
        return u.clone()
    return planar.constrain_u(u, w)


bank.reason(
    "Take w = (0.001, 0) and u = (-5000, 0): what are w.u and m(w.u)? Work out the w.u_hat of your result, and ask "
    "whether the constraint cares how short w is."
)


@bank.mistake("a small number is added to the square of the length of w, against a division by 0")
def adds_an_epsilon(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - 1 - wu) / (_dot(w, w) + 1e-6) * w


@bank.mistake("the square of the length of w is kept above a bound, so that layers with a short w are not constrained")
def bounds_the_square_from_below(u: Tensor, w: Tensor) -> Tensor:
    wu = (w * u).sum(-1, keepdim=True)
    return u + (F.softplus(wu) - 1 - wu) / (w * w).sum(-1, keepdim=True).clamp_min(5e-3) * w


@bank.mistake("u is left as it is where w is short, not only where it is 0")
def spares_short_layers(u: Tensor, w: Tensor) -> Tensor:
    ww = (w * w).sum(-1, keepdim=True)
    wu = (w * u).sum(-1, keepdim=True)
    return torch.where(ww > 5e-3, u + (F.softplus(wu) - 1 - wu) / ww.clamp_min(5e-3) * w, u)


bank.reason(
    "Move u a little, then w: which factors of the step along w change with each? Ask of every factor whether a "
    "gradient can come back through it."
)


@bank.mistake("the step along w is held constant, so that no gradient reaches w")
def detaches_the_step(u: Tensor, w: Tensor) -> Tensor:
    with torch.no_grad():
        step = planar.constrain_u(u, w) - u
    return u + step


@bank.mistake("how far the step along w goes is held constant, so that the gradients do not know the constraint")
def detaches_the_size_of_the_step(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    size = (F.softplus(wu) - 1 - wu) / _square(w)
    return u + size.detach() * w


@bank.mistake("the length of w is held constant, so that a part of the gradient by w is lost")
def detaches_the_length(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - 1 - wu) / _square(w).detach() * w


bank.reason(
    "Write the shape beside every intermediate result for a shared layer of three features, and for two layers of "
    "three features. Which axis has to be summed, and what becomes of the shapes that meet afterwards?"
)


@bank.mistake("w.u and the square of the length of w are summed over the whole batch")
def sums_the_batch(u: Tensor, w: Tensor) -> Tensor:
    wu, ww = (w * u).sum(), (w * w).sum()
    return u + (F.softplus(wu) - 1 - wu) / torch.where(ww > 0, ww, 1.0) * w


@bank.mistake("the sums run along the first axis, which is the batch where each instance has a layer of its own")
def sums_the_first_axis(u: Tensor, w: Tensor) -> Tensor:
    wu, ww = (w * u).sum(0, keepdim=True), (w * w).sum(0, keepdim=True)
    return u + (F.softplus(wu) - 1 - wu) / torch.where(ww > 0, ww, 1.0) * w


@bank.mistake("w.u is taken as a product of two vectors, which fails where each instance has a layer of its own")
def takes_vectors_only(u: Tensor, w: Tensor) -> Tensor:
    wu, ww = torch.dot(w, u), torch.dot(w, w)
    return u + (F.softplus(wu) - 1 - wu) / torch.where(ww > 0, ww, 1.0) * w


@bank.mistake("the sums run along the second axis, which fails for a shared layer, as it has one axis")
def takes_batches_only(u: Tensor, w: Tensor) -> Tensor:
    wu, ww = (w * u).sum(1, keepdim=True), (w * w).sum(1, keepdim=True)
    return u + (F.softplus(wu) - 1 - wu) / torch.where(ww > 0, ww, 1.0) * w


@bank.mistake("the summed axis is not kept, so that a step for each layer meets the features")
def loses_the_axis(u: Tensor, w: Tensor) -> Tensor:
    wu, ww = (w * u).sum(-1), (w * w).sum(-1)
    return u + (F.softplus(wu) - 1 - wu) / torch.where(ww > 0, ww, 1.0) * w


@bank.mistake("a shared layer comes back with an axis in front, as a batch of one")
def adds_an_axis(u: Tensor, w: Tensor) -> Tensor:
    return planar.constrain_u(torch.atleast_2d(u), torch.atleast_2d(w))


bank.reason(
    "Let the arguments come in single precision, then in double: which dtype, and how many digits, has each of your "
    "intermediate results?"
)


@bank.mistake("the result is in double precision whatever the arguments are in")
def returns_double_precision(u: Tensor, w: Tensor) -> Tensor:
    return planar.constrain_u(u.double(), w.double())


@bank.mistake("u and w are turned into single precision")
def computes_in_single_precision(u: Tensor, w: Tensor) -> Tensor:
    return planar.constrain_u(u.float(), w.float()).to(u.dtype)


@bank.pair("divides_by_zero", "exponentiates_directly")
def divides_by_zero_and_exponentiates_directly(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (torch.log(1 + torch.exp(wu)) - 1 - wu) * w / _dot(w, w)


@bank.pair("divides_by_the_length", "divides_by_zero")
def divides_by_the_length_and_divides_by_zero(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - 1 - wu) * w / w.norm(dim=-1, keepdim=True)


@bank.pair("takes_vectors_only", "divides_by_zero")
def takes_vectors_only_and_divides_by_zero(u: Tensor, w: Tensor) -> Tensor:
    wu = torch.dot(w, u)
    return u + (F.softplus(wu) - 1 - wu) * w / torch.dot(w, w)


@bank.pair("divides_by_the_length", "forgets_the_minus_one")
def divides_by_the_length_and_forgets_the_minus_one(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - wu) / _square(w).sqrt() * w


@bank.alternative("the formula of the docstring with softplus")
def by_softplus(u: Tensor, w: Tensor) -> Tensor:
    wu = _dot(u, w)
    return u + (F.softplus(wu) - 1 - wu) / _square(w) * w


@bank.alternative("u in two parts: what lies across w stays, and what lies along it is made anew by logaddexp")
def by_two_parts(u: Tensor, w: Tensor) -> Tensor:
    wu = torch.einsum("...d,...d->...", u, w).unsqueeze(-1)
    unit_step = w / _square(w)
    m = torch.logaddexp(wu, torch.zeros_like(wu)) - 1
    return u - wu * unit_step + torch.where(_dot(w, w) > 0, m, 0.0) * unit_step


@bank.alternative("one layer after another, with inner products, and u as it is where w is 0")
def layer_by_layer(u: Tensor, w: Tensor) -> Tensor:
    if u.dim() == 2:
        return torch.stack([layer_by_layer(*row) for row in zip(u, w, strict=True)])
    if not bool(w.any()):
        return u.clone()
    return u + (F.softplus(-(w @ u)) - 1) * w / (w @ w)


@bank.alternative("with a unit vector along w, and a length that is kept away from 0")
def by_a_unit_vector(u: Tensor, w: Tensor) -> Tensor:
    length = torch.linalg.vector_norm(w, dim=-1, keepdim=True).clamp(min=1e-12)
    along = w / length
    excess = -1 - F.logsigmoid(length * (along * u).sum(-1, keepdim=True))
    return u + along * (excess / length)


@bank.alternative("by matrix products, with another w where w is 0, and u chosen there at the end")
def by_matrix_products(u: Tensor, w: Tensor) -> Tensor:
    zero = (w == 0).all(-1, keepdim=True)
    rows = torch.where(zero, 1.0, w).reshape(-1, 1, w.shape[-1])
    columns = u.reshape(-1, u.shape[-1], 1)
    excess = F.softplus(-(rows @ columns)) - 1
    step = excess / (rows @ rows.transpose(1, 2)) * rows
    return torch.where(zero, u, u + step.reshape(u.shape))
