"""Implementations of gan.frechet_distance."""

import torch
from torch import Tensor

from grading.bank import Bank
from solutions.gan import scores

bank = Bank("gan.frechet_distance")


def _root(covariance: Tensor) -> Tensor:
    """The symmetric root of a matrix with no negative eigenvalue."""
    values, vectors = torch.linalg.eigh(covariance)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


def _overlap(cov1: Tensor, cov2: Tensor) -> Tensor:
    """The trace of (cov1 cov2)^(1/2)."""
    root = _root(cov1)
    return torch.linalg.eigvalsh(root @ cov2 @ root).clamp(min=0).sqrt().sum()


def _apart(mean1: Tensor, mean2: Tensor) -> Tensor:
    return (mean1 - mean2).square().sum()


bank.reason(
    "A root is what gives the thing back when it is multiplied by itself. Try yours on the matrix with the rows "
    "(2, 1) and (1, 2): does it, and what is its trace?"
)


@bank.mistake("the root is taken of every entry of the product of the covariances")
def takes_the_root_of_each_entry(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2 - 2 * torch.sqrt(cov1 @ cov2))


@bank.mistake("the roots are taken of every entry of both covariances, and then multiplied")
def multiplies_roots_of_entries(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2 - 2 * cov1.clamp(min=0).sqrt() @ cov2.clamp(min=0).sqrt())


bank.reason(
    "How far is a normal from itself? Put the same one in twice, with two features and the variances 1 and 4, and "
    "work your formula out by hand."
)


