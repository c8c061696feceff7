#!/usr/bin/env python3
"""Attune's fm, ffm and fwfm beside xLearn's on CTR data 1: one pass, one core, end to end.

  pip download --no-binary :all: xlearn==0.40a1, unpack; cmake compile && make xlearn_train xlearn_predict
  python3 bench/peers/factors.py --data FOLDER --xlearn FOLDER          about 5 minutes of CPU

The data are made by `attune simulate ctr` (libffm's text for xLearn, whose ids are numbers below 2^20
each; Criteo's text for Attune). Rate and regularisation of xLearn are the best of six by log loss on
the last fifth of the first 200,000 rows. CPU is of the whole process, from text to saved model. What
xLearn writes beside its input, a binary copy, is removed before each run."""
import argparse, itertools, json, os, pathlib, resource, subprocess, sys, tempfile, time

import numpy

from measures import auc, log_loss

ROOT = pathlib.Path(__file__).resolve().parents[2]
RATES, L2 = (0.1, 0.2, 0.4), (2e-5, 2e-4)


def run(command, core):
    begin = time.monotonic()
    child = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                             env={**os.environ, "USER": "peer"})  # xLearn ends without one
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"peers: {command} failed: {text[-1000:]}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss / 1024, text


def labels_of(path):
    with open(path, "rb") as rows:
        return numpy.array([line[0] == ord("1") for line in rows])


class Xlearn:
    def __init__(self, folder, work, core):
        self.folder, self.work, self.core = folder, work, core

    def train(self, kind, k, rate, l2, rows):
        for old in rows.parent.glob(f"{rows.name}*.bin"):
            old.unlink()
        return run([self.folder / "xlearn_train", rows, "-s", {"fm": 1, "ffm": 2}[kind], "-k", k,
                    "-r", rate, "-b", l2, "-e", 1, "-nthread", 1, "-m", self.work / "x.model",
                    "-l", self.work / "log", "--dis-es"], self.core)

    def predict(self, rows):
        for old in rows.parent.glob(f"{rows.name}*.bin"):
            old.unlink()
        run([self.folder / "xlearn_predict", rows, self.work / "x.model", "-o", self.work / "p.txt",
             "-l", self.work / "log", "--sigmoid"], self.core)
        return numpy.loadtxt(self.work / "p.txt")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--xlearn", required=True, type=pathlib.Path)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--core", type=int, default=0)
    o = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="attune-factors-"))
    if not (o.data / "train.ffm").exists():
        run([o.build / "attune", "simulate", "ctr", "--rows", 1_000_000, "--test-rows", 200_000,
             "--seed", 1, "--formats", "tsv,ffm", "--out", o.data], o.core)
    labels, rows = labels_of(o.data / "test.tsv"), 1_000_000
    with open(o.data / "train.ffm", "rb") as text, open(work / "head.ffm", "wb") as head, \
            open(work / "tail.ffm", "wb") as tail:
        for i, line in zip(range(200_000), text):
            (head if i < 160_000 else tail).write(line)
    judged = labels_of(work / "tail.ffm")

    def show(name, cpu, peak, p):
        print(f"| {name} | {rows / cpu:,.0f} | {cpu:.2f} | {peak:.0f} | {auc(labels, p):.4f} | "
              f"{log_loss(labels, p):.4f} |", flush=True)
    print("| learner | rows/CPU-s | CPU s | peak MB | test AUC | test log loss |\n"
          "|---|---:|---:|---:|---:|---:|")
    peer = Xlearn(o.xlearn, work, o.core)
    for kind, k in (("fm", 8), ("ffm", 4)):
        tried = {}
        for rate, l2 in itertools.product(RATES, L2):
            peer.train(kind, k, rate, l2, work / "head.ffm")
            tried[rate, l2] = log_loss(judged, peer.predict(work / "tail.ffm"))
        best = min(tried, key=tried.get)
        print(f"peers: {kind}: {tried}", file=sys.stderr)
        cpu, _, peak, _ = peer.train(kind, k, *best, o.data / "train.ffm")
        show(f"xLearn 0.40a1 {kind}, k {k}, rate {best[0]}, l2 {best[1]}", cpu, peak,
             peer.predict(o.data / "test.ffm"))
    for kind in ("fm", "ffm", "fwfm"):
        cpu, _, peak, _ = run([o.build / "attune", "train", o.data / "train.tsv", "--format",
                               "criteo", "--kind", kind, "--output", work / "a.model", "--json"],
                              o.core)
        _, _, _, out = run([o.build / "attune", "predict", o.data / "test.tsv", "--format", "criteo",
                            "--model", work / "a.model"], o.core)
        show(f"attune {kind}", cpu, peak, numpy.array([float(x) for x in out.split()]))


main()
