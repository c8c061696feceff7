#!/usr/bin/env python3
"""Attune beside Vowpal Wabbit on CTR data 1: the same rows, one core, end to end.

  python3 -m venv peers && peers/bin/pip install -r bench/peers/requirements.txt
  peers/bin/python bench/peers/ctr.py --data /tmp/ctr              1,000,000 rows, about 2 minutes
  peers/bin/python bench/peers/ctr.py --data /tmp/ctr --json

The data are made by `attune simulate ctr` unless the folder has them. Every run is a process of its
own on one core (taskset): CPU seconds, wall seconds and rows a second from the first byte of the file
to the model on disk; the start of an empty process is taken off the peer's. Progressive log loss is
what each reports itself; AUC and log loss on the later rows are computed here, from written
predictions. The peer's settings are the best of ten by progressive log loss on the first 200,000
rows, and those of our linear kind the best of ten (chosen) beside its presets; the peer runs once more
with the seven crosses of fields those rows speak for most."""
import argparse, json, os, pathlib, platform, subprocess, sys, tempfile, time, zlib

import numpy

from measures import auc, log_loss

ROOT = pathlib.Path(__file__).resolve().parents[2]
VW = "import sys, vowpalwabbit; vowpalwabbit.Workspace(' '.join(sys.argv[1:])).finish()"
VW_ALWAYS = ["-b", "22", "--loss_function", "logistic"]
VW_TRIED = ["", "-l 0.3", "-l 0.1", "-l 1", "--adaptive -l 0.05", "--adaptive -l 0.1",
            "--adaptive --invariant -l 0.05", "--ftrl --ftrl_alpha 0.05 --ftrl_beta 1",
            "--ftrl --ftrl_alpha 0.1 --ftrl_beta 1", "--ftrl --ftrl_alpha 0.2 --ftrl_beta 1"]
OURS_TRIED = {"ftrl": [[f"alpha={a}", f"beta={b}"] for a in (.05, .085, .1, .15, .2)
                       for b in (.4, 1)]}
CHOSEN_ON = 200_000
CROSSES = 7
NAMESPACES = [chr(ord("A") + i) for i in range(13)] + [chr(ord("a") + i) for i in range(26)]


def fastest(times, one):
    """Of so many runs the one of the least CPU: others on the machine only add to it."""
    return min((one() for _ in range(times)), key=lambda done: done[0])


def touch_memory(gigabytes):
    """Memory that a virtual machine's host has yet to hand out costs twenty times as much to touch as
    other memory: no run is to pay for it."""
    # In a process of its own: peaks of memory are handed on to children.
    touch = f"import numpy; kept = [numpy.ones(1 << 30, dtype='u1') for _ in range({gigabytes})]"
    subprocess.run([sys.executable, "-c", touch], check=True)