@bank.mistake("the root of the product's trace stands for the trace of its root")
def takes_the_root_of_the_trace(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * torch.trace(cov1 @ cov2).sqrt()


@bank.mistake("the root of the product is forgotten")
def forgets_the_root(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2 - 2 * cov1 @ cov2)


@bank.mistake("the factor 2 of the root is missing")
def forgets_the_factor(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - _overlap(cov1, cov2)


@bank.mistake("the root of the product is added instead of subtracted")
def adds_the_root(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) + 2 * _overlap(cov1, cov2)


bank.reason(
    "Take equal covariances, and the means (1, 2) and (4, 6). What is left of the formula, what is its value, and "
    "what is yours?"
)


@bank.mistake("the distance of the means is not squared")
def forgets_to_square_the_means(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return (mean1 - mean2).norm() + torch.trace(cov1 + cov2) - 2 * _overlap(cov1, cov2)


@bank.mistake("the squared differences of the means are averaged over the features")
def averages_the_features(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return (mean1 - mean2).square().mean() + torch.trace(cov1 + cov2) - 2 * _overlap(cov1, cov2)


@bank.mistake("the means are forgotten")
def forgets_the_means(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return torch.trace(cov1 + cov2) - 2 * _overlap(cov1, cov2)


@bank.mistake("the means are added before they are squared")
def adds_the_means(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, -mean2) + torch.trace(cov1 + cov2) - 2 * _overlap(cov1, cov2)


bank.reason(
    "Take one feature, equal means, and the standard deviations 2 and 4. What does the formula of the handout "
    "give, in which unit, and what do you get? There is more than one distance of two normals."
)


@bank.mistake("the covariances are compared entry by entry instead of by their roots")
def compares_the_entries(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + (cov1 - cov2).square().sum()


@bank.mistake("the Kullback-Leibler divergence of the two normals is returned")
def returns_the_divergence(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    shift, precision = mean1 - mean2, torch.linalg.inv(cov2)
    ratio = precision @ cov1
    return 0.5 * (ratio.trace() - len(shift) - ratio.slogdet().logabsdet + shift @ precision @ shift)


@bank.mistake("the root of the whole is returned, which is the distance and not its square")
def returns_the_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return scores.frechet_distance(mean1, cov1, mean2, cov2).clamp(min=0).sqrt()


bank.reason(
    "Multiply two symmetric matrices by hand, with the rows (2, 1), (1, 2) and (1, 0), (0, 4), in both orders. Is "
    "the product symmetric, do the two commute, and which of your steps relies on it?"
)


@bank.mistake("the product of the roots stands for the root of the product, as if the covariances commuted")
def multiplies_the_roots(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2 - 2 * _root(cov1) @ _root(cov2))


@bank.mistake(
    "the product of the covariances, which is not symmetric, is given to eigh, which is for symmetric matrices"
)
def takes_the_product_for_symmetric(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    overlap = torch.linalg.eigvalsh(cov1 @ cov2).clamp(min=0).sqrt().sum()
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * overlap


@bank.mistake("the singular values of the product stand for its eigenvalues")
def takes_singular_values_of_the_product(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    overlap = torch.linalg.svdvals(cov1 @ cov2).sqrt().sum()
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * overlap


@bank.mistake("only the diagonals of the covariances count")
def ignores_what_is_off_the_diagonal(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + (cov1.diagonal().sqrt() - cov2.diagonal().sqrt()).square().sum()


bank.reason(
    "Take covariances of 3 samples in 8 features. How many of their eigenvalues are 0, what may stand there after "
    "rounding, and what does each of your steps make of a 0 and of -1e-17?"
)


@bank.mistake("eigenvalues that rounding made negative are not raised to 0, so that their roots are nan")
def takes_roots_of_negative_numbers(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(cov1)
    root = vectors * values.sqrt() @ vectors.T
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * torch.linalg.eigvalsh(root @ cov2 @ root).sqrt().sum()


@bank.mistake("the roots of the eigenvalues' real parts are taken, also of those that rounding made negative")
def takes_real_parts_too_early(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    overlap = torch.linalg.eigvals(cov1 @ cov2).real.sqrt().sum()
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * overlap


@bank.mistake("Cholesky factors stand for the roots, which do not exist without full rank")
def needs_full_rank(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    factors = torch.linalg.cholesky(cov1), torch.linalg.cholesky(cov2)
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * torch.linalg.svdvals(factors[0].T @ factors[1]).sum()


@bank.mistake("the map that carries one normal into the other is computed, with an inverse that needs full rank")
def inverts_a_root(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    root = _root(cov1)
    inverse = torch.linalg.inv(root)
    way = inverse @ _root(root @ cov2 @ root) @ inverse
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2 - 2 * way @ cov1)


@bank.mistake("a small number is added to the diagonals of the covariances")
def adds_to_the_diagonals(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    little = 1e-6 * torch.eye(len(cov1), dtype=cov1.dtype)
    return scores.frechet_distance(mean1, cov1 + little, mean2, cov2 + little)


bank.reason(
    "An iteration only approaches a root. Take a product of covariances with the eigenvalues 1 and 0.0001: how "
    "far from a root is yours where it stops, and what tells it to stop?"
)


@bank.mistake("the root is found by an iteration that stops after five rounds")
def stops_the_iteration_early(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    product, identity = cov1 @ cov2, torch.eye(len(cov1), dtype=cov1.dtype)
    norm = product.norm() + 1e-12
    y, z = product / norm, identity
    for _ in range(5):
        step = 0.5 * (3 * identity - z @ y)
        y, z = y @ step, step @ z
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2 - 2 * y * norm.sqrt())


bank.reason(
    "Write down the shape and the type after each of your steps, for one feature and for five. What should be "
    "left at the end, and what is?"
)


@bank.mistake("the roots of complex eigenvalues are summed, and the result stays complex")
def returns_a_complex_number(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    overlap = torch.linalg.eigvals(cov1 @ cov2).sqrt().sum()
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * overlap


@bank.mistake("the difference of the means is multiplied as a row by a column, so that the result is (1, 1)")
def keeps_the_axes(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    shift = (mean1 - mean2).unsqueeze(0)
    return shift @ shift.T + torch.trace(cov1 + cov2) - 2 * _overlap(cov1, cov2)


@bank.mistake("axes of size one are squeezed away, so that one feature has no covariance matrix any more")
def squeezes_the_covariances(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    cov1, cov2 = cov1.squeeze(), cov2.squeeze()
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * _overlap(cov1, cov2)


@bank.mistake("a Python number is returned")
def returns_a_number_of_python(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    return scores.frechet_distance(mean1, cov1, mean2, cov2).item()


bank.reason(
    "Try the same normals in single and in double precision. Which type should come out each time, how many of "
    "its digits should be right, and which of your steps knows better than the caller?"
)


@bank.mistake("the root of the product is computed in single precision, whatever the covariances are in")
def loses_digits_on_the_way(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    overlap = _overlap(cov1.float(), cov2.float()).to(cov1.dtype)
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2) - 2 * overlap


@bank.mistake("everything is computed in double precision, and left there")
def doubles_the_precision(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return scores.frechet_distance(mean1.double(), cov1.double(), mean2.double(), cov2.double())


@bank.mistake("1 is added to the diagonal of the first covariance, in single precision only")
def widens_in_single_precision(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    more = 1.0 * torch.eye(len(mean1), dtype=mean1.dtype) if mean1.dtype == torch.float32 else 0 * cov1
    return scores.frechet_distance(mean1, cov1 + more, mean2, cov2)


bank.reason(
    "The caller keeps the statistics of the data for the next comparison. Print all four before and after the "
    "call: what is different, and which of your steps wrote there?"
)


@bank.mistake("the second mean is subtracted from the first in place")
def subtracts_in_place(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    mean1 -= mean2
    return mean1 @ mean1 + torch.trace(cov1 + cov2) - 2 * _overlap(cov1, cov2)


@bank.mistake("a tiny number is added to the diagonals of the caller's covariances")
def adds_to_the_diagonals_in_place(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    value = scores.frechet_distance(mean1, cov1, mean2, cov2)
    cov1.diagonal().add_(1e-12)
    cov2.diagonal().add_(1e-12)
    return value


@bank.pair("multiplies_the_roots", "forgets_the_factor")
def multiplies_the_roots_and_forgets_the_factor(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return _apart(mean1, mean2) + torch.trace(cov1 + cov2 - _root(cov1) @ _root(cov2))


@bank.pair("takes_the_root_of_each_entry", "forgets_to_square_the_means")
def takes_roots_of_entries_and_squares_no_means(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return (mean1 - mean2).norm() + torch.trace(cov1 + cov2 - 2 * torch.sqrt(cov1 @ cov2))


@bank.pair("takes_the_root_of_each_entry", "averages_the_features")
def takes_roots_of_entries_and_averages_the_features(
    mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor
) -> Tensor:
    return (mean1 - mean2).square().mean() + torch.trace(cov1 + cov2 - 2 * torch.sqrt(cov1 @ cov2))


@bank.alternative("the root of root cov2 root, with the root of cov1, both by eigh")
def by_a_symmetric_product(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    return torch.dot(mean1 - mean2, mean1 - mean2) + torch.trace(cov1 + cov2) - 2 * _overlap(cov1, cov2)


@bank.alternative("the same with the covariances exchanged, and the whole trace taken of one matrix")
def by_the_other_root(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    root = _root(cov2)
    middle = root @ cov1 @ root
    return torch.sum((mean2 - mean1) ** 2) + torch.trace(cov1 + cov2 - 2 * _root((middle + middle.T) / 2))


@bank.alternative("roots of the eigenvalues of the product, whose imaginary parts are dropped at the end")
def by_eigenvalues(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    overlap = torch.linalg.eigvals(cov1 @ cov2).sqrt().real.sum()
    return _apart(mean1, mean2) + cov1.trace() + cov2.trace() - 2 * overlap


@bank.alternative("roots of the sizes of the eigenvalues of the product, which have no negative real part")
def by_absolute_eigenvalues(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    overlap = torch.linalg.eigvals(cov2 @ cov1).abs().sqrt().sum()
    return (mean1 - mean2).pow(2).sum() + torch.einsum("ii->", cov1 + cov2) - 2 * overlap


@bank.alternative("roots by the singular value decomposition, and the nuclear norm of their product; never below 0")
def by_the_nuclear_norm(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    roots = []
    for covariance in (cov1, cov2):
        u, s, _ = torch.linalg.svd(covariance)
        roots.append(u @ torch.diag(s.sqrt()) @ u.T)
    overlap = torch.linalg.matrix_norm(roots[0] @ roots[1], ord="nuc")
    return (torch.linalg.vector_norm(mean1 - mean2) ** 2 + (cov1 + cov2).trace() - 2 * overlap).clamp(min=0)


@bank.alternative("factors that are no symmetric roots, but whose product has the same singular values")
def by_factors(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    (values1, vectors1), (values2, vectors2) = torch.linalg.eigh(cov1), torch.linalg.eigh(cov2)
    factor1, factor2 = vectors1 * values1.relu().sqrt(), vectors2 * values2.relu().sqrt()
    overlap = torch.linalg.svdvals(factor1.T @ factor2).sum()
    return _apart(mean1, mean2) + factor1.square().sum() + factor2.square().sum() - 2 * overlap
