#!/usr/bin/env python3
"""Kinds of sequences of Attune beside PyTorch (DIN of DeepCTR-Torch; GRU and self-attention as in
SASRec, each with a network behind it) and Vowpal Wabbit: which of two things a person took next, by
what they took before; one core.

  python3 -m venv peers && peers/bin/pip install -r bench/peers/requirements-sequence.txt
  peers/bin/python bench/peers/sequence.py                                       about 25 minutes

Data: amazon-video-games-sasrec of $ATTUNE_DATA: 31,013 persons in order of time. A row is a thing
beside the 20 before it, a 1 where the person took it, a 0 where it was drawn from all they never
took (seed 1). The last thing of each person is the test, the one before chooses settings and passes,
the rest is learned from, in an order by chance. Everybody gets the same rows, and what is chosen is
chosen by log loss on the same validation. Attune is timed from the first byte of the CSV file to the
model on disk, Vowpal Wabbit from its own text (the start of an empty process is taken off);
PyTorch has its rows as tensors, and its learning alone is timed."""
import argparse, gzip, itertools, json, os, pathlib, random, subprocess, sys, tempfile

import numpy

from measures import auc, log_loss

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAST = 20
PLAN = """[[feature]]
kind = "sequence"
of = "column.seen"
as = "column.item"
last = %d
decay = %s
[[feature]]
kind = "category"
of = "column.item"
"""
OURS = {"fwfm": ["--set", "k=16"], "din": [], "gru": [], "sasrec": []}
VW = "import sys, vowpalwabbit; vowpalwabbit.Workspace(' '.join(sys.argv[1:])).finish()"
VW_TRIED = ["-l 0.5", "-l 0.1", "-l 0.02", "--ftrl --ftrl_alpha 0.1 --ftrl_beta 1"]
TORCH = r'''
import json, resource, sys, time, numpy, torch
from deepctr_torch.inputs import SparseFeat, VarLenSparseFeat
from deepctr_torch.models import DIN
kind, folder, passes, rate, batch, last = sys.argv[1:7]
passes, rate, batch, last = int(passes), float(rate), int(batch), int(last)
torch.set_num_threads(1)
torch.manual_seed(1)
part = {p: numpy.load(f"{folder}/{p}.npy") for p in ("train", "validation", "test")}
items = max(int(p[:, 1:-1].max()) for p in part.values()) + 1
item = SparseFeat("item", items, embedding_dim=16)
seen = VarLenSparseFeat(SparseFeat("hist_item", items, embedding_dim=16, embedding_name="item"),
                        maxlen=last, length_name="seq_length")
class Encoder(torch.nn.Module):
    """The sum of what was before, fading, and what an encoder of it says; times the item, and a network."""
    def __init__(self, k=16):
        super().__init__()
        self.vectors, self.weights = torch.nn.Embedding(items, k), torch.nn.Embedding(items, 1)
        torch.nn.init.normal_(self.vectors.weight, std=0.01)
        torch.nn.init.zeros_(self.weights.weight)
        self.fades = torch.nn.Parameter(0.8 ** torch.arange(last).float())
        self.tower = torch.nn.Sequential(torch.nn.Linear(2 * k, 128), torch.nn.ReLU(),
                                         torch.nn.Linear(128, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
        if kind == "GRU":
            self.gru = torch.nn.GRU(k, k, batch_first=True)
        else:
            self.places = torch.nn.Parameter(0.01 * torch.randn(last, k))
            self.block = torch.nn.TransformerEncoderLayer(k, 1, 32, 0.0, batch_first=True)
    def forward(self, rows):
        ids, count = rows[:, 1:1 + last].long(), rows[:, -1].long()
        item = rows[:, 0].long()
        there = (ids > 0).float().unsqueeze(2)
        u, v = self.vectors(ids) * there, self.vectors(item)
        s = (u * self.fades.unsqueeze(1)).sum(1)
        if kind == "GRU":  # from the oldest on
            turned = (count.unsqueeze(1) - 1 - torch.arange(last)).clamp(min=0)
            states, _ = self.gru(u.gather(1, turned.unsqueeze(2).expand_as(u)))
            s = s + states[torch.arange(len(rows)), count - 1]
        else:
            s = s + self.block((u + self.places) * there, src_key_padding_mask=ids == 0)[:, 0]
        logit = self.weights(item) + (s * v).sum(1, keepdim=True) + self.tower(torch.cat([s, v], 1))
        return torch.sigmoid(logit)
    def get_regularization_loss(self):
        return 0.0
if kind == "DIN":
    net = DIN([item, seen], ["item"], dnn_hidden_units=(128, 64), seed=1)
    at = [net.feature_index[name][0] for name in ("item", "hist_item", "seq_length")]
else:
    net, at = Encoder(), [0, 1, 1 + last]
def rows_of(p):
    rows = torch.zeros(len(p), 2 + last)
    rows[:, at[0]] = torch.from_numpy(p[:, 1]).float()
    rows[:, at[1]:at[1] + last] = torch.from_numpy(p[:, 2:-1]).float()
    rows[:, at[2]] = torch.from_numpy(p[:, -1]).float()
    return rows, torch.from_numpy(p[:, 0]).float()
made = {p: rows_of(of) for p, of in part.items()}
step = torch.optim.Adam(net.parameters(), lr=rate)
def score(p):
    net.eval()
    with torch.no_grad():
        rows = made[p][0]
        return torch.cat([net(rows[i:i + 4096]).squeeze(1) for i in range(0, len(rows), 4096)]).numpy()
said, cpu = [], 0
for n in range(passes):
    net.train()
    rows, labels = made["train"]
    order = torch.randperm(len(labels))
    begin = time.process_time()
    for i in range(0, len(labels), batch):
        one = order[i:i + batch]
        step.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy(net(rows[one]).squeeze(1), labels[one])
        (loss + net.get_regularization_loss()).backward()
        step.step()
    cpu += time.process_time() - begin
    numpy.save(f"{folder}/validation_{n}.npy", score("validation"))
    numpy.save(f"{folder}/test_{n}.npy", score("test"))
    said.append(cpu)
print(json.dumps({"cpu_s": said, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
'''
TORCH_NAMES = {"DIN": "DeepCTR-Torch DIN", "GRU": "PyTorch GRU", "attention": "PyTorch self-attention"}
TORCH_TRIED = [(1e-3, 256), (1e-3, 1024), (3e-3, 256), (3e-3, 1024)]
TORCH_PASSES = 4