def run(command, core):
    """One process on one core: (seconds of CPU, of the clock, peak MB, stdout, stderr)."""
    touch_memory(2)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        child = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], stdout=out,
                                 stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
        out.seek(0), err.seek(0)
        texts = out.read().decode(), err.read().decode(errors="replace")
    if status != 0:
        sys.exit(f"peers: {' '.join(map(str, command))} failed:\n{texts[1][-2000:]}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, *texts


def labels_of(path):
    with open(path, "rb") as rows:
        return numpy.array([line[0] == ord("1") for line in rows])


def average_loss(text):
    for line in text.splitlines():
        if line.startswith("average loss"):
            return float(line.split("=")[1].split()[0])
    sys.exit(f"peers: no average loss in:\n{text[-2000:]}")


def crosses(path, rows, predicted):
    """The pairs of fields that would explain most of what a linear model leaves: residual sums by
    cell of each pair over the first half of the rows, their gain in log loss on the second half."""
    tokens = numpy.zeros((rows, 39), dtype=numpy.int64)
    labels = numpy.zeros(rows)
    with open(path, "rb") as lines:
        for r, line in zip(range(rows), lines):
            label, *cells = line.rstrip(b"\n").split(b"\t")
            labels[r] = label == b"1"
            tokens[r] = [zlib.crc32(cell) for cell in cells]
    left = labels - predicted
    certain = predicted * (1 - predicted)
    half = rows // 2
    gains = []
    for a in range(39):
        for b in range(a):
            cell = (tokens[:, a] * 0x9E3779B1 + tokens[:, b]) % ((1 << 31) - 1) % (1 << 17)
            sums = numpy.bincount(cell[:half], left[:half], 1 << 17)
            counts = numpy.bincount(cell[:half], minlength=1 << 17)
            step = (sums / (counts + 10))[cell[half:]]
            gain = (left[half:] * step - certain[half:] * step * step / 2).sum()
            gains.append((gain, NAMESPACES[a] + NAMESPACES[b]))
    return [pair for _, pair in sorted(gains, reverse=True)[:CROSSES]]


class Bench:
    def __init__(self, options):
        self.options, self.data = options, options.data
        self.attune = options.build.resolve() / "attune"
        self.rows = []
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="attune-peers-"))

    def make_data(self):
        o = self.options
        made = self.data / "made.json"
        wanted = {"rows": o.rows, "test_rows": o.test_rows, "seed": o.seed}
        if not made.exists() or json.loads(made.read_text()) != wanted:
            run([self.attune, "simulate", "ctr", "--rows", o.rows, "--test-rows", o.test_rows,
                 "--seed", o.seed, "--formats", "tsv,vw", "--out", self.data], o.core)
            made.write_text(json.dumps(wanted))
        self.labels = labels_of(self.data / "test.tsv")
        truth = numpy.loadtxt(self.data / "test_truth.txt")
        train = numpy.loadtxt(self.data / "truth.txt")
        self.add("the truth itself", None, log_loss(labels_of(self.data / "train.tsv"), train), truth)

    def add(self, name, measured, progressive, predictions):
        row = {"name": name, "progressive_log_loss": float(progressive)}
        if measured:
            cpu, wall, peak = measured
            row |= {"cpu_s": cpu, "wall_s": wall, "rows_per_cpu_s": self.options.rows / cpu,
                    "rows_per_s": self.options.rows / wall, "peak_mb": peak}
        if predictions is not None:
            row |= {"test_auc": float(auc(self.labels, predictions)),
                    "test_log_loss": float(log_loss(self.labels, predictions))}
        self.rows.append(row)
        print(f"peers: {row}", file=sys.stderr)

    def vw(self, *arguments):
        return run([sys.executable, "-c", VW, *VW_ALWAYS, *arguments], self.options.core)

    def peer(self):
        start = fastest(3, lambda: run([sys.executable, "-c", VW, "--quiet"], self.options.core))
        head = self.work / "head.vw"
        with open(self.data / "train.vw", "rb") as rows, open(head, "wb") as out:
            out.writelines(line for _, line in zip(range(CHOSEN_ON), rows))
        tried = {settings: average_loss(self.vw("-d", head, *settings.split())[4])
                 for settings in VW_TRIED}
        best = min(tried, key=tried.get)
        print(f"peers: vw on {CHOSEN_ON} rows: {tried}", file=sys.stderr)
        learned = self.work / "learned.txt"
        self.vw("-d", head, *best.split(), "-p", learned, "--link", "logistic")
        pairs = crosses(self.data / "train.tsv", CHOSEN_ON, numpy.loadtxt(learned))
        model, cache = self.work / "vw.model", self.work / "vw.cache"
        always = ["-d", self.data / "train.vw", *best.split(), "-f", model]
        predictions = None
        crossed = [word for pair in pairs for word in ("-q", pair)]
        for name, arguments in [("vw text", []), ("its cache", ["--cache_file", cache]),
                                (f"crosses {' '.join(pairs)}, vw text", crossed)]:
            if "--cache_file" in arguments:
                self.vw(*always, *arguments)  # writes it
            cpu, wall, peak, _, err = fastest(self.options.runs,
                                              lambda: self.vw(*always, *arguments))
            if "--cache_file" not in arguments:
                scored = self.work / "vw.txt"
                self.vw("-t", "-i", model, "-d", self.data / "test.vw", "-p", scored, "--link",
                        "logistic")
                predictions = numpy.loadtxt(scored)
            self.add(f"Vowpal Wabbit {best or '(its defaults)'}, {name}",
                     (cpu - start[0], wall - start[1], peak), average_loss(err), predictions)

    def chosen(self, kind):
        """The settings of least progressive log loss on the first rows."""
        head = self.work / "head.tsv"
        with open(self.data / "train.tsv", "rb") as rows, open(head, "wb") as out:
            out.writelines(line for _, line in zip(range(CHOSEN_ON), rows))

        def loss(settings):
            words = [word for setting in settings for word in ("--set", setting)]
            out = run([self.attune, "train", head, "--format", "criteo", "--kind", kind, *words,
                       "--output", self.work / "head.attune", "--json"], self.options.core)[3]
            return json.loads(out)["kinds"][0]["pass_losses"][0]
        tried = [(loss(settings), settings) for settings in OURS_TRIED[kind]]
        print(f"peers: {kind} on {CHOSEN_ON} rows: {tried}", file=sys.stderr)
        return min(tried)[1]

    def ours(self, kind, form, settings):
        shown = {"tsv": "Criteo text", "vw": "vw text"}[form]
        name = {"tsv": "criteo", "vw": "vw"}[form]
        model, scored = self.work / "ours.attune", self.work / "ours.txt"
        # One core: reading has no thread of its own.
        train = [self.attune, "train", self.data / f"train.{form}", "--format", name, "--kind", kind,
                 "--threads", "1", "--output", model, "--json"]
        if "cache" in settings:
            shown = "its cache"
            train += ["--cache", self.work / f"{form}.rows"]
            run(train, self.options.core)  # writes it
        is_chosen = "chosen" in settings
        settings = [setting for setting in settings if setting not in ("cache", "chosen")]
        if is_chosen:
            settings += self.chosen(kind)
        train += [word for setting in settings for word in ("--set", setting)]
        cpu, wall, peak, out, _ = fastest(self.options.runs,
                                          lambda: run(train, self.options.core))
        progressive = json.loads(out)["kinds"][0]["pass_losses"][0]
        run([self.attune, "predict", self.data / f"test.{form}", "--format", name, "--model", model,
             "--output", scored], self.options.core)
        self.add(" ".join(["attune", kind, *settings]) + ", " + shown, (cpu, wall, peak),
                 progressive, numpy.loadtxt(scored))


