#!/usr/bin/env python3
"""Boosted trees on CTR data 1: Attune's beside LightGBM's and XGBoost's, one core.

  peers/bin/python bench/peers/trees_ctr.py --data /tmp/ctr          about 15 minutes of CPU

Needs the folder bench/peers/ctr.py made (train.tsv, test.tsv) and requirements-trees.txt. Peers get
13 numbers, and the 26 ids in the better of two ways: as categories (those of fewer rows than 20 are
one), or as rate and count of the rows before, in order, as Attune's trees have them. Way, leaves and
rounds (early stopping) are the best by AUC on the last fifth of the first 300,000 rows; then they
learn from all rows once more for as many rounds. Reading text is not timed for peers, but is for
Attune, whose settings are its own. Ways of a peer are made by numpy and pandas, and not timed."""
import argparse, json, pathlib, resource, subprocess, sys, tempfile, time

import lightgbm, numpy, pandas, xgboost

from measures import auc, auc_difference, log_loss

ROOT = pathlib.Path(__file__).resolve().parents[2]
NUMBERS, IDS = list(range(1, 14)), list(range(14, 40))
RARE, SMOOTHING, ROUNDS, PATIENCE = 20, 10, 400, 20
LEAVES = [31, 127]


def read(path, rows=None):
    kinds = {c: "float32" for c in NUMBERS} | {c: "str" for c in IDS}
    return pandas.read_csv(path, sep="\t", header=None, nrows=rows, dtype=kinds, keep_default_na=True)


def as_categories(train, test):
    """Both tables with ids as numbers of their own; what is rare or not met is 0."""
    for column in IDS:
        counts = train[column].value_counts()
        codes = {name: i + 1 for i, name in enumerate(counts.index[counts >= RARE])}
        for table in (train, test):
            table[column] = table[column].map(codes).fillna(0).astype("int32").astype("category")
        test[column] = test[column].cat.set_categories(train[column].cat.categories)
    return train, test


def as_rates(train, test):
    """Rate and count of the rows before; of a test row, of all rows learned from."""
    base = train[0].mean()
    out = [train[NUMBERS].copy(), test[NUMBERS].copy()]
    for column in IDS:
        names = train[column].fillna("")
        ones, rows = train[0].groupby(names).cumsum() - train[0], train[0].groupby(names).cumcount()
        out[0][f"r{column}"] = ((ones + SMOOTHING * base) / (rows + SMOOTHING)).astype("float32")
        out[0][f"n{column}"] = numpy.log1p(rows).astype("float32")
        sums = train[0].groupby(names).agg(["sum", "count"])
        ones = test[column].fillna("").map(sums["sum"]).fillna(0)
        rows = test[column].fillna("").map(sums["count"]).fillna(0)
        out[1][f"r{column}"] = ((ones + SMOOTHING * base) / (rows + SMOOTHING)).astype("float32")
        out[1][f"n{column}"] = numpy.log1p(rows).astype("float32")
    return out


def lightgbm_fit(x, y, leaves, rounds, held=None):
    settings = {"objective": "binary", "metric": "auc", "num_leaves": leaves, "num_threads": 1,
                "learning_rate": 0.1, "verbose": -1, "min_data_per_group": 20}
    data = lightgbm.Dataset(x, y)
    if held is None:
        return lightgbm.train(settings, data, rounds), rounds
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    model = lightgbm.train(settings, data, rounds, [lightgbm.Dataset(*held, reference=data)],
                           callbacks=[stop])
    return model, model.best_iteration


def xgboost_fit(x, y, leaves, rounds, held=None):
    settings = {"objective": "binary:logistic", "eval_metric": "auc", "max_leaves": leaves,
                "max_depth": 0, "grow_policy": "lossguide", "tree_method": "hist", "nthread": 1,
                "eta": 0.1}
    data = xgboost.DMatrix(x, y, enable_categorical=True)
    if held is None:
        return xgboost.train(settings, data, rounds), rounds
    watched = [(xgboost.DMatrix(*held, enable_categorical=True), "held")]
    model = xgboost.train(settings, data, rounds, watched, early_stopping_rounds=PATIENCE,
                          verbose_eval=False)
    return model, model.best_iteration + 1


