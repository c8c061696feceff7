"""Every command of README.md and the tutorials runs, and prints what the page says.
run_docs.py BINARY [PAGE...]

A page's blocks ```sh run are run in one shell, in an empty folder that has build/release/attune and
the files of docs/tutorial; ```sh run data only where ATTUNE_DATA names the data sets. A block of
text after one is what it printed:
  ```text          to the letter
  ```text shape    but for numbers, ids and times
  ```text loose    its lines at the margin begin with these words, or are JSON with these keys
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ["README.md", "docs/tutorial.md", "docs/tutorial-data.md"]
BLOCK = re.compile(r"^```(sh run(?: data)?|text(?: shape| loose)?)\n(.*?)^```$", re.M | re.S)
DONE = "### done"
DATA = os.environ.get("ATTUNE_DATA", "")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def shape(text):
    text = re.sub(r"\b([dm])_[0-9A-Z]{26}", r"\1_#", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "#", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "#", text)
    text = re.sub(r"[█▉▊▋▌▍▎▏]+", "", text)
    text = re.sub(r"[-+]?\d[\d,.]*(e-?\d+)?", "#", text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


def margin(text):
    """First words at the margin; of a line of JSON the keys."""
    lines = [line for line in text.splitlines() if line and (line[0].isalpha() or line[0] == "{")]
    return [re.findall(r'"(\w+)":', line) if line[0] == "{" else line.split()[0] for line in lines]


VIEWS = {"text": lambda text: text.strip().splitlines(), "text shape": shape, "text loose": margin}


class Shell:
    def __init__(self, folder):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ATTUNE")}
        self.process = subprocess.Popen(
            ["bash"], cwd=folder, text=True,
            env={**clean, "LC_ALL": "C.UTF-8", "TERM": "dumb", "ATTUNE_DATA": os.path.abspath(DATA)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        # Ends what waits for ever; never a verdict on speed.
        self.watch = threading.Timer(900, lambda: os.killpg(self.process.pid, signal.SIGKILL))
        self.watch.start()

    def run(self, commands):
        """What the commands printed, and their last exit code."""
        self.process.stdin.write(f"{commands}\necho; echo '{DONE}' $?\n")
        self.process.stdin.flush()
        said = []
        for line in self.process.stdout:
            if line.startswith(DONE):
                return "".join(said)[:-1], int(line.split()[-1])
            said.append(line)
        return "".join(said), "the shell ended"

    def close(self):
        self.watch.cancel()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.communicate()


def prepare(folder, binary, port):
    (folder / "build/release").mkdir(parents=True)
    (folder / "build/release/attune").symlink_to(binary)
    shutil.copytree(ROOT / "docs/tutorial", folder / "docs/tutorial")
    for script in (folder / "docs/tutorial").glob("*.py"):
        script.write_text(script.read_text().replace("8090", port))


def run_page(page, binary):
    """Faults of the page, and how many blocks ran."""
    faults, port, printed, ran, skipped = [], free_port(), None, 0, 0
    with tempfile.TemporaryDirectory(prefix="attune-docs-") as folder:
        prepare(pathlib.Path(folder), binary, port)
        shell = Shell(folder)
        text = (ROOT / page).read_text()
        for block in BLOCK.finditer(text):
            place = f"{page} line {text.count(chr(10), 0, block.start()) + 1}"
            kind, body = block[1], block[2].replace("8090", port)
            if kind == "sh run data" and not DATA:
                printed, skipped = None, skipped + 1
            elif kind.startswith("sh run"):
                printed, code = shell.run(body)
                ran += 1
                if code != 0:
                    faults.append(f"{place}: exit {code} of\n{body}{printed}")
                    break
            elif printed is not None and VIEWS[kind](body) != VIEWS[kind](printed):
                faults.append(f"{place}: the page says\n{body}the commands printed\n{printed}")
        shell.close()
    return faults, ran, skipped


binary = os.path.abspath(sys.argv[1])
all_faults = []
for page in sys.argv[2:] or PAGES:
    faults, ran, skipped = run_page(page, binary)
    print(f"{page}: {ran} blocks, {len(faults)} faults" +
          (f", {skipped} blocks skipped: ATTUNE_DATA is not set" if skipped else ""))
    all_faults += faults or ([f"{page}: nothing to run"] if ran == 0 else [])
print("\n\n".join(all_faults))
sys.exit(bool(all_faults))
