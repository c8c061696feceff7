#!/usr/bin/env python3
"""Which headline of a test wins, and how often each is clicked: Attune beside LightGBM and a
logistic regression of differences, on the headline tests of upworthy.

  python3 -m venv peers && peers/bin/pip install -r bench/peers/requirements-trees.txt
  peers/bin/python bench/peers/headlines.py --data DATA                     about 10 minutes of CPU

A fifth of the tests, drawn by the hash of their names, is scored once; of the rest another fifth says
when to stop and which of four settings is best by pairs in the right order (Attune holds back groups
of its own, and chooses among as many). Peers get the words of headline, lede and excerpt that ten rows
or more have as columns, and the number of words of each, and LightGBM once more the rates of words
that Attune's trees see; Attune what it derives from the table by
itself. A pair is of two arms of one test; it is told apart where |z| of the two rates is above 1.96.
Equal scores count half. Intervals: 95 %, bootstrap over tests. One thread each."""
import argparse, csv, gzip, hashlib, json, os, pathlib, platform, subprocess, sys, tempfile, warnings

import lightgbm, numpy
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXTS = ("headline", "lede", "excerpt")
OURS = [{}, {"depth": 4}, {"depth": 3, "learning_rate": 0.03}, {"depth": 4, "column_share": 0.3}]
LIGHTGBM = [{"num_leaves": 31}, {"num_leaves": 15}, {"num_leaves": 7, "learning_rate": 0.03},
            {"num_leaves": 15, "colsample_bytree": 0.3}]


def load(data):
    path = data / "upworthy-headline-ab" / "packages_train.csv.gz"
    with gzip.open(path, "rt", newline="", encoding="utf-8") as text:
        rows = [row for row in csv.DictReader(text) if int(row["impressions"]) > 0]
    tests = {}
    for row in rows:
        row["n"], row["k"] = int(row["impressions"]), int(row["clicks"])
        tests.setdefault(row["clickability_test_id"], []).append(row)
    return [arms for arms in tests.values() if len(arms) > 1]


def part_of(arms):
    """0: scored; 1: says when to stop; 2 to 4: learned from alone."""
    digest = hashlib.sha1(arms[0]["clickability_test_id"].encode()).digest()
    return 0 if digest[1] % 5 == 0 else 1 if digest[2] % 5 == 0 else 2


def flat(tests):
    return [row for arms in tests for row in arms]


def rates(rows):
    return numpy.array([row["k"] / row["n"] for row in rows])


def judge(tests, scores):
    """Of each test: pairs, right, pairs told apart, right, 1 / the place of its best arm."""
    out, at = [], 0
    for arms in tests:
        s, y = scores[at:at + len(arms)], rates(arms)
        at += len(arms)
        pairs = right = clear = clear_right = 0
        for a in range(len(arms)):
            for b in range(len(arms)):
                if y[a] <= y[b]:
                    continue
                is_right = 1 if s[a] > s[b] else 0.5 if s[a] == s[b] else 0
                p = (arms[a]["k"] + arms[b]["k"]) / (arms[a]["n"] + arms[b]["n"])
                error = (p * (1 - p) * (1 / arms[a]["n"] + 1 / arms[b]["n"])) ** 0.5
                pairs, right = pairs + 1, right + is_right
                if (y[a] - y[b]) / error > 1.96:
                    clear, clear_right = clear + 1, clear_right + is_right
        if pairs:
            best = int(numpy.argmax(y))
            ahead = sum((s[i] > s[best]) + 0.5 * (s[i] == s[best]) for i in range(len(arms))
                        if i != best)
            out.append((pairs, right, clear, clear_right, 1 / (1 + ahead), len(arms)))
    return numpy.array(out, dtype=float)


def measures(found):
    return numpy.array([found[:, 1].sum() / found[:, 0].sum(), found[:, 3].sum() / found[:, 2].sum(),
                        found[:, 4].mean()])


def with_intervals(found):
    rng = numpy.random.default_rng(1)
    drawn = numpy.array([measures(found[rng.integers(0, len(found), len(found))])
                         for _ in range(1000)])
    low, high = numpy.percentile(drawn, [2.5, 97.5], axis=0)
    return " | ".join(f"{m:.3f} ({a:.3f} to {b:.3f})" for m, a, b in zip(measures(found), low, high))


class Words:
    """Rows as columns of words, learned from these rows."""
    def __init__(self, rows):
        self.words = {name: CountVectorizer(binary=True, min_df=10, token_pattern=r"\S+")
                      .fit(row[name] for row in rows) for name in TEXTS}

    def __call__(self, rows):
        parts = [self.words[name].transform(row[name] for row in rows) for name in TEXTS]
        counts = [[len(row[name].split()) for name in TEXTS] for row in rows]
        return sparse.hstack([*parts, sparse.csr_matrix(counts, dtype=numpy.float64)]).tocsr()


def grades(tests):
    """LightGBM takes whole numbers: the place of each arm, the best 4 or less."""
    return numpy.concatenate([numpy.minimum(rates(arms).argsort().argsort(), 4) for arms in tests])


