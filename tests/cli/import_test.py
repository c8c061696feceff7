"""`attune import` as its user meets it. import_test.py BINARY [TestClass]"""
import csv
import gzip
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import time
import unittest

import cli_test

DATA = pathlib.Path(os.environ.get("ATTUNE_DATA", "../shared/data")).resolve()
ORDERS = """user_id,sku,action,ts,amount
u1,p1,bought,1760000000,12.50
u2,p1,pv,1760000010,
u1,p2,add_to_cart,1760000020,3
,p3,pv,1760000030,
u3,,pv,1760000040,
u3,p1,pv,soon,
"""


class ImportCase(cli_test.Case):
    def ok(self, *arguments, **environment):
        done = self.run_attune(*arguments, **environment)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def report(self, *arguments):
        return json.loads(self.ok("import", *arguments, "--json").stdout)

    def put(self, name, text):
        (self.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def verify(self, workspace="w"):
        said = json.loads(self.ok("replay", "--verify", "--workspace", workspace, "--json").stdout)
        self.assertTrue(said["equal"], said)

    def events(self, person, workspace="w"):
        lines = self.ok("export", person, "--workspace", workspace).stdout.splitlines()
        return [json.loads(line) for line in lines[1:]]


class Import(ImportCase):
    def test_orders_by_guess_with_bad_rows_in_their_own_file(self):
        self.put("orders.csv", ORDERS)
        said = self.report("csv", "orders.csv", "--workspace", "w")
        self.assertEqual((said["rows"], said["accepted"], said["bad_rows"]), (6, 4, 2))
        self.assertEqual((said["persons"], said["items"], said["rows_without_person"]), (3, 3, 1))
        self.assertIn("guessed: person=user_id, item=sku, verb=action, time=ts, value=amount", said["notes"])
        bad = list(csv.DictReader((self.folder / "orders.csv.bad.csv").read_text().splitlines()))
        self.assertEqual([(b["line"], b["column"]) for b in bad], [("6", "sku"), ("7", "ts")])
        self.assertEqual(bad[1]["row"], "u3,p1,pv,soon,")
        mine = self.events("u1")
        self.assertEqual([e["item_id"] for e in mine], ["p1", "p2"])
        self.assertEqual(mine[0]["value"], 12.5)
        self.verify()

    def test_same_file_again_is_no_op_and_said_so(self):
        self.put("orders.csv", ORDERS)
        self.report("csv", "orders.csv", "--workspace", "w")
        again = self.report("csv", "orders.csv", "--workspace", "w")
        self.assertEqual((again["state"], again["duplicates"], again["accepted"]), ("known", 6, 0))
        self.put("copy.csv.gz", gzip.compress(ORDERS.encode()))
        self.assertIn("nothing to do", self.ok("import", "csv", "copy.csv.gz", "--workspace", "w").stdout)
        self.assertEqual(len(self.events("u1")), 2)

    def test_mapping_by_flags_and_by_file(self):
        self.put("a.csv", "who;what;when\nu1;p1;2025-11-02\n")
        flags = ["--map", "person=who,item=what,time=when", "--verb", "purchase"]
        self.report("csv", "a.csv", "--workspace", "w", *flags)
        self.assertEqual(self.events("u1")[0]["timestamp"], "2025-11-02T00:00:00.000Z")
        self.put("m.toml", 'verb = "like"\n[columns]\nperson = "who"\nitem = "what"\ntime = "when"\n')
        said = self.report("csv", "a.csv", "--dry-run", "--map-file", "m.toml")
        self.assertEqual((said["state"], said["accepted"]), ("checked", 1))
        self.fails(2, "import", "csv", "a.csv", "--dry-run", "--map", "person=woh",
                   says="no column is named woh, did you mean who?")
        self.fails(2, "import", "cvs", "a.csv", "--dry-run", says="did you mean csv?")
        self.fails(2, "import", "csv", "a.csv", says="where to import to is not named")
        self.fails(1, "import", "csv", "none.csv", "--dry-run", says="none.csv")
        self.assertFalse((self.folder / "none").exists())

    def test_staged_then_committed_then_undone(self):
        self.put("orders.csv", ORDERS)
        self.put("more.csv", ORDERS.replace("u1", "u7"))
        self.assertEqual(self.report("csv", "orders.csv", "--workspace", "w", "--stage")["state"], "staged")
        self.fails(1, "import", "csv", "orders.csv", "--workspace", "w", says="staged already")
        self.ok("import", "commit", "1", "--workspace", "w")
        self.assertEqual(len(self.events("u1")), 2)
        self.report("csv", "more.csv", "--workspace", "w", "--stage")
        self.ok("import", "undo", "2", "--workspace", "w")
        self.fails(1, "person", "u7", "--workspace", "w", says="no such person")
        self.fails(2, "import", "undo", "1", "--workspace", "w", says="nobody is there to ask")
        self.ok("import", "undo", "1", "--workspace", "w", "--yes")
        self.assertEqual(self.events("u1"), [])
        listed = json.loads(self.ok("import", "list", "--workspace", "w", "--json").stdout)["imports"]
        self.assertEqual([i["state"] for i in listed], ["undone"])
        self.verify()
        self.assertEqual(self.report("csv", "orders.csv", "--workspace", "w")["state"], "imported")
        self.verify()

    def test_the_data_report_sees_imported_events_and_tells_persons_apart(self):
        rows = [f"u{i % 30},p{i % 7},{1760000000 + i // 30 * 60}" for i in range(600)]
        self.put("a.csv", "\n".join(["user_id,item_id,ts", *rows, rows[5]]) + "\n")
        self.ok("import", "csv", "a.csv", "--workspace", "w", "--yes")
        said = json.loads(self.ok("report", "data", "--workspace", "w", "--json").stdout)
        self.assertEqual(said["rows"], 601)
        found = {(f["kind"], f["column"]): f for f in said["findings"]}
        self.assertEqual(list(found), [("duplicate_rows", ""), ("constant", "event")], said["findings"])
        self.assertIn("1 rows are equal", found["duplicate_rows", ""]["what"])
        said = self.ok("doctor", "--workspace", "w").stdout
        self.assertIn("601", said)

    def test_items_file_packed_and_in_gbk(self):
        self.put("orders.csv", ORDERS)
        self.ok("import", "csv", "orders.csv", "--workspace", "w")
        shop = "id;标题;price\np1;红鞋;19.9\np2;帽子;x\n".encode("gbk")
        self.put("shop.csv.gz", gzip.compress(shop))
        refused = self.run_attune("items", "import", "shop.csv.gz", "--workspace", "w")
        self.assertEqual(refused.returncode, 1)
        self.assertIn('shop.csv.gz: read as gbk, parted by ";"', refused.stderr)
        self.assertIn('line 3, column price: price is "x", must be a number such as 19.99', refused.stderr)
        done = self.ok("items", "import", "shop.csv.gz", "--workspace", "w", "--skip-bad-rows")
        self.assertIn("1 item: 1 new", done.stdout)
        wrong = self.run_attune("items", "import", "shop.csv.gz", "--dry-run", "--encoding", "utf-8")
        self.assertIn("not utf-8", wrong.stderr)
        self.put("cut.csv.gz", gzip.compress(shop * 1000)[:-20])
        self.assertIn("cut.csv.gz", self.run_attune("items", "import", "cut.csv.gz", "--dry-run").stderr)

    def test_vectors_of_items(self):
        self.put("orders.csv", ORDERS)
        self.ok("import", "csv", "orders.csv", "--workspace", "w")
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }".ljust(117) + b"\n"
        array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<6d", 1, 2, 3, 0.5, 0, -1)
        self.put("v.npy.gz", gzip.compress(array))
        self.put("ids.txt", "p1\np2\n")
        vectors = ["items", "import", "v.npy.gz", "--ids", "ids.txt", "--workspace", "w"]
        self.assertIn("2 items: 2 new", self.ok(*vectors).stdout)
        self.assertIn("unchanged: 2 items", self.ok(*vectors).stdout)
        self.put("cut.npy", array[:-1])
        cut = self.run_attune("items", "import", "cut.npy", "--ids", "ids.txt", "--workspace", "w")
        self.assertEqual(cut.returncode, 1)
        self.assertIn("cut.npy: it ends in row 2 of the 2 of its header", cut.stderr)
        self.assertIn("--ids FILE", self.run_attune("items", "import", "cut.npy", "--dry-run").stderr)

    def test_items(self):
        self.put("items.csv", "sku,category,tags,price,title\np1,shoes,run|red,19.99,Shoe\np2,hats,,x,Hat\n")
        said = self.report("csv", "items.csv", "--as", "items", "--workspace", "w")
        self.assertEqual((said["accepted"], said["bad_rows"], said["items"]), (1, 1, 1))
        self.assertEqual(said["errors"][0]["column"], "price")
        self.verify()

    def test_server_must_be_stopped(self):
        self.put("orders.csv", ORDERS)
        self.start()
        self.fails(1, "import", "csv", "orders.csv", "--workspace", "shop", says="", hint="stop the server")

    def test_learners_files_are_legal(self):
        for name, row in (("criteo", "1\t2\t\tab\n"), ("vw", "1 |a b\n"), ("libsvm", "1 1:2\n"), ("libffm", "1 0:1:1\n")):
            self.put(name, row * 2)
            said = self.report(name, name, "--workspace", "w")
            self.assertEqual((said["accepted"], said["persons"]), (2, 2))
        self.verify()


