#!/usr/bin/env python3
"""Networks of Attune beside PyTorch on CTR data 1: the same layers, one core, one pass.

  peers/bin/python bench/peers/deep.py --data /tmp/ctr --torch /usr/bin/python3      about 5 minutes

Needs the folder bench/peers/ctr.py made (train.tsv, test.tsv) and an interpreter with torch
(Debian: python3-torch). PyTorch gets its rows parsed and hashed already, in memory, and only its
learning is timed; Attune is timed from the first byte of text to the model on disk. The peer's
batch and rate are the best of those tried by log loss of the last fifth of the first 200,000 rows
(each row predicted before it is learned from), and it runs once with floats alone and once with
its own bfloat16 (autocast), which Attune takes where the processor can; Attune's are its own."""
import argparse, json, os, pathlib, subprocess, sys, tempfile, zlib

import numpy

from measures import auc, log_loss

ROOT = pathlib.Path(__file__).resolve().parents[2]
BITS = 20
LEARN = r'''
import json, sys, time, numpy, torch
kind, folder, rows, batch, rate, hidden, bits, score, precision = sys.argv[1:10]
rows, batch, rate, hidden = int(rows), int(batch), float(rate), [int(h) for h in hidden.split("-")]
torch.set_num_threads(1)
torch.manual_seed(1)
ids = torch.from_numpy(numpy.load(folder + "/train_ids.npy")[:rows].astype(numpy.int64))
labels = torch.from_numpy(numpy.load(folder + "/train_labels.npy")[:rows].astype(numpy.float32))
K, FIELDS = 8, ids.shape[1]

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = torch.nn.Embedding(1 << int(bits), 1, sparse=True)
        self.vectors = torch.nn.Embedding(1 << int(bits), K, sparse=True)
        torch.nn.init.zeros_(self.weights.weight)
        torch.nn.init.normal_(self.vectors.weight, std=0.01)
        layers, inputs = [], FIELDS * K
        for units in hidden:
            layers += [torch.nn.Linear(inputs, units), torch.nn.ReLU()]
            inputs = units
        self.tower = torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 1))
        if kind == "dcnv2":
            n, rank = FIELDS * K, 32
            self.narrow = torch.nn.ModuleList([torch.nn.Linear(n, rank, bias=False) for _ in range(2)])
            self.widen = torch.nn.ModuleList([torch.nn.Linear(rank, n) for _ in range(2)])
            self.last = torch.nn.Linear(n, 1)
    def forward(self, ids):
        v = self.vectors(ids)
        flat = v.flatten(1)
        logit = self.weights(ids).sum((1, 2)) + self.tower(flat).squeeze(1)
        if kind == "deepfm":
            logit = logit + 0.5 * (v.sum(1) ** 2 - (v ** 2).sum(1)).sum(1)
        if kind == "dcnv2":
            x = flat
            for narrow, widen in zip(self.narrow, self.widen):
                x = flat * widen(narrow(x)) + x
            logit = logit + self.last(x).squeeze(1)
        return logit

net = Net()
sparse = torch.optim.Adagrad([net.weights.weight, net.vectors.weight], lr=rate * 20)
dense = torch.optim.Adam([p for n, p in net.named_parameters()
                          if not n.startswith(("weights", "vectors"))], lr=rate)
loss_of = torch.nn.BCEWithLogitsLoss()
late = []
begin, wall = time.process_time(), time.monotonic()
for at in range(0, rows, batch):
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        logit = net(ids[at:at + batch])
    loss = loss_of(logit.float(), labels[at:at + batch])
    sparse.zero_grad(); dense.zero_grad()
    loss.backward()
    sparse.step(); dense.step()
    if at >= rows * 4 // 5:
        late.append((float(loss), len(logit)))
cpu, wall = time.process_time() - begin, time.monotonic() - wall
out = {"cpu_s": cpu, "wall_s": wall, "late": sum(l * n for l, n in late) / sum(n for _, n in late)}
if score == "score":
    test = torch.from_numpy(numpy.load(folder + "/test_ids.npy").astype(numpy.int64))
    with torch.no_grad():
        p = torch.cat([torch.sigmoid(net(test[i:i + 8192])) for i in range(0, len(test), 8192)])
    numpy.save(folder + "/scored.npy", p.numpy())
print(json.dumps(out))
'''
TRIED = [(batch, rate) for batch in (128, 512) for rate in (1e-3, 3e-3)]


