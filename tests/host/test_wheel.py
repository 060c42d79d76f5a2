"""What goes out: wheel and sdist, the workflows that publish them, and what contributors are told.

The wheel is built from the sdist and installed into an environment of its own, beside nothing but
what it says that it needs. That comes from this environment, so no network is used.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import eecluster
from eecluster_sim.process import find_micropython

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "https://github.com/eecluster/eecluster"
INFO = f"eecluster-{eecluster.__version__}.dist-info"
SDIST_FOLDERS = [
    "bench", "docs", "emulated", "examples", "proof", "reporting", "soak", "src", "tests", "tools",
    "types",
]  # fmt: skip
SDIST_FILES = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md"]
SDIST_PATTERNS = ["package*.json", "pyproject.toml", "requirements*.txt"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[0-9]*.yml"))


def run(*command, cwd=ROOT, **options):
    """Run a command to its good end; what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# Built


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    return folder


@pytest.fixture(scope="session")
def wheel(built):
    [path] = built.glob("*.whl")
    return path


def files(folder, *patterns):
    """What a folder holds, without what only this machine has."""
    found = [path for pattern in patterns for path in (ROOT / folder).rglob(pattern)]
    plain = [path for path in found if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(ROOT / folder).as_posix() for path in plain}


@pytest.mark.slow
def test_the_files_of_the_wheel(wheel):
    wanted = files("src", "*.py", "*.pyi", "py.typed")
    wanted |= {f"eecluster_sim/demo/example/{name}" for name in files("examples/first", "*.py")}
    info = ["METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"]
    wanted |= {f"{INFO}/{name}" for name in info}
    assert set(zipfile.ZipFile(wheel).namelist()) == wanted
    assert {"eecluster/__init__.py", "eecluster_sim/upy/machine.py"} <= wanted


@pytest.mark.slow
def test_the_types_are_in_the_wheel(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"eecluster/py.typed", "eecluster/__init__.pyi", "eecluster/cluster.pyi"} <= set(names)


@pytest.mark.slow
def test_the_files_of_the_sdist(built):
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name.partition("/")[0] for name in names if "/" in name} <= set(SDIST_FOLDERS)
    top = {path.name for pattern in SDIST_PATTERNS for path in ROOT.glob(pattern)}
    assert {name for name in names if "/" not in name} == {
        *SDIST_FILES,
        *top,
        "PKG-INFO",  # these two are always in it
        ".gitignore",
    }
    bad = re.compile(
        r"(^|/)(__pycache__|\..*_cache|\.ci|\.venv.*|build|dist|typings)/|\.(mpy|pyc)$"
    )
    assert [name for name in names if bad.search(name)] == []


@pytest.mark.slow
def test_the_sdist_has_what_git_has(built):
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SDIST_FOLDERS]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git repository")
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert {name for name in names if "/" in name} == wanted


# What PyPI shows


@pytest.fixture
def shown(wheel):
    """The metadata of the wheel."""
    return HeaderParser().parsestr(zipfile.ZipFile(wheel).read(f"{INFO}/METADATA").decode())


@pytest.mark.slow
def test_twine_is_content(built):
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(built.iterdir()))


@pytest.mark.slow
def test_the_metadata(shown):
    assert shown["Name"] == "eecluster" and shown["Version"] == eecluster.__version__
    assert shown["Requires-Python"] == ">=3.10" and shown["License-Expression"] == "MIT"
    urls = dict(line.split(", ") for line in shown.get_all("Project-URL"))
    assert urls["Repository"] == REPOSITORY
    assert all(url.startswith(REPOSITORY) for url in urls.values())
    required = [Requirement(line) for line in shown.get_all("Requires-Dist")]
    assert required and all(str(each.marker) == 'extra == "sim"' for each in required)
    assert "Framework :: Pytest" in shown.get_all("Classifier")