def parts_of(path):
    """Rows (label, things before, thing) of each part."""
    persons = {}
    with gzip.open(path, "rt") as lines:
        for line in lines:
            person, item = line.split()
            persons.setdefault(person, []).append(int(item))
    items = sorted({item for taken in persons.values() for item in taken})
    draw = random.Random(1)
    parts = {"train": [], "validation": [], "test": []}
    for taken in persons.values():
        own = set(taken)
        for at in range(1, len(taken)):
            other = draw.choice(items)
            while other in own:
                other = draw.choice(items)
            part = {1: "test", 2: "validation"}.get(len(taken) - at, "train")
            before = taken[max(0, at - LAST):at]
            parts[part] += [(1, before, taken[at]), (0, before, other)]
    draw.shuffle(parts["train"])
    return parts


def write(parts, work):
    for name, rows in parts.items():
        with open(work / f"{name}.csv", "w") as out, open(work / f"{name}.vw", "w") as vw:
            out.write("taken,seen,item\n")
            for label, before, item in rows:
                seen = " ".join(f"i{one}" for one in before)
                out.write(f"{label},{seen},i{item}\n")
                vw.write(f"{1 if label else -1} |h {' '.join(f'h{one}' for one in before)} |i i{item}\n")
        # Label, item, the newest of those before first, zeros, how many.
        table = numpy.zeros((len(rows), 2 + LAST + 1), dtype=numpy.int64)
        for r, (label, before, item) in enumerate(rows):
            table[r, :2] = label, item
            table[r, 2:2 + len(before)] = before[::-1]
            table[r, -1] = len(before)
        numpy.save(work / f"{name}.npy", table)


