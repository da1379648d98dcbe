"""Make the environments: `.venv` (harness, generators, handler), `.venv-emulator` (LocalStack), and on demand
`.venv-glue` (the Glue design's job with Spark), `.venv-otava` (change points for `harness trend`) and `.venv-ministack`
(the second emulator, for the contract tests).

In: the hash-pinned `requirements/*.txt`. Out: the environments, each with a stamp that lets the next call return at
once. Uses the standard library only and parses on any Python, 2.7 included, so that a too old one gets a sentence,
not a stack trace. Where packages come from is the machine's own pip configuration; no address is written here.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REQUIREMENTS = os.path.join(ROOT, "requirements")
OLDEST_PYTHON = (3, 11)
FREE_BYTES_NEEDED = 2500 * 1024 * 1024
EXIT_SETUP_FAILED = 4


class SetupError(Exception):
    """Something about this machine stops the set-up; the message says what, and what to do."""


def check_machine():
    """Raise SetupError if the interpreter or the disk cannot carry the environments."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise SetupError(
            "%s is Python %d.%d, but 3.11 or later is needed: name one with make PYTHON=/path/to/python3.11"
            % (sys.executable, sys.version_info[0], sys.version_info[1])
        )
    import importlib.util  # not there in Python 2.7, which must get the sentence above

    if not all(importlib.util.find_spec(name) for name in ("ensurepip", "venv")):
        raise SetupError("%s lacks the venv module (on Debian: apt-get install python3-venv)" % sys.executable)
    if not os.access(ROOT, os.W_OK):
        raise SetupError("%s cannot be written to: check out the project where you may write" % ROOT)


def check_free_space():
    """Raise SetupError if installing would fill the disk."""
    free_bytes = shutil.disk_usage(ROOT).free
    if free_bytes < FREE_BYTES_NEEDED:
        raise SetupError(
            "%d MB free in %s, but %d MB are needed: free some space"
            % (free_bytes // 2**20, ROOT, FREE_BYTES_NEEDED // 2**20)
        )


def fingerprint(*paths):
    """Hash of this interpreter, this place and these files: of what an environment is made from."""
    digest = hashlib.sha256((sys.version + sys.executable + ROOT).encode())
    for path in paths:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def run(arguments, what, environment=None):
    """Run a command quietly; on failure raise SetupError with its last line."""
    result = subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False, cwd=ROOT
    )
    if result.returncode:
        lines = [line for line in result.stdout.decode(errors="replace").splitlines() if line.strip()]
        raise SetupError("%s failed: %s" % (what, " | ".join(lines[-3:]) or "exit %d" % result.returncode))
    return result.stdout.decode(errors="replace")


def pip_setting(python, name):
    """What pip is configured to for `name`, by the environment or by its configuration files; None if nothing."""
    configured = subprocess.run(
        [python, "-m", "pip", "config", "get", "global." + name],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
    ).stdout.decode().strip()  # fmt: skip
    return os.environ.get("PIP_" + name.upper().replace("-", "_")) or configured or None


def installer_environment(python):
    """The environment for uv, told of the package index and of the certificates that pip is configured for, if any."""
    environment = dict(os.environ)
    index = pip_setting(python, "index-url")
    if index and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(environment):
        environment["UV_DEFAULT_INDEX"] = index
    certificates = pip_setting(python, "cert")
    if certificates:
        environment.setdefault("SSL_CERT_FILE", certificates)
    return environment


def locked(name):
    """The path of one locked requirements file."""
    return os.path.join(REQUIREMENTS, name + ".txt")


class Stamp:
    """A file in an environment that says what it was made from."""

    def __init__(self, directory, name, *sources):
        self.path = os.path.join(directory, name)
        self.wanted = fingerprint(*sources)

    def is_current(self):
        """Whether what was made is what it should be."""
        if not os.path.exists(self.path):
            return False
        with open(self.path) as file:
            return file.read() == self.wanted

    def write(self):
        """Note that it was made."""
        with open(self.path, "w") as file:
            file.write(self.wanted)


def make(directory, requirements, say, with_project=True):
    """Bring one environment, with the project in it, to what `requirements` say; at once if it is that already.

    The interpreter or the installer of another time makes it anew. Otherwise only what differs is installed or removed.
    """
    name = os.path.basename(directory)
    python = os.path.join(directory, "bin", "python")
    uv = os.path.join(directory, "bin", "uv")
    base = Stamp(directory, ".stamp-base", locked("setup"))
    sources = [locked(requirement) for requirement in requirements]
    whole = Stamp(directory, ".stamp", os.path.join(ROOT, "pyproject.toml"), os.path.abspath(__file__), *sources)
    if base.is_current() and whole.is_current():
        return
    check_free_space()
    say("setup: making %s (%s)" % (name, ", ".join(requirements)))
    if not base.is_current():
        run([sys.executable, "-m", "venv", "--clear", directory], "making %s" % name)
        run(
            [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes",
             "-r", locked("setup")],
            "installing the installer into %s" % name,
        )  # fmt: skip
        base.write()
    run(
        [uv, "pip", "sync", "-q", "--python", python, "--compile-bytecode", "--require-hashes"] + sources,
        "installing %s into %s" % (", ".join(requirements), name),
        installer_environment(python),
    )
    if with_project:
        run(
            [uv, "pip", "install", "-q", "--python", python, "--offline", "--no-build-isolation", "--no-deps",
             "-e", ROOT],
            "installing the project into %s" % name,
        )  # fmt: skip
    whole.write()


def has_dev_tools(directory):
    """Whether the development tools were asked for before: they stay."""
    return os.path.exists(os.path.join(directory, "bin", "pytest"))


def main():
    parser = argparse.ArgumentParser(description="Make .venv and .venv-emulator from requirements/*.txt.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and linters need")
    parser.add_argument("--glue", action="store_true", help="only .venv-glue, for the design that runs on Spark")
    parser.add_argument("--otava", action="store_true", help="only .venv-otava, for the change points of a history")
    options = parser.parse_args()

    def say(text):
        sys.stderr.write(text + "\n")

    try:
        check_machine()
        if options.glue:
            make(os.path.join(ROOT, ".venv-glue"), ["glue"], say)
            return 0
        if options.otava:
            make(os.path.join(ROOT, ".venv-otava"), ["otava"], say, with_project=False)
            return 0
        venv = os.path.join(ROOT, ".venv")
        make(venv, ["harness", "dev"] if options.dev or has_dev_tools(venv) else ["harness"], say)
        make(os.path.join(ROOT, ".venv-emulator"), ["emulator"], say)
        if options.dev:
            make(os.path.join(ROOT, ".venv-ministack"), ["ministack"], say, with_project=False)
    except (SetupError, OSError) as error:
        say("setup: %s" % error)
        return EXIT_SETUP_FAILED
    except KeyboardInterrupt:
        say("setup: interrupted; run it again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
