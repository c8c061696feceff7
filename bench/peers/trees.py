#!/usr/bin/env python3
"""Attune's boosted trees beside LightGBM, XGBoost and scikit-learn, on tables of people.

  python3 -m venv peers && peers/bin/pip install -r bench/peers/requirements-trees.txt
  peers/bin/python bench/peers/trees.py --data DATA                         about 15 minutes of CPU
  peers/bin/python bench/peers/trees.py --data DATA --only adult --json

Five folds drawn at random. Inside the rows a fold learns from, a fifth is held back; every learner
tries as many settings there (six, below), the best by AUC learns from all of them and is scored once
on the fold. Those that stop early by rows they are handed get the fifth, and learn for as many rounds
at the end; Attune and scikit-learn hold back rows of their own. One thread each. Peers get categories
as categories, which is their own way with them. Intervals are of Student's t over the folds; with
--draws 4 the rows are divided into five in four ways, which tells more than one."""
import argparse, gzip, json, os, pathlib, platform, subprocess, sys, tempfile, time, warnings

import lightgbm, numpy, pandas, xgboost
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS, PATIENCE = 2000, 50
SAMPLED = {"subsample": 0.8, "colsample_bytree": 0.6}
ALL = {"row_share": 1, "column_share": 1}
OURS = [{}, {"column_share": 0.4}, {"depth": 6, "column_share": 0.4}, ALL,
        {**ALL, "leaves": 31, "min_weight": 10},
        {**ALL, "leaves": 31, "min_weight": 10, "column_share": 0.6}]
LGB_BINS, XGB_BINS = {"max_bin": 1023}, {"max_bin": 1024}  # ours are as many
LIGHTGBM = [{}, {**SAMPLED, "num_leaves": 15}, {**SAMPLED, "num_leaves": 63, "min_child_samples": 50},
            {"subsample": 0.8, "colsample_bytree": 0.4, "num_leaves": 31, "min_child_samples": 10},
            {**SAMPLED, "num_leaves": 23, "reg_lambda": 1, "learning_rate": 0.03, **LGB_BINS},
            {**SAMPLED, "num_leaves": 31, **LGB_BINS}]
XGBOOST = [{**SAMPLED, "max_depth": 6}, {**SAMPLED, "max_depth": 4},
           {**SAMPLED, "max_depth": 8, "min_child_weight": 10},
           {"subsample": 0.8, "colsample_bytree": 0.4, "max_depth": 6},
           {**SAMPLED, "max_depth": 5, "reg_lambda": 5, "learning_rate": 0.03, **XGB_BINS},
           {**SAMPLED, "max_depth": 12, "max_leaves": 31, "grow_policy": "lossguide",
            "min_child_weight": 10, "learning_rate": 0.03, **XGB_BINS}]
SKLEARN = [{}, {"max_leaf_nodes": 15}, {"max_leaf_nodes": 63, "min_samples_leaf": 50},
           {"max_features": 0.4, "min_samples_leaf": 10},
           {"max_leaf_nodes": 23, "l2_regularization": 5, "learning_rate": 0.03},
           {"max_features": 0.6}]
ADULT = ("age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,"
         "capital-gain,capital-loss,hours-per-week,native-country,income").split(",")


def bank(data, name):
    with gzip.open(data / "uci-bank-marketing" / f"{name}.csv.gz", "rt") as text:
        rows = pandas.read_csv(text, sep=";").drop(columns="duration")
    return rows.drop(columns="y"), (rows["y"] == "yes").to_numpy()


def adult(data):
    parts = [pandas.read_csv(data / "uci-adult" / f"adult.{part}.gz", names=ADULT,
                             skipinitialspace=True) for part in ("data", "test")]
    rows = pandas.concat(parts, ignore_index=True)
    return rows.drop(columns="income"), rows["income"].str.startswith(">50K").to_numpy()


TABLES = {"bank-full": lambda data: bank(data, "bank-full"),
          "bank-additional": lambda data: bank(data, "bank-additional-full"), "adult": adult}


def typed(rows):
    """Texts as categories, for the peers."""
    return rows.apply(lambda c: c if c.dtype.kind in "if" else c.astype("category"))


class LightGbm:
    name, settings = f"LightGBM {lightgbm.__version__}", LIGHTGBM

    def learn(self, x, y, settings, held=None, rounds=None):
        model = lightgbm.LGBMClassifier(n_estimators=rounds or ROUNDS, n_jobs=1, verbose=-1,
                                        subsample_freq=1,
                                        **{"learning_rate": 0.05, **settings})
        stop = [lightgbm.early_stopping(PATIENCE, verbose=False)] if held else []
        model.fit(x, y, eval_set=[held] if held else None, eval_metric="binary_logloss",
                  callbacks=stop)
        return model, model.best_iteration_ or rounds


class XgBoost:
    name, settings = f"XGBoost {xgboost.__version__}", XGBOOST

    def learn(self, x, y, settings, held=None, rounds=None):
        model = xgboost.XGBClassifier(n_estimators=rounds or ROUNDS, n_jobs=1, tree_method="hist",
                                      enable_categorical=True, eval_metric="logloss",
                                      early_stopping_rounds=PATIENCE if held else None, random_state=1,
                                      **{"learning_rate": 0.05, **settings})
        model.fit(x, y, eval_set=[held] if held else None, verbose=False)
        return model, model.best_iteration + 1 if held else rounds


