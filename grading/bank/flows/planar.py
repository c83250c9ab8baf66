"""Implementations of flows.planar."""

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank
from solutions.flows import planar as reference

bank = Bank("flows.planar")
constrain_u = reference.constrain_u
Pair = tuple[Tensor, Tensor]


def _height(z: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """w.z + b of each instance, (batch,)."""
    return (w * z).sum(-1) + b


def _moved(z: Tensor, u_hat: Tensor, a: Tensor) -> Tensor:
    return z + u_hat * torch.tanh(a).unsqueeze(-1)


def _log_abs_det(slope: Tensor, wu: Tensor) -> Tensor:
    return torch.log(torch.abs(1 + slope * wu))


def _slope(a: Tensor) -> Tensor:
    return 1 - torch.tanh(a) ** 2


def _autograd_log_abs_det(z: Tensor, u: Tensor, w: Tensor, b: Tensor, create_graph: bool) -> Tensor:
    def summed(points: Tensor) -> Tensor:  # over the batch, whose instances do not meet
        return _moved(points, constrain_u(u, w), _height(points, w, b)).sum(0)

    jacobian = torch.autograd.functional.jacobian(summed, z, create_graph=create_graph)
    return torch.linalg.slogdet(jacobian.transpose(0, 1)).logabsdet


bank.reason(
    "Take one feature with w = 1, b = 0 and u = -5, and follow z = -1, 0 and 1 through your layer: is their order "
    "kept? Then ask of both results which u they are about."
)


@bank.mistake("u is not constrained, so that the layer may fold the space onto itself")
def forgets_the_constraint(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = _height(z, w, b)
    return _moved(z, u, a), _log_abs_det(_slope(a), (w * u).sum(-1))


@bank.mistake("u is not constrained and no absolute value is taken, so that the logarithm is nan where the layer folds")
def forgets_constraint_and_absolute_value(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = _height(z, w, b)
    return _moved(z, u, a), torch.log(1 + _slope(a) * (w * u).sum(-1))


@bank.mistake("the points move along u instead of u_hat, so that only the log-determinant knows the constraint")
def moves_along_u(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = _height(z, w, b)
    return _moved(z, u, a), _log_abs_det(_slope(a), (w * constrain_u(u, w)).sum(-1))


@bank.mistake("the log-determinant is that of u instead of u_hat, so that only the points know the constraint")
def takes_the_determinant_of_u(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = _height(z, w, b)
    return _moved(z, constrain_u(u, w), a), _log_abs_det(_slope(a), (w * u).sum(-1))


bank.reason(
    "Put w = 0 and b = 1 into the definition of the layer: where does z go, and what is the Jacobian? Compare both "
    "with your results."
)


@bank.mistake("m(w.u) stands for w.u_hat in the log-determinant, which is not the same where w is 0")
def takes_m_for_the_dot_product(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = _height(z, w, b)
    m = F.softplus((w * u).sum(-1)) - 1
    return _moved(z, constrain_u(u, w), a), _log_abs_det(_slope(a), m)


@bank.mistake("the layer is taken for the identity where w is 0, though it still shifts by u tanh(b)")
def skips_a_layer_without_direction(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    if not bool(w.any()):
        return z.clone(), torch.zeros_like(z[:, 0])
    return reference.planar(z, u, w, b)


bank.reason(
    "u belongs to whoever called, to an optimiser that has just written it, say. What does it hold after your call, "
    "and what does the next call begin with?"
)


@bank.mistake("u is corrected in place, without a gradient, where w.u is below -1")
def corrects_u_in_place(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    with torch.no_grad():
        wu, ww = (w * u).sum(-1, keepdim=True), (w * w).sum(-1, keepdim=True)
        u += torch.where(wu < -1, F.softplus(wu) - 1 - wu, 0.0) / torch.where(ww > 0, ww, 1.0) * w
    a = _height(z, w, b)
    return _moved(z, u, a), _log_abs_det(_slope(a), (w * u).sum(-1))


@bank.mistake("the caller's u is overwritten with u_hat, though the result is right")
def overwrites_u(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    pair = reference.planar(z, u.clone(), w, b)
    u.data.copy_(constrain_u(u.detach(), w))
    return pair


bank.reason(
    "Take two points of three features, and work out w.z + b of each by hand. How many numbers are there, which "
    "entries go into each, and what does your code make of the same points?"
)


@bank.mistake("w.z is summed over the whole batch")
def sums_the_batch(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = (w * z).sum() + b.expand(len(z))
    u_hat = constrain_u(u, w)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), (w * u_hat).sum(-1))


@bank.mistake("w.z is the mean over the features instead of the sum")
def averages_features(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = (w * z).mean(-1) + b
    u_hat = constrain_u(u, w)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), (w * u_hat).sum(-1))


@bank.mistake("w.z is written out for two features, whatever their number")
def takes_two_features(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = (w * z)[:, :2].sum(1) + b
    u_hat = constrain_u(u, w)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), (w * u_hat)[..., :2].sum(-1))


@bank.mistake("tanh is taken of every feature of w z + b by itself, without a dot product")
def forgets_the_dot_product(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat = constrain_u(u, w)
    h = torch.tanh(w * z + b.unsqueeze(-1))
    return z + u_hat * h, torch.log(torch.abs(1 + ((1 - h**2) * w * u_hat).sum(-1)))


@bank.mistake("b is forgotten")
def forgets_b(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    return reference.planar(z, u, w, torch.zeros_like(b))


@bank.mistake("b is added outside of the tanh")
def adds_b_outside(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, h = constrain_u(u, w), torch.tanh((w * z).sum(-1)) + b
    return z + u_hat * h.unsqueeze(-1), _log_abs_det(1 - h**2, (w * u_hat).sum(-1))


bank.reason(
    "Take one feature, differentiate the layer by hand, and put in z = 0.5, w = 2 and b = 1. Compare every factor "
    "with yours: which function, at which argument, times what?"
)


@bank.mistake("b is forgotten in the log-determinant")
def forgets_b_in_the_determinant(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a - b), (w * u_hat).sum(-1))


@bank.mistake("the derivative of tanh is taken for 1 - tanh, without a square")
def forgets_the_square(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(1 - torch.tanh(a), (w * u_hat).sum(-1))


@bank.mistake("the derivative of tanh is taken for (1 - tanh)^2, the square of the difference")
def squares_the_difference(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det((1 - torch.tanh(a)) ** 2, (w * u_hat).sum(-1))


@bank.mistake("the leading 1 is missing in the determinant")
def forgets_the_one(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), torch.log(torch.abs(_slope(a) * (w * u_hat).sum(-1)))


@bank.mistake("tanh is applied twice in its derivative")
def applies_tanh_twice(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(torch.tanh(a)), (w * u_hat).sum(-1))


@bank.mistake("tanh stands where its derivative belongs in the log-determinant")
def forgets_to_differentiate(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(torch.tanh(a), (w * u_hat).sum(-1))


@bank.mistake("w is missing in the inner derivative, so that the entries of u_hat are summed instead of w.u_hat taken")
def forgets_the_inner_derivative(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), u_hat.sum(-1))


bank.reason(
    "Take w.z + b = 1000, and write down every number that your code computes on the way to tanh and to its slope. "
    "Which of them overflow, though tanh and slope do not?"
)


@bank.mistake("the derivative of tanh is 1 / cosh squared, whose gradient is nan where cosh overflows")
def divides_by_cosh(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(1 / torch.cosh(a) ** 2, (w * u_hat).sum(-1))


@bank.mistake("tanh is written as a quotient of exponentials, which overflow together")
def divides_exponentials(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    h = (a.exp() - (-a).exp()) / (a.exp() + (-a).exp())
    return z + u_hat * h.unsqueeze(-1), _log_abs_det(1 - h**2, (w * u_hat).sum(-1))


bank.reason(
    "Take a point around which the layer doubles lengths, in one dimension: what is the determinant, and what is its "
    "logarithm? Which of your two results should hold it, and what does it hold?"
)


@bank.mistake("the sign of the log-determinant is turned, as for the inverse of the layer")
def turns_the_sign(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    points, log_abs_det = reference.planar(z, u, w, b)
    return points, -log_abs_det


@bank.mistake("the determinant is returned, not its logarithm")
def forgets_the_logarithm(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    points, log_abs_det = reference.planar(z, u, w, b)
    return points, log_abs_det.exp()


@bank.mistake("the two results are returned in the wrong order")
def swaps_the_results(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    return reference.planar(z, u, w, b)[::-1]


bank.reason(
    "Close to folding, a determinant is 0.00001, say. What is its logarithm, and what becomes of it in your code?"
)


@bank.mistake("a small number is added inside the logarithm")
def adds_an_epsilon(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), torch.log(torch.abs(1 + _slope(a) * (w * u_hat).sum(-1)) + 1e-6)


@bank.mistake("the determinant is kept away from 0 by a bound, so that it is wrong where the layer almost folds")
def bounds_the_determinant(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), torch.log((1 + _slope(a) * (w * u_hat).sum(-1)).clamp_min(1e-3))


bank.reason(
    "Write the shape beside every intermediate result for three points of two features with a shared layer, then with "
    "layers of their own, then for one point. Which layer does each point meet, and is the log-determinant (batch,) "
    "each time?"
)


@bank.mistake("the log-determinants of the batch are summed to one number")
def sums_the_log_determinants(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    points, log_abs_det = reference.planar(z, u, w, b)
    return points, log_abs_det.sum()


@bank.mistake("the log-determinant keeps its summed axis, so that it is (batch, 1)")
def keeps_the_axis(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    points, log_abs_det = reference.planar(z, u, w, b)
    return points, log_abs_det.unsqueeze(-1)


@bank.mistake("every axis of size one is squeezed away, also the batch axis of a batch of one")
def squeezes_everything(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    points, log_abs_det = reference.planar(z, u, w, b)
    return points, log_abs_det.squeeze()


@bank.mistake("slopes of (batch, 1) meet w.u_hat of (batch,), which gives (batch, batch) for layers of one's own")
def broadcasts_the_determinant(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a).unsqueeze(-1), (w * u_hat).sum(-1)).squeeze(-1)


@bank.mistake("w.z of (batch, 1) meets b of (batch,), which gives (batch, batch) for layers of one's own")
def broadcasts_b(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat = constrain_u(u, w)
    h = torch.tanh((w * z).sum(-1, keepdim=True) + b)
    return z + u_hat * h, torch.log(torch.abs(1 + ((1 - h**2) * w * u_hat).sum(-1)))


@bank.mistake("w.z is taken as a product of a matrix and a vector, which is right for shared layers only")
def takes_shared_layers_only(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), z @ w + b
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), torch.dot(w, u_hat))


@bank.mistake("w.u_hat is summed along the second axis, which fails for a shared layer, as it has one axis")
def takes_own_layers_only(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), (w * u_hat).sum(1))


@bank.mistake("the layer of the first instance is used for all")
def takes_the_first_layer_for_all(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    return reference.planar(z, u[0], w[0], b[0]) if u.dim() == 2 else reference.planar(z, u, w, b)


bank.reason(
    "Move z, u, w and b a little, one at a time: which factors of the point and of the log-determinant change? Ask of "
    "each whether a gradient can come back through it."
)


@bank.mistake("u_hat is detached, so that no gradient reaches u")
def detaches_u_hat(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w).detach(), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), (w * u_hat).sum(-1))


@bank.mistake("the slope of tanh is held constant, so that the log-determinant trains neither b nor what made z")
def detaches_the_slope(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a).detach(), (w * u_hat).sum(-1))


@bank.mistake("w is held constant in w.u_hat, so that a part of the gradient of the log-determinant is lost")
def detaches_the_inner_derivative(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), (w.detach() * u_hat).sum(-1))


@bank.mistake("the constraint is applied without a graph: what it adds to u is a constant")
def detaches_the_constraint(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = u + (constrain_u(u, w) - u).detach(), _height(z, w, b)
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), (w * u_hat).sum(-1))


@bank.mistake("autograd finds the Jacobian without keeping a graph, so that the log-determinant trains nothing")
def asks_autograd_without_a_graph(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    return _moved(z, constrain_u(u, w), _height(z, w, b)), _autograd_log_abs_det(z, u, w, b, False)


bank.reason(
    "Count for 1000 points of 1000 features: how many entries has your largest tensor, and how often do you go "
    "through the layer? Then count what the formula of question 3.2 asks for."
)


@bank.mistake("the determinant is that of the d x d Jacobian, which costs the cube of d")
def forms_the_jacobian(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    psi = _slope(a).unsqueeze(-1) * w
    jacobian = torch.eye(z.shape[1], dtype=z.dtype) + u_hat.unsqueeze(-1) * psi.unsqueeze(-2)
    return _moved(z, u_hat, a), torch.linalg.slogdet(jacobian).logabsdet


@bank.mistake("autograd finds the Jacobian, with one backward pass for each feature")
def asks_autograd_for_each_feature(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    return _moved(z, constrain_u(u, w), _height(z, w, b)), _autograd_log_abs_det(z, u, w, b, True)


@bank.mistake("w.z is read off the diagonal of a product of all instances with all layers, a (batch, batch) matrix")
def multiplies_all_with_all(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat = constrain_u(u, w)
    a = (z @ w.expand_as(z).mT).diagonal() + b
    return _moved(z, u_hat, a), _log_abs_det(_slope(a), (w * u_hat).sum(-1))


bank.reason(
    "Let the arguments come in single precision, then in double: which dtype, and how many digits, has each of your "
    "intermediate results?"
)


@bank.mistake("the log-determinant is added to zeros in double precision, whatever the arguments are in")
def adds_to_double_precision(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    points, log_abs_det = reference.planar(z, u, w, b)
    return points, torch.zeros(len(z), dtype=torch.float64) + log_abs_det


@bank.mistake("everything is computed in single precision")
def computes_in_single_precision(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    points, log_abs_det = reference.planar(*(t.float() for t in (z, u, w, b)))
    return points.to(z.dtype), log_abs_det.to(z.dtype)


@bank.pair("forgets_the_constraint", "takes_shared_layers_only")
def forgets_the_constraint_and_takes_shared_layers_only(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = z @ w + b
    return _moved(z, u, a), _log_abs_det(_slope(a), torch.dot(w, u))


@bank.pair("forgets_the_constraint", "keeps_the_axis")
def forgets_the_constraint_and_keeps_the_axis(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = _height(z, w, b)
    return _moved(z, u, a), _log_abs_det(_slope(a), (w * u).sum(-1)).unsqueeze(-1)


@bank.pair("forgets_the_square", "turns_the_sign")
def forgets_the_square_and_turns_the_sign(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), _height(z, w, b)
    return _moved(z, u_hat, a), -_log_abs_det(1 - torch.tanh(a), (w * u_hat).sum(-1))


@bank.pair("forgets_the_constraint", "forms_the_jacobian")
def forgets_the_constraint_and_forms_the_jacobian(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    a = _height(z, w, b)
    psi = _slope(a).unsqueeze(-1) * w
    jacobian = torch.eye(z.shape[1], dtype=z.dtype) + u.unsqueeze(-1) * psi.unsqueeze(-2)
    return _moved(z, u, a), torch.linalg.slogdet(jacobian).logabsdet


@bank.alternative("as the paper writes it, with psi and the absolute value")
def by_psi(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat = constrain_u(u, w)
    h = torch.tanh((z * w).sum(dim=1, keepdim=True) + b.reshape(-1, 1))
    psi = (1 - h**2) * w
    return z + u_hat * h, torch.log(torch.abs(1 + (psi * u_hat).sum(dim=1)))


@bank.alternative("every layer is made one of each instance's own, and products are matrix products")
def by_matrix_products(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat = constrain_u(u, w).expand_as(z).unsqueeze(2)
    w = w.expand_as(z).unsqueeze(1)
    h = torch.tanh(torch.bmm(w, z.unsqueeze(2)) + b.expand(len(z)).view(-1, 1, 1))
    determinant = 1 + (1 - h.square()) * torch.bmm(w, u_hat)
    return z + (u_hat * h).squeeze(2), determinant.abs().log().flatten()


@bank.alternative("the slope of tanh by exponentials that cannot overflow")
def by_exponentials(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    u_hat, a = constrain_u(u, w), torch.einsum("bd,bd->b", z, w.expand_as(z)) + b
    e = torch.exp(-2 * a.abs())
    slope = 4 * e / (1 + e) ** 2
    return torch.addcmul(z, torch.tanh(a)[:, None], u_hat), torch.log1p(slope * (w * u_hat).sum(-1))


@bank.alternative("one instance after another, as vectors")
def by_rows(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    points, log_abs_dets = [], []
    for i, z_i in enumerate(z):
        u_i, w_i, b_i = (u[i], w[i], b[i]) if u.dim() == 2 else (u, w, b)
        u_hat, h = constrain_u(u_i, w_i), torch.tanh(torch.dot(w_i, z_i) + b_i)
        points.append(z_i + h * u_hat)
        log_abs_dets.append(torch.log(1 + (1 - h) * (1 + h) * torch.dot(w_i, u_hat)))
    return torch.stack(points), torch.stack(log_abs_dets)


@bank.alternative("autograd differentiates tanh, once for the whole batch, and keeps the graph")
def by_one_gradient(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Pair:
    z = z if z.requires_grad else z.detach().requires_grad_()
    u_hat, h = constrain_u(u, w), torch.tanh(_height(z, w, b))
    (psi,) = torch.autograd.grad(h.sum(), z, create_graph=True)
    return z + h.unsqueeze(-1) * u_hat, torch.log((1 + (psi * u_hat).sum(-1)).abs())