@pytest.mark.slow
def test_the_readme_of_pypi_has_no_links_that_lead_nowhere(shown):
    text = shown.get_payload()
    assert text.startswith("# eecluster\n") and "```python" in text
    begin = f"{REPOSITORY}/blob/v{eecluster.__version__}/"
    links = re.findall(r"\]\(([^)]+)\)", text)
    ours = [link.removeprefix(begin) for link in links if link.startswith(begin)]
    assert len(ours) > 10
    assert [path for path in ours if not (ROOT / path.partition("#")[0]).exists()] == []
    assert [link for link in links if "://" not in link] == []
    plain = (ROOT / "README.md").read_text()
    assert text.replace(begin, "") == plain  # and nothing else was changed


def test_the_version_is_stated_once():
    project = (ROOT / "pyproject.toml").read_text()
    assert 'dynamic = ["version", "readme"]' in project
    assert not re.search(rf'"{re.escape(eecluster.__version__)}"', project)


# Installed


def requirements(distribution, extra=""):
    """What it needs with that extra, here."""
    every = [Requirement(line) for line in distribution.requires or []]
    return [one.name for one in every if not one.marker or one.marker.evaluate({"extra": extra})]


def copy_installed(names, site):
    """Copy these distributions, and what they need, from this environment to another one."""
    done = set()
    while names:
        name = canonicalize_name(names.pop())
        if name in done:
            continue
        done.add(name)
        distribution = metadata.distribution(name)
        names += requirements(distribution)
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)


class Environment:
    """A virtual environment with the wheel, and a folder away from the sources to work in."""

    def __init__(self, folder, wheel):
        self.python = folder / "venv" / "bin" / "python"
        self.work = folder / "work"
        self.work.mkdir()
        run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        run(*pip, "--python", self.python, "install", "--no-index", "--no-deps", wheel)
        self.site = Path(
            self("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        )
        [ours] = metadata.distributions(name="eecluster", path=[str(self.site)])
        copy_installed([*requirements(ours, "sim"), "pytest"], self.site)

    def __call__(self, *arguments):
        """Run Python in it."""
        plain = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        plain.pop("PYTHONPATH", None)
        micropython = find_micropython()
        if micropython:
            plain["PATH"] = f"{Path(micropython).parent}{os.pathsep}{plain['PATH']}"
        return run(self.python, *arguments, cwd=self.work, env=plain)


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("installed"), wheel)


@pytest.mark.slow
def test_what_is_installed_is_what_is_used(installed):
    code = "import eecluster, eecluster_sim; print(eecluster.__file__, eecluster_sim.__file__)"
    paths = installed("-c", code).split()
    assert [Path(path).parent.parent for path in paths] == [installed.site] * 2


@pytest.mark.slow
def test_the_examples_of_the_readme(installed):
    shutil.copy(ROOT / "README.md", installed.work)
    installed("-m", "doctest", "-o", "ELLIPSIS", "README.md")


FIRST_EXAMPLE = """
from eecluster_sim import Lab

with Lab(seed=1) as lab:
    for address in (0x50, 0x51):
        lab.add_eeprom("AT24C256", address)
    board = lab.add_board("first.py", node=0)
    lab.run(10)
print(*board.lines, sep="\\n")
"""


@pytest.mark.slow
def test_the_first_example_of_the_readme(installed):
    example = BLOCK.findall((ROOT / "README.md").read_text())[0]
    before = "def read_sensor():\n    return 21.5\npublish = print\n"
    (installed.work / "first.py").write_text(f"{before}{example}print(status)\n")
    said = installed("-W", "ignore", "-c", FIRST_EXAMPLE).splitlines()
    assert said[0] == "21.5 15" and said[1].startswith("node 0: primary")


@pytest.mark.slow
def test_the_demo(installed):
    assert "The story happened" in installed("-m", "eecluster_sim", "demo", "--fast")


@pytest.mark.slow
def test_the_plugin_is_found(installed):
    """And the tests of docs/testing.md pass with it."""
    names = []
    for code in BLOCK.findall((ROOT / "docs" / "testing.md").read_text()):
        name = code.partition("\n")[0].removeprefix("# ")
        (installed.work / name).write_text(code)
        names += [name] * name.startswith("test_")
    for name in ("main.py", "config.py"):
        shutil.copy(ROOT / "examples" / "first" / name, installed.work)
    names.remove("test_torn.py")  # fails on purpose
    said = installed("-m", "pytest", "-W", "error", *names)
    assert f"plugins: eecluster-{eecluster.__version__}" in said
    assert re.search(r"^=+ (4 passed|3 passed, 1 skipped) in", said, re.MULTILINE), said


# Workflows


def scripts(workflow):
    """The shell scripts of a workflow: (name of the step, script)."""
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    return [(step.get("name"), step["run"]) for step in steps if "run" in step]


def actions(workflow):
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]