def hashed(path):
    """Labels, and the ids of the 39 fields of each row, integers as they stand (Attune puts large
    ones in logarithmic steps)."""
    labels, ids = [], []
    mask = (1 << BITS) - 1
    with open(path, "rb") as rows:
        for line in rows:
            label, *cells = line.rstrip(b"\n").split(b"\t")
            labels.append(label == b"1")
            ids.append([zlib.crc32(cell, salt_of) & mask for cell, salt_of in
                        zip(cells, range(1, 40))])
    return numpy.array(labels, dtype=numpy.float32), numpy.array(ids, dtype=numpy.int32)


def on_core(core, command):
    done = subprocess.run(["taskset", "-c", str(core), *map(str, command)], capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(f"peers: {command[:4]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--torch", default="/usr/bin/python3", help="an interpreter with torch")
    parser.add_argument("--kinds", default="wide_deep,deepfm,dcnv2")
    parser.add_argument("--hidden", default="128-64,400-400-400")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    o = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="attune-peers-"))
    for part in ("train", "test"):
        labels, ids = hashed(o.data / f"{part}.tsv")
        numpy.save(work / f"{part}_labels.npy", labels)
        numpy.save(work / f"{part}_ids.npy", ids)
    test_labels = labels
    rows = []

    def add(name, cpu, wall, p):
        rows.append({"name": name, "rows_per_cpu_s": o.rows / cpu, "rows_per_s": o.rows / wall,
                     "test_auc": auc(test_labels, p), "test_log_loss": log_loss(test_labels, p)})
        print(f"peers: {rows[-1]}", file=sys.stderr)

    for hidden in o.hidden.split(","):
        units = hidden.split("-")
        for kind in o.kinds.split(","):
            model, scored = work / "ours.attune", work / "ours.txt"
            settings = [("hidden", units[0]), ("hidden2", units[1])]
            settings += [("hidden3", units[2])] if len(units) > 2 else []
            out = json.loads(on_core(o.core, [
                o.build / "attune", "train", o.data / "train.tsv", "--format", "criteo", "--kind",
                kind, "--output", model, "--json",
                *[word for name, value in settings for word in ("--set", f"{name}={value}")]]))
            on_core(o.core, [o.build / "attune", "predict", o.data / "test.tsv", "--format", "criteo",
                             "--model", model, "--output", scored])
            add(f"attune {kind} {hidden}", out["cpu_seconds"], out["seconds"],
                numpy.loadtxt(scored))

            def learn(count, batch, rate, score, precision="single"):
                return json.loads(on_core(o.core, [o.torch, "-c", LEARN, kind, work, count, batch,
                                                   rate, hidden, BITS, score, precision]))
            tried = {each: learn(200_000, *each, "no")["late"] for each in TRIED}
            best = min(tried, key=tried.get)
            print(f"peers: torch {kind} {hidden} on 200,000 rows: {tried}", file=sys.stderr)
            for precision in ("single", "bfloat16"):
                done = learn(o.rows, *best, "score", precision)
                add(f"PyTorch {kind} {hidden}, batch {best[0]}, rate {best[1]}, {precision}",
                    done["cpu_s"], done["wall_s"], numpy.load(work / "scored.npy"))
    if o.json:
        return print(json.dumps({"rows": o.rows, "load_at_end": os.getloadavg()[0],
                                 "measures": rows}, indent=1))
    print("| learner | rows/CPU-s | rows/s | test AUC | test log loss |\n|---|---:|---:|---:|---:|")
    for row in rows:
        print(f"| {row['name']} | {row['rows_per_cpu_s']:,.0f} | {row['rows_per_s']:,.0f} | "
              f"{row['test_auc']:.4f} | {row['test_log_loss']:.4f} |")


main()