def table(rows):
    lines = ["| learner, input | rows/CPU-s | rows/s | CPU s | peak MB | progressive log loss | "
             "test AUC | test log loss |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        def cell(key, form):
            return format(row[key], form) if key in row else "-"
        lines.append(f"| {row['name']} | {cell('rows_per_cpu_s', ',.0f')} | "
                     f"{cell('rows_per_s', ',.0f')} | {cell('cpu_s', '.2f')} | "
                     f"{cell('peak_mb', '.0f')} | {cell('progressive_log_loss', '.4f')} | "
                     f"{cell('test_auc', '.4f')} | {cell('test_log_loss', '.4f')} |")
    return "\n".join(lines)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown processor")
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}, load {load:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path, help="folder for the files")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--test-rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int, default=0, help="the core everything runs on")
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--ours", help="KIND:FORM[:cache][:chosen][:NAME=NUMBER...] with commas",
                        default="ftrl:tsv,ftrl:vw,ftrl:tsv:cache,ftrl:tsv:chosen,"
                                "ftrl:tsv:cache:chosen,adagrad:tsv,adagrad:tsv:cache,"
                                "fm:tsv,fm:tsv:cache,fwfm:tsv,fwfm:tsv:cache,ffm:tsv,"
                                "wide_deep:tsv,deepfm:tsv,dcnv2:tsv,finalmlp:tsv,mlp:tsv")
    parser.add_argument("--runs", type=int, default=2, help="of each; the fastest counts")
    parser.add_argument("--no-peer", action="store_true", help="only ours")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    begin = machine()
    bench = Bench(options)
    bench.make_data()
    if not options.no_peer:
        bench.peer()
    for each in options.ours.split(","):
        kind, form, *settings = each.split(":")
        bench.ours(kind, form, settings)
    report = {"machine": begin, "load_at_end": os.getloadavg()[0], "rows": options.rows,
              "seed": options.seed, "measures": bench.rows}
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        print(f"Machine: {begin}, {report['load_at_end']:.1f} at the end; {options.rows:,} rows\n")
        print(table(bench.rows))


main()