class Sklearn:
    name, settings = "scikit-learn HistGradientBoosting", SKLEARN

    def learn(self, x, y, settings, held=None, rounds=None):
        model = HistGradientBoostingClassifier(max_iter=ROUNDS, early_stopping=True,
                                               n_iter_no_change=PATIENCE,
                                               categorical_features="from_dtype", random_state=1,
                                               **{"learning_rate": 0.05, **settings})
        return model.fit(x, y), None


class Peer:
    """One of the above, chosen and scored."""
    def __init__(self, learner):
        self.learner, self.name = learner, learner.name

    def run(self, rows, y, train, inner, held, test):
        x = typed(rows)
        best = None
        for settings in self.learner.settings:
            model, rounds = self.learner.learn(x.iloc[inner], y[inner], settings,
                                               (x.iloc[held], y[held]))
            auc = roc_auc_score(y[held], model.predict_proba(x.iloc[held])[:, 1])
            if best is None or auc > best[0]:
                best = auc, settings, rounds
        begin = time.process_time()
        model, _ = self.learner.learn(x.iloc[train], y[train], best[1], rounds=best[2])
        return model.predict_proba(x.iloc[test])[:, 1], best[1], time.process_time() - begin


class Ours:
    name = "attune trees"

    def __init__(self, attune, work):
        self.attune, self.work = attune, work

    def train(self, rows, y, learned, judged, settings):
        for name, part in (("learned", learned), ("judged", judged)):
            table = rows.iloc[part].assign(target=numpy.where(y[part], "yes", "no"))
            table.to_csv(self.work / f"{name}.csv", index=False)
        usage = lambda: os.times().children_user + os.times().children_system
        begin = usage()
        out = subprocess.run(
            [self.attune, "train", self.work / "learned.csv", "--target", "target", "--positive",
             "yes", "--kind", "trees", "--test", self.work / "judged.csv", "--allow",
             ",".join(rows.columns), "--output", self.work / "model.attune", "--json",
             *(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))],
            check=True, capture_output=True, text=True).stdout
        return json.loads(out)["auc"], usage() - begin

    def run(self, rows, y, train, inner, held, test):
        best = max(OURS, key=lambda settings: self.train(rows, y, inner, held, settings)[0])
        _, cpu = self.train(rows, y, train, test, best)
        out = subprocess.run([self.attune, "predict", self.work / "judged.csv", "--model",
                              self.work / "model.attune", "--output", self.work / "scores.csv"],
                             check=True, capture_output=True)
        with open(self.work / "scores.csv") as lines:
            scores = numpy.array([float(line) for line in lines])
        return scores, best, cpu


def interval(values):
    values = numpy.array(values)
    t = stats.t.ppf(0.975, len(values) - 1)
    return values.mean(), t * values.std(ddof=1) / len(values) ** 0.5


def measure(name, rows, y, learners, draws):
    found = {learner.name: {"auc": [], "log_loss": [], "cpu_s": [], "settings": []}
             for learner in learners}
    folds = [fold for draw in range(draws)
             for fold in StratifiedKFold(5, shuffle=True, random_state=draw + 1).split(rows, y)]
    for fold, (train, test) in enumerate(folds):
        inner, held = train_test_split(train, test_size=0.2, stratify=y[train], random_state=fold)
        for learner in learners:
            scores, settings, cpu = learner.run(rows, y, train, inner, held, test)
            one = found[learner.name]
            one["auc"].append(float(roc_auc_score(y[test], scores)))
            one["log_loss"].append(float(log_loss(y[test], numpy.clip(scores, 1e-15, 1))))
            one["cpu_s"].append(cpu)
            one["settings"].append(settings)
            print(f"trees: {name} fold {fold + 1} {learner.name}: {one['auc'][-1]:.5f} {settings}",
                  file=sys.stderr)
    return found


def table(report):
    folds = len(next(iter(next(iter(report.values())).values()))["auc"])
    lines = [f"| table | learner | AUC, {folds} folds | less Attune's, on the same folds | log loss | CPU s of "
             "the last fit |", "|---|---|---:|---:|---:|---:|"]
    for name, found in report.items():
        ours = numpy.array(found[Ours.name]["auc"])
        for learner, one in found.items():
            mean, half = interval(one["auc"])
            less, less_half = interval(numpy.array(one["auc"]) - ours)
            beside = "-" if learner == Ours.name else f"{less:+.5f} +- {less_half:.5f}"
            lines.append(f"| {name} | {learner} | {mean:.5f} +- {half:.5f} | {beside} | "
                         f"{numpy.mean(one['log_loss']):.5f} | {numpy.mean(one['cpu_s']):.1f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--only", help="tables, with commas", default=",".join(TABLES))
    parser.add_argument("--draws", type=int, default=1, help="of five folds")
    parser.add_argument("--ours", action="store_true", help="without the peers")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    work = pathlib.Path(tempfile.mkdtemp(prefix="attune-trees-"))
    learners = [Ours(options.build.resolve() / "attune", work)]
    if not options.ours:
        learners += [Peer(LightGbm()), Peer(XgBoost()), Peer(Sklearn())]
    report = {name: measure(name, *TABLES[name](options.data), learners, options.draws)
              for name in options.only.split(",")}
    if options.json:
        print(json.dumps(report, indent=1))
        return
    print(f"{os.cpu_count()} cores, {platform.platform()}, load {os.getloadavg()[0]:.1f} at the end\n")
    print(table(report))


main()