def on_core(core, command):
    """(seconds of CPU, peak MB, stdout) of one process."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], stdout=out,
                                 stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        out.seek(0), err.seek(0)
        text, fault = out.read().decode(), err.read().decode(errors="replace")
    if status != 0:
        sys.exit(f"peers: {' '.join(map(str, command))[:300]} failed:\n{fault[-2000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


class Bench:
    def __init__(self, options, work, labels):
        self.o, self.work, self.labels = options, work, labels
        self.measures = []

    def add(self, name, tried, chosen, cpu, mb, p):
        labels = self.labels["test"]
        self.measures.append({"name": name, "tried": tried, "chosen": chosen, "cpu_s": cpu, "mb": mb,
                              "test_auc": auc(labels, p), "test_log_loss": log_loss(labels, p)})
        print(f"peers: {self.measures[-1]}", file=sys.stderr)

    def loss(self, p):
        return log_loss(self.labels["validation"], p)

    def ours(self, kind):
        attune, tried = self.o.build / "attune", []
        plan, model, scored = self.work / "plan.toml", self.work / "model", self.work / "scored"

        def learn(decay, rate, passes):
            plan.write_text(PLAN % (LAST, decay))
            return on_core(self.o.core, [attune, "train", self.work / "train.csv", "--target", "taken",
                                         "--plan", plan, "--kind", kind, "--passes", passes, "--test",
                                         self.work / "validation.csv", "--output", model, "--json",
                                         "--set", f"vector_rate={rate}", *OURS[kind]])

        def predicted(part):
            on_core(self.o.core, [attune, "predict", self.work / f"{part}.csv", "--model", model,
                                  "--output", scored])
            return numpy.loadtxt(scored)

        for setting in itertools.product(("0.8", "1"), (0.08, 0.15), (1, 2, 3, 4)):
            learn(*setting)
            tried.append((self.loss(predicted("validation")), setting))
        _, best = min(tried)
        cpu, mb, _ = learn(*best)
        self.add(f"attune {kind}", len(tried), "decay {}, vector_rate {}, {} passes".format(*best),
                 cpu, mb, predicted("test"))

    def torch(self, kind):
        best = None
        for rate, batch in TORCH_TRIED:
            _, _, text = on_core(self.o.core, [sys.executable, "-c", TORCH, kind, self.work,
                                               TORCH_PASSES, rate, batch, LAST])
            done = json.loads(text.splitlines()[-1])
            for n, cpu in enumerate(done["cpu_s"]):
                loss = self.loss(numpy.load(self.work / f"validation_{n}.npy"))
                if best is None or loss < best[0]:
                    best = (loss, f"rate {rate}, batch {batch}, {n + 1} passes", cpu, done["mb"],
                            numpy.load(self.work / f"test_{n}.npy"))
        self.add(TORCH_NAMES[kind], len(TORCH_TRIED) * TORCH_PASSES, *best[1:])

    def vw(self):
        start, _, _ = on_core(self.o.core, [sys.executable, "-c", VW, "--quiet"])
        model, scored, best = self.work / "vw.model", self.work / "vw.txt", None
        for setting in VW_TRIED:
            for passes in (1, 3):
                cache = self.work / "vw.cache"
                cache.unlink(missing_ok=True)
                cpu, mb, _ = on_core(self.o.core, [
                    sys.executable, "-c", VW, "--quiet -b 24 --loss_function logistic -q hi", setting,
                    f"-d {self.work}/train.vw -f {model} --passes {passes} --holdout_off",
                    f"-c --cache_file {cache}" if passes > 1 else ""])
                said = {}
                for part in ("validation", "test"):
                    on_core(self.o.core, [sys.executable, "-c", VW, "--quiet -t --link logistic",
                                          f"-d {self.work}/{part}.vw -i {model} -p {scored}"])
                    said[part] = numpy.loadtxt(scored)
                loss = self.loss(said["validation"])
                if best is None or loss < best[0]:
                    best = (loss, f"{setting}, {passes} passes", cpu - start, mb, said["test"])
        self.add("Vowpal Wabbit, things crossed", 2 * len(VW_TRIED), *best[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("ATTUNE_DATA", ROOT / "../shared/data")
    parser.add_argument("--data", default=data, type=pathlib.Path)
    parser.add_argument("--only", default="", help="learners by a part of their names, a,b")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    o = parser.parse_args()
    source = o.data / "amazon-video-games-sasrec/Video.txt.gz"
    if not source.exists():
        sys.exit(f"peers: no {source}: name the folder of the data with --data or $ATTUNE_DATA")
    with tempfile.TemporaryDirectory(prefix="attune-peers-") as folder:
        work = pathlib.Path(folder)
        parts = parts_of(source)
        write(parts, work)
        bench = Bench(o, work, {name: numpy.array([row[0] == 1 for row in rows])
                                for name, rows in parts.items()})
        runs = [(f"attune {kind}", lambda kind=kind: bench.ours(kind)) for kind in OURS]
        runs += [("Vowpal Wabbit", bench.vw)]
        runs += [(name, lambda kind=kind: bench.torch(kind)) for kind, name in TORCH_NAMES.items()]
        for name, run in runs:
            if not o.only or any(one in name for one in o.only.split(",")):
                run()
        rows = len(parts["train"])
    if o.json:
        return print(json.dumps({"rows": rows, "load_at_end": os.getloadavg()[0],
                                 "measures": bench.measures}, indent=1))
    print(f"{rows:,} rows learned from, {len(parts['test']):,} tested on")
    print("| learner | tried | chosen | CPU s | peak MB | test AUC | test log loss |\n"
          "|---|---:|---|---:|---:|---:|---:|")
    for one in bench.measures:
        print(f"| {one['name']} | {one['tried']} | {one['chosen']} | {one['cpu_s']:.1f} | "
              f"{one['mb']:.0f} | {one['test_auc']:.4f} | {one['test_log_loss']:.4f} |")


main()