def scores(model, x, rounds):
    if isinstance(model, lightgbm.Booster):
        return model.predict(x, num_iteration=rounds)
    return model.predict(xgboost.DMatrix(x, enable_categorical=True), iteration_range=(0, rounds))


def peer(name, fit, data, tried):
    best = None
    head = read(data / "train.tsv", tried)
    split = tried * 4 // 5
    for way in (as_categories, as_rates):
        train, held = way(head[:split].copy(), head[split:].copy())
        columns = [c for c in train.columns if c != 0]
        for leaves in LEAVES:
            model, rounds = fit(train[columns], head[0][:split], leaves, ROUNDS,
                                (held[columns], head[0][split:]))
            score = auc(head[0][split:].to_numpy(), scores(model, held[columns], rounds))
            print(f"{name}: {way.__name__}, {leaves} leaves: {score:.4f} at {rounds} rounds",
                  file=sys.stderr)
            if best is None or score > best[0]:
                best = (score, way, leaves, rounds)
    _, way, leaves, rounds = best
    whole, test = read(data / "train.tsv"), read(data / "test.tsv")
    labels, truth = whole[0].copy(), test[0].to_numpy()
    whole, test = way(whole, test)
    columns = [c for c in whole.columns if c != 0]
    begin = time.process_time()
    model, _ = fit(whole[columns], labels, leaves, rounds)
    cpu = time.process_time() - begin
    p = scores(model, test[columns], rounds)
    return {"name": f"{name}, {'categories' if way is as_categories else 'rates and counts'}, "
                    f"{leaves} leaves, {rounds} rounds", "rows": len(labels), "cpu_s": cpu,
            "p": p, "auc": auc(truth, p), "log_loss": log_loss(truth, p)}


def ours(attune, data):
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([attune, "train", data / "train.tsv", "--format", "criteo", "--kind", "trees",
                              "--test", data / "test.tsv", "--output", f"{folder}/model", "--json"],
                             check=True, capture_output=True, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([attune, "predict", data / "test.tsv", "--format", "criteo", "--model",
                        f"{folder}/model", "--output", f"{folder}/p"], check=True, capture_output=True)
        p = numpy.loadtxt(f"{folder}/p")
    said = json.loads(out)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"name": "attune trees, from text", "rows": said["rows"], "cpu_s": cpu,
            "p": p, "peak_mb": said["peak_rss_bytes"] / 1e6, "auc": said["auc"], "log_loss": said["log_loss"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--attune", default=ROOT / "build/release/attune", type=pathlib.Path)
    parser.add_argument("--tried", default=300_000, type=int, help="rows that settings are chosen by")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [ours(options.attune, options.data)]
    for name, fit in ((f"LightGBM {lightgbm.__version__}", lightgbm_fit),
                      (f"XGBoost {xgboost.__version__}", xgboost_fit)):
        rows.append(peer(name, fit, options.data, options.tried))
    truth = pandas.read_csv(options.data / "test.tsv", sep="\t", header=None, usecols=[0])[0]
    predicted = [row.pop("p") for row in rows]
    for row, p in zip(rows, predicted):
        row["less_ours"] = auc_difference(truth.to_numpy(), p, predicted[0])
    if options.json:
        return print(json.dumps(rows))
    print("| learner | rows/CPU-s | CPU s | test AUC | less Attune's | test log loss |\n"
          "|---|---:|---:|---:|---:|---:|")
    for row in rows:
        print(f"| {row['name']} | {row['rows'] / row['cpu_s']:,.0f} | {row['cpu_s']:.1f} | "
              f"{row['auc']:.4f} | {row['less_ours'][0]:+.4f} +- {row['less_ours'][1]:.4f} | "
              f"{row['log_loss']:.4f} |")


if __name__ == "__main__":
    main()
