"""attune train --threads, as a user meets it.
threads_test.py BINARY [TestClass]"""
import os
import sys
import unittest

import cli_test
from learn_test import Files


class Threads(Files):
    def test_threads_learn_the_same_model_each_time_and_about_the_same_as_one(self):
        self.criteo(n=4000)
        for kind in ("fwfm", "deepfm"):
            losses = []
            for name, threads in [("a", "1"), ("b", "2"), ("c", "2")]:
                done = self.json_of("train", "c.tsv", "--format", "criteo", "--kind", kind,
                                    "--threads", threads, "--bits", "12", "--output", name)
                self.assertEqual(done["threads"], int(threads))
                losses.append(done["log_loss"])
            self.assertEqual(*[(self.folder / name).read_bytes() for name in "bc"])
            self.assertAlmostEqual(losses[0], losses[1], delta=0.03)
        self.fails(2, "train", "c.tsv", "--format", "criteo", "--kind", "ftrl", "--threads", "2",
                   says="ftrl learns on one thread", hint="kinds over fields")

    def test_a_model_of_a_table_learns_on_threads_too(self):
        run = ["train", self.shop(n=2000), "--target", "y", "--kind"]
        for kind, delta in [("trees", 0), ("fwfm", 0.03), ("deepfm", 0.03)]:
            alone, several = [self.json_of(*run, kind, "--threads", threads, "--output", threads)
                              for threads in "12"]
            self.assertEqual((alone["threads"], several["threads"]), (1, 2))
            self.assertAlmostEqual(alone["log_loss"], several["log_loss"], delta=delta)
            if kind == "trees":
                self.assertEqual(*[(self.folder / name).read_bytes() for name in "12"])
        several = self.json_of(*run, "ftrl,trees,fwfm", "--threads", "2", "--hogwild")
        self.assertEqual({kind["kind"] for kind in several["kinds"]}, {"ftrl", "trees", "fwfm"})
        self.assertEqual(several["threads"], 1 if several["kind"] == "ftrl" else 2)
        shared = self.json_of(*run, "fwfm", "--threads", "2", "--hogwild")
        self.assertTrue(shared["hogwild"])
        self.fails(2, *run, "ftrl", "--threads", "2", says="ftrl learns on one thread", hint="trees can")
        self.fails(2, *run, "trees", "--threads", "2", "--hogwild",
                   says="trees has no table that threads could share")
        self.fails(2, "train", self.shop(), "--target", "y", "--threads", "2", "--hogwild",
                   says="--hogwild is for one model", hint="name one --kind")

    def test_as_many_settings_as_threads_are_tried_at_once_and_the_same_is_chosen(self):
        run = ["train", self.shop(n=2000), "--target", "y", "--search", "2", "--budget-seconds",
               "1000"]
        models = [self.json_of(*run, "--threads", threads, "--output", threads)["choice"]
                  for threads in "12"]
        self.assertEqual(*models)
        self.assertEqual((self.folder / "1").read_bytes(), (self.folder / "2").read_bytes())

    def test_threads_that_share_a_table_learn_about_the_same_as_one(self):
        self.criteo(n=4000)
        run = ["train", "c.tsv", "--format", "criteo", "--kind", "fwfm", "--bits", "12"]
        alone = self.json_of(*run, "--threads", "1", "--output", "a")
        shared = self.json_of(*run, "--threads", "2", "--hogwild", "--output", "b")
        self.assertNotIn("hogwild", alone)
        self.assertTrue(shared["hogwild"])
        self.assertAlmostEqual(alone["log_loss"], shared["log_loss"], delta=0.03)
        self.fails(2, *run, "--hogwild", says="--hogwild needs --threads of 2 or more",
                   hint="--threads 2")


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
