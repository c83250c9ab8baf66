"""Implementations of flows.compose."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from grading.bank import Bank
from solutions.flows import composition
from solutions.flows.composition import Layer
from solutions.flows.planar import constrain_u, planar

bank = Bank("flows.compose")
Pair = tuple[Tensor, Tensor]


def _zeros(z: Tensor) -> Tensor:
    """One zero for each row of z."""
    return torch.zeros_like(z[:, 0])


def _points(layers: Sequence[Layer], z: Tensor) -> Tensor:
    """What the layers make of z."""
    return composition.compose(layers, z)[0]


def _inlined(layers: Sequence[Layer], z: Tensor, step: Callable[..., Tensor], log_det: Callable[..., Tensor]) -> Pair:
    """Layers written out, with a way to constrain u and a way to take the log-determinant."""
    total = _zeros(z)
    for u, w, b in layers:
        wu, ww = (w * u).sum(-1, keepdim=True), (w * w).sum(-1, keepdim=True)
        u_hat, a = step(u, w, wu, ww), (w * z).sum(-1) + b
        total = total + log_det(a, (w * u_hat).sum(-1))
        z = z + u_hat * torch.tanh(a).unsqueeze(-1)
    return z, total


def _step(u: Tensor, w: Tensor, wu: Tensor, ww: Tensor) -> Tensor:
    return u + (F.softplus(wu) - 1 - wu) / torch.where(ww > 0, ww, 1.0) * w


def _log_det(a: Tensor, wu: Tensor) -> Tensor:
    return torch.log(torch.abs(1 + (1 - torch.tanh(a) ** 2) * wu))


bank.reason(
    "Write f_2(f_1(z)) out for two layers: what goes into f_1, and what into f_2? Then follow one point through your "
    "code in the same way."
)


@bank.mistake("the layers are applied in reversed order")
def reverses_the_order(layers: Sequence[Layer], z: Tensor) -> Pair:
    return composition.compose(layers[::-1], z)


@bank.mistake("every layer is applied to z_0 instead of to what the layer before it returned")
def applies_every_layer_to_the_first_point(layers: Sequence[Layer], z: Tensor) -> Pair:
    points, total = z, _zeros(z)
    for layer in layers:
        points, log_abs_det = planar(z, *layer)
        total = total + log_abs_det
    return points, total


bank.reason(
    "The chain rule multiplies two Jacobians for f_2(f_1(z)): at which point does each of them stand? Follow one "
    "point through two layers, and write down where your code asks for each log-determinant."
)


@bank.mistake("each log-determinant is taken at z_i, the point that comes out of the layer, instead of z_(i-1)")
def evaluates_at_the_image(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for layer in layers:
        z, _ = planar(z, *layer)
        total = total + planar(z, *layer)[1]
    return z, total


@bank.mistake("all log-determinants are taken at z_0")
def evaluates_at_the_first_point(layers: Sequence[Layer], z: Tensor) -> Pair:
    return _points(layers, z), sum((planar(z, *layer)[1] for layer in layers), _zeros(z))


@bank.mistake("all log-determinants are taken at z_k")
def evaluates_at_the_last_point(layers: Sequence[Layer], z: Tensor) -> Pair:
    z = _points(layers, z)
    return z, sum((planar(z, *layer)[1] for layer in layers), _zeros(z))


bank.reason(
    "Let each of three layers double lengths where a point meets it, in one dimension: what is the determinant of all "
    "three together, what is its logarithm, and what do you make of the three terms?"
)


@bank.mistake("the log-determinant of the first layer is forgotten")
def forgets_the_first_layer(layers: Sequence[Layer], z: Tensor) -> Pair:
    if not layers:
        return z, _zeros(z)
    z, _ = planar(z, *layers[0])
    return composition.compose(layers[1:], z)


@bank.mistake("the log-determinant of the last layer is forgotten")
def forgets_the_last_layer(layers: Sequence[Layer], z: Tensor) -> Pair:
    return _points(layers, z), composition.compose(layers[:-1], z)[1]


@bank.mistake("the log-determinant of the last layer is returned instead of the sum over all layers")
def keeps_the_last_log_determinant(layers: Sequence[Layer], z: Tensor) -> Pair:
    log_abs_det = _zeros(z)
    for layer in layers:
        z, log_abs_det = planar(z, *layer)
    return z, log_abs_det


@bank.mistake("the log-determinants are subtracted, as if for the density at z_k")
def subtracts_the_log_determinants(layers: Sequence[Layer], z: Tensor) -> Pair:
    z, total = composition.compose(layers, z)
    return z, -total


@bank.mistake("the determinants are added before the logarithm instead of multiplied")
def adds_the_determinants(layers: Sequence[Layer], z: Tensor) -> Pair:
    if not layers:
        return z, _zeros(z)
    determinants = _zeros(z)
    for layer in layers:
        z, log_abs_det = planar(z, *layer)
        determinants = determinants + log_abs_det.exp()
    return z, determinants.log()


bank.reason(
    "Write the shape of the sum down after every layer, for three points and for a single one. Is it (batch,) all the "
    "way, and does each value belong to one point?"
)


@bank.mistake("the sum of the log-determinants is averaged over the batch")
def averages_over_the_batch(layers: Sequence[Layer], z: Tensor) -> Pair:
    z, total = composition.compose(layers, z)
    return z, total.mean().expand(len(z))


@bank.mistake("the sum begins with zeros of (batch, 1), so that it is (batch, batch)")
def begins_with_a_column(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = torch.zeros_like(z[:, :1])
    for layer in layers:
        z, log_abs_det = planar(z, *layer)
        total = total + log_abs_det
    return z, total


@bank.mistake("the sum of the log-determinants is (batch, 1)")
def keeps_the_axis(layers: Sequence[Layer], z: Tensor) -> Pair:
    z, total = composition.compose(layers, z)
    return z, total.unsqueeze(1)


@bank.mistake("every axis of size one is squeezed away, also the batch axis of a batch of one")
def squeezes_everything(layers: Sequence[Layer], z: Tensor) -> Pair:
    z, total = composition.compose(layers, z)
    return z, total.squeeze()


bank.reason(
    "What are the points and the log-determinants of a flow without any layer, for a batch of five? Follow your code "
    "through the empty list."
)


@bank.mistake("the log-determinant without layers is the number 0 instead of one zero for each instance")
def returns_one_zero(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = torch.zeros((), dtype=z.dtype)
    for layer in layers:
        z, log_abs_det = planar(z, *layer)
        total = total + log_abs_det
    return z, total


@bank.mistake("the log-determinants are stacked before they are summed, which fails without layers")
def stacks_nothing(layers: Sequence[Layer], z: Tensor) -> Pair:
    log_abs_dets = []
    for layer in layers:
        z, log_abs_det = planar(z, *layer)
        log_abs_dets.append(log_abs_det)
    return z, torch.stack(log_abs_dets).sum(0)


bank.reason(
    "Which dtype has your sum before the first layer and after the last one, for points in single and in double "
    "precision? Try two layers, and none."
)


@bank.mistake("the sum begins with zeros of the default precision, which is what is left where there is no layer")
def begins_in_single_precision(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = torch.zeros(len(z))
    for layer in layers:
        z, log_abs_det = planar(z, *layer)
        total = total + log_abs_det
    return z, total


@bank.mistake("the sum begins with zeros in double precision, whatever the points are in")
def begins_in_double_precision(layers: Sequence[Layer], z: Tensor) -> Pair:
    z, total = composition.compose(layers, z)
    return z, torch.zeros(len(z), dtype=torch.float64) + total


bank.reason(
    "Give your function a single layer, once with w.u = -5 and once with w = 0. Which part that you wrote before "
    "knows what has to come out, and does this come out?"
)


@bank.mistake("u is used as it is, so that no layer is constrained")
def forgets_the_constraint(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for u, w, b in layers:
        h = torch.tanh((w * z).sum(-1) + b)
        z = z + u * h.unsqueeze(-1)
        total = total + torch.log(torch.abs(1 + (1 - h**2) * (w * u).sum(-1)))
    return z, total


@bank.mistake("m(w.u) stands for w.u_hat in the log-determinants, which is not the same where w is 0")
def takes_m_for_the_dot_product(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for u, w, b in layers:
        h = torch.tanh((w * z).sum(-1) + b)
        z = z + constrain_u(u, w) * h.unsqueeze(-1)
        total = total + torch.log1p((1 - h**2) * (F.softplus((w * u).sum(-1)) - 1))
    return z, total


@bank.mistake("layers with w = 0 are skipped, though they still shift by u tanh(b)")
def skips_layers_without_direction(layers: Sequence[Layer], z: Tensor) -> Pair:
    return composition.compose([layer for layer in layers if bool(layer[1].any())], z)


bank.reason(
    "Move the u of the first layer a little: which of the later points and log-determinants move with it? Follow the "
    "way back from each of them to the caller's layer, and see where it is cut."
)


@bank.mistake("the layers are copied into new parameters, so that no gradient reaches the caller's")
def copies_the_layers(layers: Sequence[Layer], z: Tensor) -> Pair:
    copies = [[nn.Parameter(t.detach().clone()) for t in layer] for layer in layers]
    return composition.compose([(u, w, b) for u, w, b in copies], z)


@bank.mistake("the point is detached between layers, so that no gradient passes through more than one")
def detaches_between_layers(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for layer in layers:
        z, log_abs_det = planar(z.detach() if layer is not layers[0] else z, *layer)
        total = total + log_abs_det
    return z, total


@bank.mistake("the points at which the log-determinants are taken are detached from the layers before them")
def detaches_the_determinants_from_the_points(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for layer in layers:
        total = total + planar(z.detach(), *layer)[1]
        z, _ = planar(z, *layer)
    return z, total


bank.reason(
    "Look at the caller's tensors and at the caller's list of layers after your call. Are they as they were, and "
    "would a second call begin with the same?"
)


@bank.mistake("the points are added to in place, which changes the caller's z")
def adds_in_place(layers: Sequence[Layer], z: Tensor) -> Pair:
    points, total = composition.compose(layers, z.clone())
    z.data.copy_(points)
    return points, total


@bank.mistake("the layers are taken out of the caller's list one by one")
def empties_the_list(layers: list[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    while layers:
        z, log_abs_det = planar(z, *layers.pop(0))
        total = total + log_abs_det
    return z, total


@bank.mistake("the caller's list of layers is left in reversed order")
def reverses_the_list(layers: list[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    layers.reverse()
    for layer in reversed(layers):
        z, log_abs_det = planar(z, *layer)
        total = total + log_abs_det
    return z, total


bank.reason(
    "Write down the shapes of u, w and b for layers that all points share, and for layers of each point's own. Which "
    "axis holds the features in both?"
)


@bank.mistake("the sums run along the second axis, which fails for shared layers, as they have one axis")
def takes_own_layers_only(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for u, w, b in layers:
        u_hat, h = constrain_u(u, w), torch.tanh((w * z).sum(1) + b)
        z = z + u_hat * h.unsqueeze(1)
        total = total + torch.log1p((1 - h**2) * (w * u_hat).sum(1))
    return z, total


@bank.mistake("w.z is taken as a product of a matrix and a vector, which is right for shared layers only")
def takes_shared_layers_only(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for u, w, b in layers:
        u_hat, h = constrain_u(u, w), torch.tanh(torch.mv(z, w) + b)
        z = z + torch.outer(h, u_hat)
        total = total + torch.log1p((1 - h**2) * torch.dot(w, u_hat))
    return z, total


bank.reason(
    "Count for 1000 features and 32 layers: how many entries has your largest tensor, how often is each layer "
    "applied, and can a gradient come back? Then count what one layer after another needs."
)


@bank.mistake("autograd finds the Jacobian of the whole map, without keeping a graph")
def asks_autograd_for_the_whole(layers: Sequence[Layer], z: Tensor) -> Pair:
    jacobian = torch.autograd.functional.jacobian(lambda points: _points(layers, points).sum(0), z)
    return _points(layers, z), torch.linalg.slogdet(jacobian.transpose(0, 1)).logabsdet


@bank.mistake("the determinants are those of d x d Jacobians, which cost the cube of d")
def forms_the_jacobians(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for u, w, b in layers:
        u_hat, h = constrain_u(u, w), torch.tanh((w * z).sum(-1) + b)
        psi = (1 - h**2).unsqueeze(-1) * w
        jacobian = torch.eye(z.shape[1], dtype=z.dtype) + u_hat.unsqueeze(-1) * psi.unsqueeze(-2)
        z = z + u_hat * h.unsqueeze(-1)
        total = total + torch.linalg.slogdet(jacobian).logabsdet
    return z, total


@bank.mistake("for every layer all layers before it are applied again, which costs the square of k")
def begins_again_for_every_layer(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for i, layer in enumerate(layers):
        total = total + planar(_points(layers[:i], z), *layer)[1]
    return _points(layers, z), total


bank.reason(
    "Take w.z + b = 1000, then w.u = 1000, then w = 0, and write down every number on the way, also those that you do "
    "not choose. Which of them are infinite or nan, and what is their derivative?"
)


@bank.mistake("the derivative of tanh is taken as 1 / cosh^2, whose gradient is nan where cosh overflows")
def squares_the_cosh(layers: Sequence[Layer], z: Tensor) -> Pair:
    return _inlined(layers, z, _step, lambda a, wu: torch.log(torch.abs(1 + wu / torch.cosh(a) ** 2)))


@bank.mistake("the case of w = 0 is chosen after the division, so that its gradient is nan")
def chooses_after_dividing(layers: Sequence[Layer], z: Tensor) -> Pair:
    def step(u: Tensor, w: Tensor, wu: Tensor, ww: Tensor) -> Tensor:
        return torch.where(ww > 0, u + (F.softplus(wu) - 1 - wu) / ww * w, u)

    return _inlined(layers, z, step, _log_det)


@bank.mistake("m(w.u) is computed with an exponential that overflows where w.u is large")
def exponentiates_directly(layers: Sequence[Layer], z: Tensor) -> Pair:
    def step(u: Tensor, w: Tensor, wu: Tensor, ww: Tensor) -> Tensor:
        return u + (torch.log(1 + torch.exp(wu)) - 1 - wu) / torch.where(ww > 0, ww, 1.0) * w

    return _inlined(layers, z, step, _log_det)


@bank.pair("reverses_the_order", "subtracts_the_log_determinants")
def reverses_the_order_and_subtracts_the_log_determinants(layers: Sequence[Layer], z: Tensor) -> Pair:
    z, total = composition.compose(layers[::-1], z)
    return z, -total


@bank.pair("applies_every_layer_to_the_first_point", "keeps_the_last_log_determinant")
def applies_every_layer_to_the_first_point_and_keeps_the_last_log_determinant(
    layers: Sequence[Layer], z: Tensor
) -> Pair:
    return planar(z, *layers[-1]) if layers else (z, _zeros(z))


@bank.pair("evaluates_at_the_image", "subtracts_the_log_determinants")
def evaluates_at_the_image_and_subtracts_the_log_determinants(layers: Sequence[Layer], z: Tensor) -> Pair:
    z, total = evaluates_at_the_image(layers, z)
    return z, -total


@bank.pair("forgets_the_constraint", "takes_shared_layers_only")
def forgets_the_constraint_and_takes_shared_layers_only(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = _zeros(z)
    for u, w, b in layers:
        h = torch.tanh(torch.mv(z, w) + b)
        z = z + torch.outer(h, u)
        total = total + torch.log(torch.abs(1 + (1 - h**2) * torch.dot(w, u)))
    return z, total


@bank.alternative("each layer written out, with the absolute value of the determinant")
def written_out(layers: Sequence[Layer], z: Tensor) -> Pair:
    return _inlined(layers, z, _step, _log_det)


@bank.alternative("layer after layer with planar, and a sum that begins with zeros")
def by_planar(layers: Sequence[Layer], z: Tensor) -> Pair:
    total = torch.zeros(z.shape[0], dtype=z.dtype)
    for u, w, b in layers:
        z, log_abs_det = planar(z, u, w, b)
        total = total + log_abs_det
    return z, total


@bank.alternative("by recursion: one layer, and then the flow of the others")
def by_recursion(layers: Sequence[Layer], z: Tensor) -> Pair:
    if len(layers) == 0:
        return z.clone(), z.new_zeros(len(z))
    first, *others = layers
    z, log_abs_det = planar(z, *first)
    z, rest = by_recursion(others, z)
    return z, log_abs_det + rest


@bank.alternative("the logarithm is taken once, of the product of the determinants")
def by_the_product(layers: Sequence[Layer], z: Tensor) -> Pair:
    product = torch.ones_like(z).select(1, 0)
    for u, w, b in layers:
        u_hat = constrain_u(u, w)
        h = torch.tanh(torch.einsum("bd,bd->b", z, w.expand_as(z)) + b)
        product = product * (1 + (1 - h**2) * (u_hat * w).sum(-1))
        z = torch.addcmul(z, u_hat, h[:, None])
    return z, product.abs().log()


@bank.alternative("one instance after another, each with its own part of the layers")
def by_instances(layers: Sequence[Layer], z: Tensor) -> Pair:
    rows = []
    for i, row in enumerate(z.split(1)):
        own = [(u[i], w[i], b[i]) if u.dim() == 2 else (u, w, b) for u, w, b in layers]
        rows.append(composition.compose(own, row))
    points, log_abs_dets = zip(*rows, strict=True)
    return torch.cat(points), torch.cat(log_abs_dets)


@bank.alternative("all points are kept, and the log-determinants of all layers are taken at once at the end")
def by_keeping_all_points(layers: Sequence[Layer], z: Tensor) -> Pair:
    kept = [z]
    for layer in layers:
        kept.append(planar(kept[-1], *layer)[0])
    if not layers:
        return z, _zeros(z)
    before = torch.stack(kept[:-1])
    u, w, b = (torch.stack(t) for t in zip(*layers, strict=True))
    if u.dim() == 2:
        u, w, b = u.unsqueeze(1), w.unsqueeze(1), b.unsqueeze(1)
    slopes = 1 - torch.tanh((w * before).sum(-1) + b) ** 2
    return kept[-1], torch.log1p(slopes * (w * constrain_u(u, w)).sum(-1)).sum(0)