class Rates:
    """What Attune's trees see: of each text the mean, over its words, of how much arms with that word
    were above their test, and how often it was seen; a test that is learned from does not see itself."""
    PRIOR = 10

    def __init__(self, tests):
        self.sums = {}
        for arms in tests:
            self.count(arms, self.sums)
        self.known = {id(arms) for arms in tests}

    def words(self, row):
        for name in (*TEXTS, "eyecatcher_id"):
            yield name, set(row[name].split())

    def count(self, arms, to):
        y = rates(arms)
        for row, above in zip(arms, (y - y.mean()) / 0.006):
            for name, words in self.words(row):
                for word in words:
                    n, total = to.get((name, word), (0, 0))
                    to[name, word] = n + 1, total + above

    def __call__(self, tests):
        out = []
        for arms in tests:
            own = {}
            if id(arms) in self.known:
                self.count(arms, own)
            for row in arms:
                cells = []
                for name, words in self.words(row):
                    of = []
                    for word in words:
                        n, total = self.sums.get((name, word), (0, 0))
                        m, part = own.get((name, word), (0, 0))
                        of.append(((total - part) / (n - m + self.PRIOR), numpy.log1p(n - m)))
                    cells += [*numpy.mean(of, axis=0)] if of else [0, -1]
                    cells.append(len(row[name].split()))
                out.append(cells)
        return numpy.array(out)


def ranked_by_rates(learned, held, scored):
    return lambdarank(learned, held, scored, Rates(learned))


def lambdarank(learned, held, scored, made=None):
    words = Words(flat(learned))
    features = made or (lambda tests: words(flat(tests)))
    best = None
    for settings in LIGHTGBM:
        model = lightgbm.LGBMRanker(n_estimators=1000, n_jobs=1, verbose=-1, subsample=0.8,
                                    subsample_freq=1, **{"learning_rate": 0.05, **settings})
        model.fit(features(learned), grades(learned), group=[len(a) for a in learned],
                  eval_set=[(features(held), grades(held))], eval_group=[[len(a) for a in held]],
                  eval_at=[10], callbacks=[lightgbm.early_stopping(50, verbose=False)])
        right = measures(judge(held, model.predict(features(held))))[0]
        if best is None or right > best[0]:
            best = right, settings, model
    return best[2].predict(features(scored)), best[1]


def differences(learned, held, scored):
    """The reference of the data's own description: TF-IDF of headlines, told-apart pairs."""
    tests = learned + held
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3).fit(r["headline"] for r in flat(tests))
    x = words.transform(r["headline"] for r in flat(tests))
    left, right, at = [], [], 0
    for arms in tests:
        y = rates(arms)
        for a in range(len(arms)):
            for b in range(len(arms)):
                p = (arms[a]["k"] + arms[b]["k"]) / (arms[a]["n"] + arms[b]["n"])
                error = max((p * (1 - p) * (1 / arms[a]["n"] + 1 / arms[b]["n"])) ** 0.5, 1e-12)
                if (y[a] - y[b]) / error > 1.96:
                    left.append(at + a), right.append(at + b)
        at += len(arms)
    pairs = x[left] - x[right]
    model = LogisticRegression(max_iter=1000, fit_intercept=False)
    model.fit(sparse.vstack([pairs, -pairs]), [1] * len(left) + [0] * len(left))
    return words.transform(r["headline"] for r in flat(scored)) @ model.coef_[0], {}


class Ours:
    def __init__(self, attune, work):
        self.attune, self.work = attune, work

    def write(self, name, rows, columns):
        with open(self.work / name, "w", newline="") as out:
            table = csv.writer(out)
            table.writerow(["test", *TEXTS, "image", "week", *columns])
            for row, cells in rows:
                table.writerow([row["clickability_test_id"], *(row[t] for t in TEXTS),
                                row["eyecatcher_id"], row["test_week"], *cells])
        return self.work / name

    def run(self, *arguments):
        return subprocess.run([self.attune, *map(str, arguments)], check=True, capture_output=True,
                              text=True).stdout

    def scores(self, path):
        out = self.run("predict", path, "--model", self.work / "m.attune")
        return numpy.array([float(line) for line in out.split()])

    def ranking(self, learned, held, scored):
        def learn(tests, judged, settings):
            table = lambda name, t: self.write(name, [(r, [r["k"] / r["n"]]) for r in flat(t)], ["ctr"])
            path = table("judged.csv", judged)
            self.run("train", table("learned.csv", tests), "--target", "ctr", "--kind", "trees",
                     "--group", "test", "--drop", "week", "--test", path, "--output",
                     self.work / "m.attune", "--json",
                     *(w for n, v in settings.items() for w in ("--set", f"{n}={v}")))
            return self.scores(path)
        best = max(OURS, key=lambda s: measures(judge(held, learn(learned, held, s)))[0])
        return learn(learned + held, scored, best), best

    def clicks(self, kind, learned, scored, *arguments):
        """A row for the clicks of an arm and one for the rest, weighed by how many."""
        both = [(row, [label, n]) for row in flat(learned)
                for label, n in ((1, row["k"]), (0, row["n"] - row["k"])) if n > 0]
        mean = sum(cells[1] for _, cells in both) / len(both)  # learners expect weights of about 1
        both = [(row, [label, n / mean]) for row, (label, n) in both]
        plain = self.write("arms.csv", [(row, [0, 1]) for row in flat(scored)], ["click", "rows"])
        self.run("train", self.write("clicks.csv", both, ["click", "rows"]), "--target", "click",
                 "--positive", "1", "--weight", "rows", "--kind", kind, "--time-column", "none",
                 "--drop", "test", "--output", self.work / "m.attune", "--json", *arguments)
        return self.scores(plain)


    def clicks_as_rates(self, learned, scored):
        """The same as a number: a row for each arm, weighed by its impressions."""
        rows = flat(learned)
        mean = numpy.mean([row["n"] for row in rows])
        table = lambda name, cells: self.write(name, cells, ["ctr", "rows"])
        path = table("judged.csv", [(r, [r["k"] / r["n"], 1]) for r in flat(scored)])
        self.run("train", table("learned.csv", [(r, [r["k"] / r["n"], r["n"] / mean]) for r in rows]),
                 "--target", "ctr", "--weight", "rows", "--kind", "trees", "--set", "rounds=600",
                 "--set", "depth=4", "--test", path, "--drop", "test", "--time-column", "none",
                 "--output", self.work / "m.attune", "--json")
        return self.scores(path)


