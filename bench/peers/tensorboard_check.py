"""The event files of attune train --tensorboard, read by TensorBoard itself.
pip install tensorboard; tensorboard_check.py build/release/attune

Not part of the tests, which install nothing from PyPI: src/learn/event_file_test.cc compares fixed
bytes that this reader accepted."""
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

# The bytes of src/learn/event_file_test.cc.
source = pathlib.Path(__file__).parents[2] / "src/learn/event_file_test.cc"
fixed = bytes.fromhex("".join(re.findall(r'"([0-9a-f]{20,})"', source.read_text())))
with tempfile.TemporaryDirectory() as name:
    (pathlib.Path(name) / "events.out.tfevents.1").write_bytes(fixed)
    events = EventAccumulator(name, {"tensors": 0, "scalars": 0})
    events.Reload()
    (loss,) = events.Scalars("loss")
    assert (loss.wall_time, loss.step, loss.value) == (1.5, 300, 0.25), loss
    assert events.Tensors("run")[0].tensor_proto.string_val[0] == b"|a|"

binary = pathlib.Path(sys.argv[1]).resolve()
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    draw = random.Random(1)
    rows = ["x,y"] + [f"{(x := draw.gauss(0, 1)):.4f},{int(draw.random() < (0.8 if x > 0 else 0.2))}"
                      for _ in range(3000)]
    (folder / "t.csv").write_text("\n".join(rows) + "\n")
    done = subprocess.run([binary, "train", "t.csv", "--target", "y", "--kind", "mlp", "--tensorboard",
                           "tb", "--runs", "runs", "--json"], cwd=folder, check=True,
                          capture_output=True, text=True)
    report = json.loads(done.stdout)
    run = json.loads((folder / "runs/runs.jsonl").read_text())
    events = EventAccumulator(str(folder / "tb" / run["id"]), {"tensors": 0, "scalars": 0})
    events.Reload()
    scalars = {tag: [(e.step, e.value) for e in events.Scalars(tag)]
               for tag in events.Tags()["scalars"]}
    texts = events.Tags()["tensors"]
    losses = [value for _, value in scalars["pass_loss/mlp"]]
    assert len(losses) == len(report["kinds"][0]["pass_losses"]), losses
    assert all(abs(a - b) < 1e-6 for a, b in zip(losses, report["kinds"][0]["pass_losses"]))
    assert abs(scalars["metrics/auc"][0][1] - report["auc"]) < 1e-6
    assert len(scalars["validation_loss/mlp"]) >= len(losses)
    assert len(scalars["loss/mlp"]) > 1 and "hparams/seed" in scalars
    assert texts == ["run"], texts
    assert b"|parameter|value|" in events.Tensors("run")[0].tensor_proto.string_val[0]
    print(f"TensorBoard reads {len(scalars)} scalars and the text of {run['id']}:",
          ", ".join(sorted(scalars)))
