"""Implementations of gan.spectral_norm."""

import torch
import torch.nn.functional as F
from torch import Tensor

from grading.bank import Bank
from solutions.gan import spectral_norm as reference

bank = Bank("gan.spectral_norm")
Pair = tuple[Tensor, Tensor]


def _unit(x: Tensor) -> Tensor:
    return x / x.norm()


@torch.no_grad()
def _iterated(matrix: Tensor, u: Tensor, num_iterations: int) -> Pair:
    """The new u, and v."""
    for _ in range(num_iterations):
        u = _unit(matrix @ (matrix.T @ u))
    return u, _unit(matrix.T @ u)


bank.reason(
    "Take the matrix with the rows (1, 1) and (1, -1). By how much does it make a vector longer, (1, 0) say, or "
    "any other, and by which number do you divide?"
)


@bank.mistake("the weight is divided by its Frobenius norm, the root of the sum of all squares")
def takes_the_frobenius_norm(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return weight / weight.norm(), _iterated(weight.flatten(1), u, num_iterations)[0]


@bank.mistake("the weight is divided by its largest entry")
def takes_the_largest_entry(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return weight / weight.abs().max(), _iterated(weight.flatten(1), u, num_iterations)[0]


@bank.mistake("the weight is divided by the largest sum of a row's magnitudes")
def takes_the_largest_row(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    return weight / matrix.abs().sum(1).max(), _iterated(matrix, u, num_iterations)[0]


bank.reason(
    "Take a kernel of the shape (16, 3, 5, 5). How many rows and columns has W, which entries of the kernel stand "
    "in its first row, and which products fit a u of 16 entries and lead back to one?"
)


@bank.mistake(
    "singular values are taken of the last two axes of the weight as it is: of a convolution this is another norm"
)
def takes_the_norm_of_the_axes(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    sigma = torch.linalg.vector_norm(torch.linalg.matrix_norm(weight, ord=2))
    return weight / sigma, _iterated(weight.flatten(1), u, num_iterations)[0]


@bank.mistake("the weight is reshaped to (..., out) and transposed, which mixes the entries up")
def permutes_the_axes(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.reshape(-1, len(weight)).T
    u, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v), u


@bank.mistake("only the last axis makes the columns, so that a convolution's rows are (out, in, height)")
def flattens_to_the_last_axis(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.reshape(-1, weight.shape[-1])
    u, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v), u


@bank.mistake("the matrix is transposed, as it would be for a transposed convolution")
def transposes_the_matrix(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1).T
    u, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v), u


@bank.mistake("an iteration multiplies u by W and never by its transpose, which needs a square weight")
def multiplies_by_the_weight_only(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    with torch.no_grad():
        for _ in range(num_iterations):
            u = _unit(matrix @ u)
        v = _unit(matrix.T @ u)
    return weight / (u @ matrix @ v), u


bank.reason(
    "Take a weight of one single number, W = 3, and u = 1, and work out v, the new u and sigma by hand. Which of "
    "them have the length 1, by how much does W make a vector longer, and where do yours differ?"
)


@bank.mistake("v is brought to the length 1 and u is not")
def normalises_v_only(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    with torch.no_grad():
        for _ in range(num_iterations):
            u = matrix @ _unit(matrix.T @ u)
        v = _unit(matrix.T @ u)
    return weight / (u @ matrix @ v), u


@bank.mistake("the new u is returned before it is brought to the length 1")
def returns_u_before_it_is_normalised(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, new = reference.spectral_norm(weight, u, num_iterations)
    with torch.no_grad():
        length = (weight.flatten(1).T @ new).norm() if num_iterations else 1.0
    return normalised, new * length


@bank.mistake("v is not brought to the length 1, so that sigma is the square of what it should be")
def forgets_to_normalise_v(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, _ = _iterated(matrix, u, num_iterations)
    return weight / (u @ (matrix @ (matrix.T @ u).detach())), u


@bank.mistake("sigma is the eigenvalue of W W^T, whose root is not taken")
def forgets_the_root(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, _ = _iterated(matrix, u, num_iterations)
    return weight / (matrix.T @ u).square().sum(), u


bank.reason(
    "What is the largest singular value of the weight that you return, if sigma was 3, and if it was 0.5? What "
    "should it be, and to how many digits?"
)


@bank.mistake("the weight is divided by the root of sigma")
def divides_by_the_root(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v).sqrt(), u


@bank.mistake("the weight is multiplied by sigma")
def multiplies_by_sigma(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, v = _iterated(matrix, u, num_iterations)
    return weight * (u @ matrix @ v), u


@bank.mistake("weights with sigma below 1 are left as they are")
def shrinks_only(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v).clamp(min=1.0), u


@bank.mistake("1e-4 is added to sigma against a division by zero")
def adds_to_sigma(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v + 1e-4), u


bank.reason(
    "Write the row u0, u1, u2, u3, each made of the one before, with the given u as u0. For 0, 1 and 3 "
    "iterations, which of them should sigma be computed with and which be returned? Find yours in that row."
)


@bank.mistake("one iteration is made, whatever their number")
def iterates_once(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return reference.spectral_norm(weight, u, 1)


@bank.mistake("each iteration begins with the first u")
def begins_anew_each_time(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return reference.spectral_norm(weight, u, min(num_iterations, 1))


@bank.mistake("at least one iteration is made, in evaluation too")
def iterates_in_evaluation(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return reference.spectral_norm(weight, u, max(num_iterations, 1))


@bank.mistake("u is iterated once more after sigma has been computed")
def iterates_once_more(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, u = reference.spectral_norm(weight, u, num_iterations)
    return normalised, _iterated(weight.detach().flatten(1), u, 1)[0]


@bank.mistake("the power iteration begins with new noise, not with u")
def begins_with_noise(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return reference.spectral_norm(weight, _unit(torch.randn_like(u)), num_iterations)


@bank.mistake("the exact singular value is computed, whatever u is")
def computes_it_exactly(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    return weight / torch.linalg.matrix_norm(matrix, ord=2), _iterated(matrix, u, num_iterations)[0]


@bank.mistake("u is iterated for sigma, and the old one returned")
def returns_the_old_u(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return reference.spectral_norm(weight, u, num_iterations)[0], u


@bank.mistake("sigma is computed with the old u and the new v")
def takes_the_old_u_for_sigma(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    new, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v), new


bank.reason(
    "The caller unpacks two things and hands the second in again at the next call. What are they, what are their "
    "shapes, and is that so for 0 iterations too?"
)


@bank.mistake("the weight is returned as the matrix, and not in its own shape")
def returns_the_matrix(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, u = reference.spectral_norm(weight, u, num_iterations)
    return normalised.flatten(1), u


@bank.mistake("u is returned as a column, (out, 1)")
def returns_a_column(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, u = reference.spectral_norm(weight, u, num_iterations)
    return normalised, u.unsqueeze(1)


@bank.mistake("the new u is not returned, so that the caller begins anew each time")
def returns_the_weight_alone(weight: Tensor, u: Tensor, num_iterations: int) -> Tensor:
    return reference.spectral_norm(weight, u, num_iterations)[0]


@bank.mistake("sigma is returned too, between the weight and u")
def returns_sigma_too(weight: Tensor, u: Tensor, num_iterations: int) -> tuple[Tensor, Tensor, Tensor]:
    matrix = weight.flatten(1)
    u, v = _iterated(matrix, u, num_iterations)
    sigma = u @ matrix @ v
    return weight / sigma, sigma, u


@bank.mistake("sigma is returned in the place of u")
def returns_sigma(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, v = _iterated(matrix, u, num_iterations)
    sigma = u @ matrix @ v
    return weight / sigma, sigma


@bank.mistake("v is returned in the place of u")
def returns_v(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v), v


@bank.mistake("no u is returned where no iteration is made, as there is no new one")
def returns_none_in_evaluation(weight: Tensor, u: Tensor, num_iterations: int) -> tuple[Tensor, Tensor | None]:
    normalised, new = reference.spectral_norm(weight, u, num_iterations)
    return normalised, new if num_iterations else None


bank.reason(
    "u, v and sigma all follow from the weight. Which of them does the docstring call constants, and which are "
    "constants for the gradient in yours? Follow the graph of both things that you return."
)


@bank.mistake("the gradient flows through the power iteration, into u and v")
def differentiates_the_iteration(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    for _ in range(num_iterations):
        u = _unit(matrix @ (matrix.T @ u))
    v = _unit(matrix.T @ u)
    return weight / (u @ matrix @ v), u


@bank.mistake("the gradient flows through u and v, and only the u that is returned is detached")
def detaches_the_result_only(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, u = differentiates_the_iteration(weight, u, num_iterations)
    return normalised, u.detach()


@bank.mistake("the u that is returned has a graph, which grows from call to call")
def returns_u_with_a_graph(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, _ = reference.spectral_norm(weight, u, num_iterations)
    return normalised, differentiates_the_iteration(weight, u, num_iterations)[1]


@bank.mistake("sigma is computed with a u that is half an iteration further and is not a constant")
def iterates_outside_no_grad(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    new, _ = _iterated(matrix, u, num_iterations)
    v = _unit(matrix.T @ new)
    along = _unit(matrix @ v)
    return weight / (along @ matrix @ v), new


bank.reason(
    "Take a weight of one single number, W. What is W / sigma, how does it change when W grows a little, and what "
    "does your gradient say to that?"
)


@bank.mistake("sigma is detached, so that the weight's length is free to grow")
def detaches_sigma(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    u, v = _iterated(matrix, u, num_iterations)
    return weight / (u @ matrix @ v).detach(), u


@bank.mistake("the weight is taken through .data, so that no gradient reaches it")
def takes_the_data(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return reference.spectral_norm(weight.data, u, num_iterations)


bank.reason(
    "Call the function twice with the same tensors. Should the second answer be the first one, and what did the "
    "first call write into the caller's tensors?"
)


@bank.mistake("the new u is written into the caller's, which an earlier call's graph may need")
def overwrites_u(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, new = reference.spectral_norm(weight, u.clone(), num_iterations)
    return normalised, u.copy_(new)


@bank.mistake("the weight is divided in place, again at every call")
def divides_in_place(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, u = reference.spectral_norm(weight.clone(), u, num_iterations)
    weight.data.copy_(normalised.data)
    return normalised, u


bank.reason(
    "Try the same weight in single and in double precision: which type should come out each time, and what did "
    "you ask for yourself?"
)


@bank.mistake("everything is computed in double precision, and left there")
def works_in_double_precision(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return reference.spectral_norm(weight.double(), u.double(), num_iterations)


@bank.pair("differentiates_the_iteration", "iterates_once")
def differentiates_the_iteration_and_iterates_once(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    return differentiates_the_iteration(weight, u, 1)


@bank.pair("detaches_sigma", "overwrites_u")
def detaches_sigma_and_overwrites_u(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    normalised, new = detaches_sigma(weight, u.clone(), num_iterations)
    return normalised, u.copy_(new)


@bank.pair("returns_the_weight_alone", "overwrites_u")
def returns_the_weight_alone_and_overwrites_u(weight: Tensor, u: Tensor, num_iterations: int) -> Tensor:
    normalised, new = reference.spectral_norm(weight, u.clone(), num_iterations)
    u.copy_(new)
    return normalised


@bank.alternative("the two halves of an iteration in a row, with columns for vectors, as matrix products")
def with_columns(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.view(weight.size(0), -1)
    column = u.unsqueeze(1)
    with torch.no_grad():
        for _ in range(num_iterations):
            v = F.normalize(torch.mm(matrix.t(), column), dim=0)
            column = F.normalize(torch.mm(matrix, v), dim=0)
        v = F.normalize(torch.mm(matrix.t(), column), dim=0)
    sigma = torch.mm(column.t(), torch.mm(matrix, v)).squeeze()
    return weight / sigma, column.squeeze(1)


@bank.alternative("v is that from before the last update of u, as in torch's own module")
def as_torch_does(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.flatten(1)
    v = F.normalize(torch.mv(matrix.t(), u), dim=0).detach()
    for _ in range(num_iterations):
        v = F.normalize(torch.mv(matrix.t(), u), dim=0, eps=1e-12).detach()
        u = F.normalize(torch.mv(matrix, v), dim=0, eps=1e-12).detach()
    return weight / torch.dot(u, torch.mv(matrix, v)), u


@bank.alternative("the length of W^T u is sigma, whose gradient is that of u.(W v) with v constant")
def by_the_length(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.reshape(len(weight), -1)
    u, _ = _iterated(matrix.detach(), u.clone(), num_iterations)
    return weight.div(torch.linalg.vector_norm(matrix.T @ u)), u


@bank.alternative("the powers of W W^T are computed first, normalised once, and sigma is a sum of products")
def by_powers(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    matrix = weight.detach().flatten(1)
    gram = torch.linalg.matrix_power(matrix @ matrix.T, num_iterations)
    u = _unit(gram @ u)
    v = _unit(u @ matrix)
    sigma = (torch.outer(u, v) * weight.flatten(1)).sum()
    return weight * sigma.reciprocal(), u


@bank.alternative("1e-12 is added to each length, as in the paper's code")
def adds_a_little(weight: Tensor, u: Tensor, num_iterations: int) -> Pair:
    def normalised(x: Tensor) -> Tensor:
        return x / ((x**2).sum() ** 0.5 + 1e-12)

    matrix = weight.detach().flatten(1)
    for _ in range(num_iterations):
        u = normalised(matrix @ (matrix.T @ u))
    v = normalised(matrix.T @ u)
    sigma = torch.einsum("o,oi,i->", u, weight.flatten(1), v)
    return weight / sigma, u.detach()