class ImportCrash(ImportCase):
    ROWS = 260_000  # without persons: each row is one, so that a block is full after some 120,000

    def test_killed_it_goes_on_where_the_journal_ends(self):
        rows = "".join(f"p{i % 50},{1760000000 + i}\n" for i in range(self.ROWS))
        self.put("big.csv", "item_id,ts\n" + rows)
        command = ["import", "csv", "big.csv", "--workspace", "w", "--json"]
        self.ok("import", "csv", "big.csv", "--workspace", "whole")
        size = lambda name: sum(f.stat().st_size for f in (self.folder / name / "journal").glob("*.log"))
        whole = size("whole")
        running = subprocess.Popen([cli_test.BINARY, *command], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while running.poll() is None and size("w") < 0.6 * whole:  # a block is less than half
            time.sleep(0.002)
        running.kill()
        running.wait()
        said = json.loads(self.ok(*command).stdout)
        self.assertGreater(said["resumed_at"], 0)
        self.assertEqual(said["rows"], self.ROWS)
        self.assertEqual(said["events"], self.ROWS)
        self.assertEqual(json.loads(self.ok(*command).stdout)["state"], "known")
        self.verify()


class ImportHostile(ImportCase):
    """100 mutated files: truncated, mixed encodings, zero bytes, quotes unbalanced, long lines."""

    def mutated(self, rng, text):
        data = bytearray(text)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(max(1, len(data)))
            kind = rng.randrange(9)
            if kind == 0:
                del data[at:]
            elif kind == 1:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 30)))
            elif kind == 2:
                data[at:at] = b'"'
            elif kind == 3:
                data[at:at] = b"\0" * rng.randint(1, 100)
            elif kind == 4:
                data[at:at] = "\u4f60\u597d,x\n".encode(rng.choice(["gbk", "utf-16-le", "utf-8"]))
            elif kind == 5:
                data[at:at] = b"," * rng.randint(1, 6000)
            elif kind == 6:
                data[at:at] = b"x" * rng.choice([300, 70_000, 2_500_000])
            elif kind == 7:
                data[:] = data.replace(b"\n", rng.choice([b"\r", b"\r\n", b"\n\n"]))
            else:
                data[at:at] = rng.choice([b"nan", b"1e999", b"-1", b"\xff\xfe", b"\xef\xbb\xbf"])
        if rng.random() < 0.15:
            data = bytearray(gzip.compress(bytes(data)))
            del data[rng.randrange(1, len(data)):]
        return bytes(data)

    def test_none_stops_or_crashes_it(self):
        text = ORDERS.encode() + b"".join(b"u%d,p%d,click,%d,1\n" % (i, i % 9, 1760000000 + i) for i in range(200))
        states = {0: 0, 1: 0, 2: 0}
        for seed in range(100):
            name = self.put("m.csv", self.mutated(random.Random(seed), text))
            done = self.run_attune("import", "csv", name, "--dry-run", "--json", "--bad", "bad.csv")
            self.assertIn(done.returncode, states, f"seed {seed}: {done.stderr}")
            states[done.returncode] += 1
            if done.returncode == 0:
                said = json.loads(done.stdout)
                self.assertEqual(said["rows"], said["accepted"] + said["bad_rows"])
            else:
                self.assertTrue(done.stderr.strip(), f"seed {seed}")
        self.assertGreater(states[0], 50, states)


