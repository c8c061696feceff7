"""How good predictions are, computed alike for all learners. labels: booleans, or 0 and 1."""
import numpy


def auc(labels, scores):
    """Chance that a positive scores above a negative, ties half."""
    labels = numpy.asarray(labels) > 0.5
    order = numpy.argsort(scores, kind="stable")
    ranks = numpy.empty(len(scores))
    ranks[order] = numpy.arange(1, len(scores) + 1)
    _, inverse, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    ranks = (numpy.bincount(inverse, weights=ranks) / counts)[inverse]
    positives = labels.sum()
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (
        positives * (len(labels) - positives)))


def middle_ranks(scores):
    """From 1; of equal scores the mean."""
    _, inverse, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    return (numpy.cumsum(counts) - (counts - 1) / 2)[inverse]


def auc_difference(labels, a, b):
    """AUC of a less that of b on the same rows, and half of its 95 % interval (DeLong et al. 1988)."""
    labels = numpy.asarray(labels) > 0.5
    parts = []  # of each: how positives do against all negatives, negatives against all positives
    for scores in (numpy.asarray(a), numpy.asarray(b)):
        ranks = middle_ranks(scores)
        ones, zeros = ranks[labels], ranks[~labels]
        parts.append(((ones - middle_ranks(scores[labels])) / len(zeros),
                      1 - (zeros - middle_ranks(scores[~labels])) / len(ones)))
    ones, zeros = (x - y for x, y in zip(*parts))
    half = 1.96 * (ones.var(ddof=1) / len(ones) + zeros.var(ddof=1) / len(zeros)) ** 0.5
    return float(ones.mean()), float(half)


def log_loss(labels, p):
    p = numpy.clip(numpy.asarray(p, dtype=float), 1e-15, 1 - 1e-15)
    return float(-numpy.mean(numpy.where(numpy.asarray(labels) > 0.5, numpy.log(p),
                                         numpy.log(1 - p))))
