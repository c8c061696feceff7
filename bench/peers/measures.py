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


def log_loss(labels, p):
    p = numpy.clip(numpy.asarray(p, dtype=float), 1e-15, 1 - 1e-15)
    return float(-numpy.mean(numpy.where(numpy.asarray(labels) > 0.5, numpy.log(p),
                                         numpy.log(1 - p))))
