"""Kinds that grow trees, and the search for a kind, as a user of attune train meets them.
trees_test.py BINARY [TestClass]"""
import math
import os
import sys
import unittest

import cli_test
from learn_test import Files


class Search(Files):
    def test_kind_and_settings_are_looked_for_and_the_choice_is_told(self):
        report = self.json_of("train", self.shop(), "--target", "y", "--search", "2",
                              "--budget-seconds", "100", "--output", "m.attune")
        choice = report["choice"]
        self.assertEqual(report["kind"], choice["candidates"][0]["kind"])
        self.assertIn(f"{report['kind']} with ", choice["reason"])
        self.assertLess(choice["candidates"][0]["loss"], choice["baseline"])
        kinds = {one["kind"] for one in choice["candidates"]}
        self.assertEqual(kinds, {"ftrl", "fm", "fwfm", "mlp", "tree", "trees", "forest"})
        self.assertEqual(len(report["kinds"]), 7)
        done = self.run_attune("train", "shop.csv", "--target", "y", "--kind", "ftrl,tree", "--search",
                               "2")
        self.assertIn("was chosen: its log loss of", done.stdout)
        self.assertIn("its own settings", done.stdout)
        said = self.json_of("train", "shop.csv", "--target", "y", "--kind", "ftrl")
        self.assertNotIn("choice", said)
        self.fails(2, "train", "shop.csv", "--target", "y", "--search", "2", "--set", "alpha=1",
                   says="leave out one of the two")


class Trees(Files):
    def test_trees_learn_predict_and_are_explained(self):
        for kind in ("tree", "forest", "trees"):
            report = self.json_of("train", self.shop(), "--target", "y", "--kind", kind, "--passes",
                                  "9", "--output", "t.attune")
            self.assertEqual((report["kind"], report["passes"]), (kind, 1))
            self.assertGreater(report["auc"], 0.8)
            shown = self.json_of("explain", "--model", "t.attune", "--row", "3", "shop.csv")
            total = shown["bias"] + sum(part["part"] for part in shown["parts"])
            if kind == "trees":
                total = 1 / (1 + math.exp(-total))
            self.assertAlmostEqual(total, shown["probability"], places=4)
        self.fails(2, "explain", "--model", "t.attune",
                   says="kind trees has no weight of a feature by itself")
        lines = [f"{i % 10},{(i % 10 - 5) ** 2}" for i in range(300)]
        self.write("n.csv", "x,y\n" + "\n".join(lines) + "\n")
        report = self.json_of("train", "n.csv", "--target", "y", "--kind", "trees")
        self.assertGreater(report["r2"], 0.95)

    def test_trees_learn_from_streams_and_are_tested_on_others(self):
        report = self.json_of("train", self.criteo(), "--format", "criteo", "--kind", "trees",
                              "--passes", "2", "--test", "c.tsv", "--output", "t.attune")
        for key in ("auc", "log_loss", "rows_per_second", "peak_rss_bytes"):
            self.assertGreater(report[key], 0)
        self.assertGreater(report["auc"], 0.99)  # one field is the label
        self.fails(2, "train", "c.tsv", "--format", "criteo", "--kind", "trees",
                   says="name a file to test on")

    def test_trees_see_the_integers_of_criteo_as_numbers(self):
        rows = []  # yes where the first is above 1,020, or missing: all of one step
        for i in range(2000):
            first = "" if i % 10 == 0 else str(1000 + i * 7 % 41)
            label = "1" if first == "" or int(first) > 1020 else "0"
            rows.append("\t".join([label, first] + ["5"] * 12 + ["a"] * 26))
        self.write("n.tsv", "\n".join(rows) + "\n")
        train = ("train", "n.tsv", "--format", "criteo", "--test", "n.tsv", "--kind")
        self.assertLess(self.json_of(*train, "ftrl")["auc"], 0.8)
        report = self.json_of(*train, "trees", "--output", "n.attune", "--cache", "n.rows")
        self.assertGreater(report["auc"], 0.999)
        done = self.run_attune("predict", "n.tsv", "--format", "criteo", "--model", "n.attune")
        said = [float(line) > 0.5 for line in done.stdout.split()]
        self.assertEqual(said, [row[0] == "1" for row in rows])
        shown = self.json_of("explain", "--model", "n.attune", "--format", "criteo", "--row", "2",
                             "n.tsv")
        self.assertEqual((shown["parts"][0]["name"], shown["parts"][0]["value"]),
                         ("I1=925..1187", 1007))
        # A cache of numbers is none for who reads steps.
        self.assertLess(self.json_of(*train, "ftrl", "--cache", "n.rows")["auc"], 0.8)


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
