"""Several targets in one model, as a user of attune train and predict meets them.
targets_test.py BINARY [TestClass]"""
import math
import os
import pathlib
import random
import sys
import unittest

import cli_test
from learn_test import Files

DATA = pathlib.Path(os.environ.get("ATTUNE_DATA", "../shared/data")).resolve()


class Targets(Files):
    def feed(self, name="feed.csv", rows=6000, seed=3):
        """Persons and items with a taste in common: clicks are frequent, purchases are rare and
        sometimes not known. One seed, the same rows."""
        rng = random.Random(seed)
        persons = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(200)]
        items = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(200)]
        rng = random.Random(hash((seed, rows)))
        lines = ["person,item,click,purchase,hide"]
        for _ in range(rows):
            p, i = rng.randrange(200), rng.randrange(200)
            match = 1.5 * (persons[p][0] * items[i][0] + persons[p][1] * items[i][1])
            happens = lambda logit: int(rng.random() < 1 / (1 + math.exp(-logit)))
            click, purchase, hide = happens(match - 1), happens(match - 4), happens(-match - 2)
            lines.append(f"p{p},i{i},{click},{'' if rng.random() < 0.1 else purchase},{hide}")
        return self.write(name, "\n".join(lines) + "\n")

    def test_one_model_learns_all_and_each_is_measured_beside_one_of_its_own(self):
        report = self.json_of("train", self.feed(rows=20000), "--target", "click", "--also",
                              "purchase,hide",
                              "--weight-of", "purchase=3", "--weight-of", "hide=0.5",
                              "--second-loss", "pairs=0.1", "--compare-alone", "--kind", "fwfm",
                              "--output", "m.attune")
        heads = {head["target"]: head for head in report["joint"]["heads"]}
        self.assertEqual(list(heads), ["click", "purchase", "hide"])
        self.assertEqual([head["weight"] for head in heads.values()], [1, 3, 0.5])
        for head in heads.values():
            self.assertGreater(head["auc"], 0.6)
            for measure in ("auc", "log_loss", "base_rate"):
                low, high = head[f"{measure}_interval"]
                self.assertTrue(low <= head[measure] <= high)
            low, high = head["alone"]["difference_interval"]
            self.assertTrue(low <= head["alone"]["difference"] <= high)
            self.assertAlmostEqual(head["log_loss"] - head["alone"]["log_loss"],
                                   head["alone"]["difference"], places=5)
        self.assertEqual(heads["click"]["auc"], report["auc"])
        self.assertEqual(heads["purchase"]["rows"] + heads["purchase"]["unlabelled_rows"],
                         report["test_rows"])
        self.assertGreater(heads["purchase"]["unlabelled_rows"], 50)
        loss = report["joint"]["loss"]
        parts = {part["name"]: part for part in loss["parts"]}
        self.assertEqual(list(parts), ["click", "purchase", "hide", "pairs"])
        for where in ("learned", "tested"):
            self.assertAlmostEqual(loss[where], sum(part["weight"] * part[where]
                                                    for part in parts.values()))
        for name, head in heads.items():
            self.assertAlmostEqual(parts[name]["tested"], head["log_loss"], places=5)
        uses = {line["column"]: line["use"] for line in report["plan"]}
        self.assertEqual([uses[name] for name in heads], ["target"] * 3)

    def test_a_rare_target_is_better_learned_beside_a_frequent_one(self):
        report = self.json_of("train", self.feed(rows=20000), "--target", "click", "--also",
                              "purchase", "--compare-alone", "--drop", "hide")
        self.assertEqual(report["kind"], "fwfm")
        alone = report["joint"]["heads"][1]["alone"]
        self.assertEqual(alone["verdict"], "better")
        self.assertLess(alone["difference_interval"][1], 0)
        done = self.run_attune("train", "feed.csv", "--target", "click", "--also", "purchase",
                               "--compare-alone", "--drop", "hide")
        self.assertIn("  alone", done.stdout)
        self.assertIn("of the sum", done.stdout)
        self.assertIn("rows without a label", done.stdout)

    def test_predict_writes_the_first_target_or_all(self):
        self.feed(rows=1500)
        self.json_of("train", "feed.csv", "--target", "click", "--also", "purchase,hide", "--kind",
                     "deepfm", "--passes", "2", "--output", "m.attune")
        self.write("new.csv", "item,person\ni1,p1\ni2,p2,p3\ni3,p3\n")  # the second is no row
        first = self.run_attune("predict", "new.csv", "--model", "m.attune").stdout.splitlines()
        every = self.run_attune("predict", "new.csv", "--model", "m.attune",
                                "--all-targets").stdout.splitlines()
        self.assertEqual(every[0], "click,purchase,hide")
        self.assertEqual([line.split(",")[0] for line in every[1:]], first)
        self.assertEqual(every[2], "")
        for line in every[1::2]:
            self.assertTrue(all(0 < float(p) < 1 for p in line.split(",")))
        again = self.run_attune("predict", "new.csv", "--model", "m.attune", "--all-targets")
        self.assertEqual(again.stdout.splitlines(), every)

    def test_a_column_that_gives_a_further_target_away_is_told(self):
        lines = (self.folder / self.feed(rows=1500)).read_text().splitlines()
        paid = ["paid"] + [f"{9.5 if line.split(',')[3] == '1' else 0}" for line in lines[1:]]
        self.write("feed.csv", "\n".join(f"{a},{b}" for a, b in zip(lines, paid)) + "\n")
        report = self.json_of("train", "feed.csv", "--target", "click", "--also", "purchase,hide")
        told = [line for line in report["warnings"] if line.startswith("of purchase: paid ")]
        self.assertEqual(len(told), 1)
        self.assertIn("--drop paid", told[0])

    def test_same_seed_same_model(self):
        self.feed(rows=1500)
        ids = [self.json_of("train", "feed.csv", "--target", "click", "--also", "purchase,hide",
                            "--kind", "dcnv2", "--passes", "2", "--seed", seed)["id"]
               for seed in ("4", "4", "5")]
        self.assertEqual(ids[0], ids[1])
        self.assertNotEqual(ids[0], ids[2])

    def test_what_does_not_fit_is_refused(self):
        self.feed(rows=1500)
        train = ("train", "feed.csv", "--target", "click")
        also = (*train, "--also", "purchase")
        self.fails(2, *train, "--also", "purchse", says="did you mean purchase?")
        self.fails(2, *train, "--also", "click", says="--also click: it is a target already")
        self.fails(2, *train, "--also", "purchase,purchase", says="it is a target already")
        self.fails(2, *train, "--also", "person", says="different texts")
        self.fails(2, *also, "--kind", "ftrl", says="those that can are fwfm, wide_deep, deepfm")
        self.fails(2, *also, "--weight-of", "hide=2", says="it is not among the targets")
        self.fails(2, *also, "--weight-of", "purchase=2", "--weight-of", "purchase=3",
                   says="it is given twice")
        self.fails(2, *also, "--weight-of", "purchase=0", says="must be in (0, 1000]")
        self.fails(2, *also, "--weight-of", "purchase", says="must be NAME=NUMBER")
        self.fails(2, *also, "--second-loss", "pears=1", says="there is pairs")
        self.fails(2, *also, "--calibrate", "platt", says="not with --calibrate")
        self.fails(2, *train, "--compare-alone", says="need --also")
        self.write("plan.toml", '[[feature]]\nkind = "category"\nof = "column.purchase"\n')
        self.fails(2, *also, "--plan", "plan.toml", says="the plan makes a feature of purchase")
        self.criteo()
        self.fails(2, "train", "c.tsv", "--format", "criteo", "--kind", "fwfm", "--also", "x",
                   says="are for tables")

    def test_published_rows_of_two_tasks(self):
        folder = DATA / "aliexpress-mtl-tiny"
        if not folder.is_dir():
            self.skipTest(f"no aliexpress-mtl-tiny in ATTUNE_DATA ({DATA})")
        lines = (folder / "train.csv").read_text().splitlines()
        column = lines[0].split(",").index("conversion")
        is_known = len({line.split(",")[column] for line in lines[1:]}) == 2
        arguments = ("train", str(folder / "train.csv"), "--target", "click", "--also", "conversion",
                     "--test", str(folder / "test.csv"), "--kind", "fwfm,deepfm")
        if not is_known:
            self.fails(2, *arguments, says="labels of conversion are")
            return
        report = self.json_of(*arguments)
        self.assertEqual([head["target"] for head in report["joint"]["heads"]],
                         ["click", "conversion"])
        self.assertEqual(report["joint"]["heads"][1]["rows"], 100)


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
