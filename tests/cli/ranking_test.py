"""The order of rows inside groups, and searches that are cut short, as a user of attune train meets
them. ranking_test.py BINARY [TestClass]"""
import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest

import cli_test
from learn_test import Files


class Ranking(Files):
    """Searches of five results; the nearer and the better rated is clicked, the search itself says
    how often anything is."""

    def searches(self, n=300, name="searches.csv"):
        chance = random.Random(4)
        lines = ["search,near,stars,clicked"]
        for search in range(n):
            rows = [(chance.gauss(0, 1), chance.randrange(1, 6)) for _ in range(5)]
            best = max(rows, key=lambda row: row[0] + 0.8 * row[1] + chance.gauss(0, 0.5))
            lines += [f"s{search},{near:.3f},{stars},{int((near, stars) == best)}"
                      for near, stars in rows]
        return self.write(name, "\n".join(lines) + "\n")

    def test_trees_with_a_group_learn_its_order(self):
        report = self.json_of("train", self.searches(), "--target", "clicked", "--kind", "trees",
                              "--group", "search", "--output", "r.attune")
        self.assertEqual((report["objective"], report["group"]), ("ranking", "search"))
        for name in ("ndcg_at_5", "ndcg_at_10", "mrr", "pairwise_accuracy"):
            low, high = report[name + "_interval"]
            self.assertLess(report[name + "_baseline"] + 0.1, low, name)
            self.assertLess(low, report[name])
            self.assertGreater(report[name], report["best_column"][name], name)
            self.assertLessEqual(high, 1)
        self.assertNotIn("log_loss", report)
        self.assertIn("groups drawn at random", report["measured_on"])
        self.assertIn("the largest first", report["best_column"]["order"])
        self.searches(50, "later.csv")
        measured = self.json_of("eval", "later.csv", "--model", "r.attune", "--group", "search")
        self.assertGreater(measured["mrr"], 0.6)
        self.assertNotIn("auc", measured)
        self.fails(2, "eval", "later.csv", "--model", "r.attune", says="name their column with --group")
        scores = self.run_attune("predict", "later.csv", "--model", "r.attune").stdout.split()
        self.assertEqual(len(scores), 250)
        told = self.json_of("explain", "--model", "r.attune", "--row", "4", "later.csv")
        total = told["bias"] + sum(part["part"] for part in told["parts"])
        self.assertAlmostEqual(total, float(scores[3]), places=4)
        shown = self.run_attune("train", "searches.csv", "--target", "clicked", "--kind", "trees",
                                "--group", "search").stdout
        self.assertIn("without a model, by", shown)

    def test_other_kinds_keep_groups_whole_and_are_measured_inside_them(self):
        for kind in ("ftrl", "fm", "trees"):
            report = self.json_of("train", self.searches(), "--target", "clicked", "--kind", kind,
                                  "--group", "search", "--objective", "prediction")
            self.assertEqual(report["objective"], "prediction")
            self.assertIn("groups", report["measured_on"])
            self.assertIn("auc", report)
            for name in ("gauc", "ndcg_at_5", "ndcg_at_10", "mrr", "pairwise_accuracy"):
                self.assertGreater(report[name], report[name + "_baseline"], name)

    def test_what_cannot_be_ranked_is_said(self):
        file = self.searches()
        always = ("train", file, "--target", "clicked")
        self.fails(2, *always, "--kind", "ftrl", "--group", "search", "--objective", "ranking",
                   says="kind ftrl has no such objective, trees has")
        self.fails(2, *always, "--objective", "ranking", says="name a column with --group")
        self.fails(2, *always, "--kind", "trees", "--group", "serch", says="did you mean search?")
        self.fails(2, *always, "--kind", "trees", "--group", "search", "--calibrate", "platt",
                   says="neither searched for nor calibrated")
        self.write("c.tsv", "1\n")
        self.fails(2, "train", "c.tsv", "--format", "criteo", "--group", "search", says="--group")


class Resume(Files):
    def test_a_search_killed_anywhere_goes_on_and_chooses_the_same(self):
        command = ["train", self.shop(n=3000), "--target", "y", "--search", "3", "--budget-seconds",
                   "1000", "--time-column", "none", "--output", "m.attune"]
        begin = time.monotonic()
        whole = self.json_of(*command)
        took = time.monotonic() - begin
        chance = random.Random(1)
        kills = 0
        while True:
            # Long enough, mostly, for a trial; in the end it may go on until it is done.
            lives = chance.uniform(0.05, 0.4) * took if kills < 12 else None
            child = subprocess.Popen([cli_test.BINARY, *command, "--resume", "trials", "--json"],
                                     cwd=self.folder, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
            try:
                out, _ = child.communicate(timeout=lives)
                break
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                child.communicate()
                kills += 1
        self.assertEqual(child.returncode, 0)
        self.assertGreater(kills, 0, "the search was over before it was killed")
        resumed = json.loads(out)
        self.assertEqual(resumed["choice"], whole["choice"])
        self.assertEqual(resumed["kinds"], whole["kinds"])
        lines = (self.folder / "trials").read_text().splitlines()
        self.assertEqual(len(lines), len(set(lines)), "a trial was made twice")
        self.fails(2, *command, "--resume", "trials", "--seed", "5", says="with other options")
        self.shop(n=3001)
        self.fails(2, *command, "--resume", "trials", says="over other data")
        self.fails(2, *command, "--resume", "shop.csv", says="is no file of a search")
        self.fails(2, "train", "shop.csv", "--target", "y", "--resume", "trials", "--set", "alpha=1",
                   says="--resume")


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