def peer_clicks(learned, held, scored):
    words = Words(flat(learned))

    def both(tests):
        rows = flat(tests)
        x = words(rows)
        week = sparse.csr_matrix([[float(r["test_week"])] for r in rows])
        x = sparse.hstack([x, week]).tocsr()
        y = numpy.repeat([1, 0], len(rows))
        w = numpy.array([r["k"] for r in rows] + [r["n"] - r["k"] for r in rows], dtype=float)
        return sparse.vstack([x, x]).tocsr(), y, w, x
    x, y, w, _ = both(learned)
    hx, hy, hw, _ = both(held)
    model = lightgbm.LGBMClassifier(n_estimators=1000, n_jobs=1, verbose=-1, learning_rate=0.05,
                                    num_leaves=15, subsample=0.8, subsample_freq=1)
    model.fit(x, y, sample_weight=w / w.mean(), eval_set=[(hx, hy)], eval_sample_weight=[hw],
              callbacks=[lightgbm.early_stopping(50, verbose=False)])
    return model.predict_proba(both(scored)[3])[:, 1]


def click_line(name, scored, p):
    rows = flat(scored)
    y = numpy.repeat([1, 0], len(rows))
    w = numpy.array([r["k"] for r in rows] + [r["n"] - r["k"] for r in rows], dtype=float)
    p = numpy.clip(numpy.concatenate([p, p]), 1e-7, 1 - 1e-7)
    return (f"| {name} | {roc_auc_score(y, p, sample_weight=w):.4f} | "
            f"{log_loss(y, p, sample_weight=w):.5f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    parts = [[], [], []]
    for arms in load(options.data):
        parts[part_of(arms)].append(arms)
    scored, held, learned = parts
    ours = Ours(options.build.resolve() / "attune",
                pathlib.Path(tempfile.mkdtemp(prefix="attune-headlines-")))
    print(f"{os.cpu_count()} cores, {platform.platform()}; tests: {len(learned)} learned from, "
          f"{len(held)} held back, {len(scored)} scored\n")
    print("| learner | pairs in the right order | pairs told apart | 1 / place of the best |\n"
          "|---|---:|---:|---:|", flush=True)
    chance = numpy.random.default_rng(2).random(len(flat(scored)))
    longest = numpy.array([len(row["headline"]) for row in flat(scored)], dtype=float)
    print(f"| any order | {with_intervals(judge(scored, chance))} |")
    print(f"| the longest headline first | {with_intervals(judge(scored, longest))} |", flush=True)
    for name, learner in (("attune trees, ranking", ours.ranking),
                          (f"LightGBM {lightgbm.__version__} lambdarank, words", lambdarank),
                          (f"LightGBM {lightgbm.__version__} lambdarank, rates of words", ranked_by_rates),
                          ("logistic regression of TF-IDF differences", differences)):
        scores, settings = learner(learned, held, scored)
        print(f"| {name} | {with_intervals(judge(scored, scores))} |", flush=True)
        print(f"headlines: {name}: {settings}", file=sys.stderr)
    print("\n| clicks of each impression | AUC | log loss |\n|---|---:|---:|")
    rows = flat(learned + held)
    mean = sum(r["k"] for r in rows) / sum(r["n"] for r in rows)
    print(click_line("always the mean", scored, numpy.full(len(flat(scored)), mean)))
    for kind in ("ftrl", "fm", "trees"):
        print(click_line(f"attune {kind}", scored, ours.clicks(kind, learned + held, scored)),
              flush=True)
    print(click_line("attune trees, of the rate", scored,
                     ours.clicks_as_rates(learned + held, scored)), flush=True)
    print(click_line("LightGBM", scored, peer_clicks(learned, held, scored)))


main()