class ImportLong(ImportCase):
    """A line of a gigabyte. The file is sparse, so that it takes no place on the disk."""
    LONG = 1 << 30
    MOST_MORE = 16 << 20  # bytes of memory, beside what reading the rest takes

    def long_file(self, name, head, before, after):
        """Good rows, more than the first look takes, then the line, then a good row."""
        with open(self.folder / name, "wb") as file:
            text = head.encode() + b"".join(before(i).encode() for i in range(20_000))
            self.put("short-" + name, text)
            file.write(text)
            file.seek(self.LONG, os.SEEK_CUR)
            file.write(b"\n" + after.encode())
        return name

    def grows(self, said, short, key):
        self.assertLess(said[key], short[key] + self.MOST_MORE)

    def test_import_passes_over_it_in_little_memory(self):
        name = self.long_file("long.csv", "user_id,item_id,ts\n", lambda i: f"u{i},p{i % 9},{1760000000 + i}\n",
                              "last,p1,1760000000\n")
        run = ["import", "csv", "--dry-run", "--json"]
        short = json.loads(self.ok(*run, "short-" + name).stdout)
        done = self.ok(*run, name)
        said = json.loads(done.stdout)
        self.assertEqual((said["accepted"], said["bad_rows"]), (20_001, 1))
        self.assertEqual((said["errors"][0]["line"], said["errors"][0]["reason"]), (20_002, "a row longer than 1 MB"))
        self.grows(said, short, "peak_memory_bytes")

    def test_items_import_says_where_it_is(self):
        name = self.long_file("items.csv", "id,title\n", lambda i: f"p{i},a title of some length\n", "last,x\n")
        done = self.run_attune("items", "import", name, "--dry-run")
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 20002: a row longer than 1 MB", done.stderr)
        self.assertIn("1 of 20002 rows are bad", done.stderr)

    def test_train_passes_over_it_in_little_memory(self):
        tables = [("t.csv", "x,y\n", lambda i: f"{i % 7},{int(i % 7 > 3)}\n", "1,0\n", ["--target", "y"]),
                  ("t.vw", "", lambda i: f"{1 if i % 7 > 3 else -1} |a x:{i % 7}\n", "1 |a x:1\n", ["--format", "vw"])]
        for name, head, before, after, how in tables:
            run = ["train", self.long_file(name, head, before, after), *how, "--passes", "1", "--json"]
            short = json.loads(self.ok("train", "short-" + name, *run[2:], "--output", "s").stdout)
            said = json.loads(self.ok(*run).stdout)
            self.assertEqual((said["bad_rows"], said["first_bad_rows"][0]["line"]), (1, 20_001 + bool(head)))
            self.assertIn("longer than 1 MB", said["first_bad_rows"][0]["reason"])
            self.grows(said, short, "peak_rss_bytes")