def targets():
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


workflows = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)


def test_the_workflows():
    if not (ROOT / ".github").exists():
        pytest.skip("an sdist has none")
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]


@workflows
def test_a_workflow_may_only_read_and_has_an_end(workflow):
    content = yaml.safe_load(workflow.read_text())
    assert content["permissions"] == {"contents": "read"}
    assert all("runs-on" in job for job in content["jobs"].values())


@workflows
def test_a_workflow_calls_targets_that_there_are(workflow):
    called = [
        word
        for _, script in scripts(workflow)
        for line in re.findall(r"^make (.*)$", script, re.MULTILINE)
        for word in line.split()
        if "=" not in word
    ]
    assert set(called) <= targets()
    assert ("bash .ci/run") in [script for _, script in scripts(workflow)]


@workflows
def test_a_workflow_pins_its_actions(workflow):
    assert actions(workflow)
    for action in actions(workflow):
        assert re.fullmatch(r"(actions|pypa)/[\w-]+@(release/)?(v\d+|[0-9a-f]{40})", action), action


@workflows
def test_the_scripts_of_a_workflow_are_bash(workflow):
    for _, script in scripts(workflow):
        plain = re.sub(r"\$\{\{.*?\}\}", "x", script)
        run("bash", "-n", "-c", plain)


def test_ci_is_not_root_on_every_machine():
    """A runner of GitHub's is not, and .ci/run installs packages."""
    assert "sudo" in (ROOT / ".ci" / "run").read_text()


RELEASE = ROOT / ".github" / "workflows" / "release.yml"
VERSION = eecluster.__version__
AGREE = f"# Changelog\n\n## {VERSION} (2026-12-31)\n\n- New.\n\n## 0.0.9 (2026-01-01)\n\n- Old.\n"


