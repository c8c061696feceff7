"""attune train --calibrate and what eval says of calibration, as a user meets them.
calibration_test.py BINARY [TestClass]"""
import os
import random
import subprocess
import sys
import unittest

import cli_test
import learn_test


class Calibration(learn_test.Files):
    """x tells y; of the place "odd" nothing does, and there y is rare: no model of x can know."""

    def rows(self, name, n, seed, places=("even",)):
        draw = random.Random(seed)
        lines = ["x,place,y"]
        for i in range(n):
            x, place = draw.gauss(0, 1), places[i % len(places)]
            chance = 0.5 + 0.4 * (x > 0) - 0.2 * (x < 0) if place == "even" else 0.05
            lines.append(f"{x:.4f},{place},{int(draw.random() < chance)}")
        return self.write(name, "\n".join(lines) + "\n")

    def test_the_map_is_in_the_model_and_keeps_the_order(self):
        self.rows("train.csv", 4000, 1)
        for kind in ("none", "isotonic", "platt"):
            report = self.json_of("train", "train.csv", "--target", "y", "--drop", "place",
                                  "--calibrate", kind, "--output", kind)
            self.assertEqual("calibrated_by" in report, kind != "none")
        self.assertEqual(report["calibrated_by"]["kind"], "platt")
        self.assertEqual(report["train_rows"] + report["calibrated_by"]["rows"]
                         + report["test_rows"], 4000)
        lines = self.run_attune("predict", "train.csv", "--model", "isotonic").stdout.split()
        self.assertTrue(all(0 < float(line) < 1 for line in lines))
        said = self.run_attune("explain", "--model", "platt", "--row", "3", "train.csv")
        self.assertIn("calibrated from", said.stdout, said.stderr)

    def test_eval_names_the_worst_slice_and_draws_it(self):
        self.rows("train.csv", 3000, 2)
        self.rows("test.csv", 3000, 3, places=("even", "odd"))
        self.json_of("train", "train.csv", "--target", "y", "--drop", "place", "--output", "m")
        out = self.json_of("eval", "test.csv", "--model", "m", "--slice", "place", "--svg", "c.svg")
        self.assertEqual(out["worst_slice"], "odd")
        of = {one["value"]: one["reliability"] for one in out["slices"]}
        self.assertGreater(of["odd"]["ratio_interval"][0], 3)
        self.assertLess(of["even"]["ece"], of["odd"]["ece"] / 3)
        self.assertEqual(sum(one["rows"] for one in out["reliability"]["bins"]), 3000)
        goes = out["recalibrated_as_it_goes"]
        self.assertLess(goes["log_loss"], goes["log_loss_before"] - 0.05)
        picture = (self.folder / "c.svg").read_text()
        self.assertTrue(picture.startswith("<svg") and "odd" in picture)
        said = self.run_attune("eval", "test.csv", "--model", "m", "--slice", "place").stdout
        self.assertIn("worst: place odd, where y is predicted", said)

    def test_files_of_fields_have_slices_too(self):
        self.json_of("train", self.criteo(n=2000), "--format", "criteo", "--calibrate", "platt",
                     "--test", "c.tsv", "--output", "m")
        out = self.json_of("eval", "c.tsv", "--format", "criteo", "--model", "m", "--slice", "C1")
        self.assertEqual({one["value"] for one in out["slices"]}, {f"C1=t{i}" for i in range(5)})
        done = self.run_attune("eval", "c.tsv", "--format", "criteo", "--model", "m", "--slice",
                               "C99")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no such field", done.stderr)

    def test_what_cannot_be_is_said(self):
        self.rows("train.csv", 300, 4)
        self.criteo()
        with open(self.folder / "c.tsv", "rb") as file:
            done = subprocess.run([cli_test.BINARY, "train", "-", "--format", "criteo",
                                   "--calibrate", "platt"], cwd=self.folder, stdin=file,
                                  capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 2)
        self.assertIn("name a file", done.stderr)
        done = self.run_attune("train", "train.csv", "--target", "y", "--kind", "linear",
                               "--calibrate", "platt")
        self.assertEqual(done.returncode, 2)
        self.assertIn("predicts a number", done.stderr)
        done = self.run_attune("train", "train.csv", "--target", "y", "--drop", "place",
                               "--calibrate", "isotonic")
        self.assertIn("mostly chance", done.stderr)


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