class ImportData(ImportCase):
    def needs(self, folder):
        if not (DATA / folder).is_dir():
            self.skipTest(f"no {folder} in ATTUNE_DATA ({DATA})")
        return str(DATA / folder)

    def test_gowalla(self):
        said = self.report("gowalla-ngcf", self.needs("gowalla-ngcf"), "--workspace", "w")
        self.assertEqual((said["rows"], said["bad_rows"], said["events"]), (29858, 0, 810128))
        self.assertEqual((said["persons"], said["items"]), (29858, 40981))

    def test_obd_propensities_come_back_bit_for_bit(self):
        folder = self.needs("obd-men")
        said = self.report("obd", folder, "--workspace", "w")
        self.assertEqual((said["bad_rows"], said["persons"], said["items"]), (0, 20000, 34))
        self.ok("export", "--format", "obd", "--workspace", "w", "--output", "back.csv")
        back = list(csv.DictReader((self.folder / "back.csv").read_text().splitlines()))
        wanted = []
        for policy in ("random", "bts"):
            with gzip.open(f"{folder}/{policy}/men.csv.gz", "rt") as file:
                wanted += [(row["item_id"], row["position"], row["click"], float(row["propensity_score"]).hex())
                           for row in csv.DictReader(file)]
        got = [(row["item_id"], row["position"], row["click"], float(row["propensity_score"]).hex()) for row in back]
        self.assertEqual(got, wanted)
        self.verify()

    def test_bank_marketing(self):
        said = self.report("uci-bank-marketing", self.needs("uci-bank-marketing"), "--workspace", "w")
        self.assertEqual((said["rows"], said["bad_rows"], said["persons"]), (45211, 0, 45211))
        self.assertEqual(said["events"], 1 + 2 * 45211 + 5289)

    def test_s3rec(self):
        folder = self.needs("amazon-s3rec-sequences")
        said = self.report("amazon-s3rec", folder + "/Beauty.txt.gz", "--workspace", "w")
        self.assertEqual((said["bad_rows"], said["persons"], said["items"]), (0, 22363, 12101))
        self.assertEqual(said["events"], 12101 + 198502)
        self.verify()


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