@pytest.mark.skipif(not RELEASE.exists(), reason="an sdist has no workflows")
class TestRelease:
    """The scripts of release.yml, run in a folder with the library and a changelog."""

    def step(self, name, tmp_path, tag, changelog=AGREE):
        [script] = [script for found, script in scripts(RELEASE) if found == name]
        shutil.copytree(ROOT / "src" / "eecluster", tmp_path / "src" / "eecluster")
        (tmp_path / "CHANGELOG.md").write_text(changelog)
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=tmp_path,
            env=os.environ | {"GITHUB_REF_NAME": tag},
            capture_output=True,
            text=True,
        )

    @pytest.mark.parametrize(
        ("tag", "changelog", "error"),
        [
            (f"v{VERSION}", AGREE, ""),
            ("v9.9.9", AGREE, f"the tag is v9.9.9, src/eecluster/__init__.py says {VERSION}"),
            (VERSION, AGREE, f"the tag is {VERSION},"),
            (f"v{VERSION}", AGREE.replace(f"{VERSION} (2026-12-31)", "Unreleased"), "no heading"),
            (f"v{VERSION}", AGREE.replace(" (2026-12-31)", ""), "no heading"),
        ],
        ids=["right", "of another version", "without v", "unreleased", "undated"],
    )
    def test_the_tag_is_the_version(self, tmp_path, tag, changelog, error):
        done = self.step("tag, version and changelog agree", tmp_path, tag, changelog)
        assert done.returncode == (1 if error else 0), done.stderr
        assert error in done.stdout

    def test_it_comes_before_everything_else(self):
        names = [name for name, _ in scripts(RELEASE)]
        assert names[0] == "tag, version and changelog agree"
        jobs = yaml.safe_load(RELEASE.read_text())["jobs"]
        assert jobs["github"]["needs"] == "build" and "build" in jobs["pypi"]["needs"]

    def test_the_notes_are_those_of_the_version(self, tmp_path):
        [script] = [s for name, s in scripts(RELEASE) if name == "what is attached to the release"]
        awk = script[script.index("awk ") :]
        (tmp_path / "CHANGELOG.md").write_text(AGREE)
        environment = os.environ | {"GITHUB_REF_NAME": f"v{VERSION}"}
        run("bash", "-e", "-c", awk, cwd=tmp_path, env=environment)
        assert (tmp_path / "notes.md").read_text().strip() == "- New."

    def test_only_publishing_may_write(self):
        jobs = yaml.safe_load(RELEASE.read_text())["jobs"]
        rights = {name: job.get("permissions") for name, job in jobs.items()}
        assert rights == {
            "build": None,
            "github": {"contents": "write"},
            "pypi": {"id-token": "write"},
        }


def test_the_changelog():
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    dated = [heading for heading in headings if heading != "Unreleased"]
    assert headings and headings[: len(headings) - len(dated)] in ([], ["Unreleased"])
    for heading in dated:
        assert re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", heading), heading


# What contributors and reporters are told


def test_pre_commit_calls_targets_that_there_are():
    path = ROOT / ".pre-commit-config.yaml"
    if not path.exists():
        pytest.skip("an sdist has none")
    hooks = [hook for repo in yaml.safe_load(path.read_text())["repos"] for hook in repo["hooks"]]
    assert {hook["entry"] for hook in hooks} == {"make lint", "make types"}
    assert {hook["entry"].split()[1] for hook in hooks} <= targets()


GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


def test_the_guide_names_commands_that_there_are():
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", GUIDE, re.MULTILINE)) <= targets()
    modules = re.findall(r"python -m ((?:proof|soak|bench)(?:\.\w+)*)", GUIDE)
    assert modules
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    files = re.findall(r"`((?:tests|src|proof|reporting|soak|bench|tools)/[\w./]+)`", GUIDE)
    assert files and [name for name in files if not (ROOT / name).exists()] == []


def test_the_floors_of_the_guide():
    tree = ast.parse((ROOT / "tests" / "host" / "test_structure.py").read_text())
    [floors] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FLOORS"
    ]
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", GUIDE, re.MULTILINE)
    told = {int(floor): sorted(re.findall(r"`(\w+)`", names)) for floor, names in rows}
    assert told == {i: sorted(modules) for i, modules in enumerate(floors, 1)}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_links(name):
    for target in re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text()):
        if "://" not in target:
            assert (ROOT / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_an_issue_form(form):
    content = yaml.safe_load(form.read_text())
    assert content["name"] and content["description"]
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names)
    assert all(field["attributes"]["label"] for field in fields)


def test_a_report_from_hardware_says_what_matters():
    if not FORMS:
        pytest.skip("an sdist has none")
    content = yaml.safe_load(FORMS[0].read_text())
    needed = {
        field["id"] for field in content["body"] if field.get("validations", {}).get("required")
    }
    assert needed >= {
        "status", "version", "board", "micropython", "eeprom", "page", "pullups", "wiring",
        "supply", "lock", "nodes", "others",
    }  # fmt: skip
