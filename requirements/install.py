"""Make the two environments: `.venv` (harness, generators, handler) and `.venv-emulator` (LocalStack).

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


def fingerprint(names):
    """Hash of everything an environment is made from, so that a change of any of it makes it anew."""
    digest = hashlib.sha256((sys.version + sys.executable + ROOT).encode())
    for path in [os.path.join(REQUIREMENTS, name + ".txt") for name in names] + [
        os.path.join(ROOT, "pyproject.toml"),
        os.path.abspath(__file__),
    ]:
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


def is_current(stamp_path, wanted):
    """Whether the stamp says that this was made from what there is now."""
    if not os.path.exists(stamp_path):
        return False
    with open(stamp_path) as file:
        return file.read() == wanted


def install(directory, requirement):
    """Install one locked requirements file into an environment, with the installer that the environment holds."""
    python = os.path.join(directory, "bin", "python")
    run(
        [os.path.join(directory, "bin", "uv"), "pip", "install", "-q", "--python", python, "--compile-bytecode",
         "--require-hashes", "-r", os.path.join(REQUIREMENTS, requirement + ".txt")],
        "installing requirements/%s.txt into %s" % (requirement, os.path.basename(directory)),
        installer_environment(python),
    )  # fmt: skip


def make(directory, requirement, say):
    """Make one environment with the project in it, unless its stamp says that it is what it should be."""
    stamp_path = os.path.join(directory, ".stamp")
    wanted = fingerprint([requirement, "setup"])
    if is_current(stamp_path, wanted):
        return
    check_free_space()
    name = os.path.basename(directory)
    say("setup: making %s" % name)
    python = os.path.join(directory, "bin", "python")
    run([sys.executable, "-m", "venv", "--clear", directory], "making %s" % name)
    run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r",
         os.path.join(REQUIREMENTS, "setup.txt")],
        "installing the installer into %s" % name,
    )  # fmt: skip
    install(directory, requirement)
    run(
        [os.path.join(directory, "bin", "uv"), "pip", "install", "-q", "--python", python, "--offline",
         "--no-build-isolation", "--no-deps", "-e", ROOT],
        "installing the project into %s" % name,
    )  # fmt: skip
    with open(stamp_path, "w") as file:
        file.write(wanted)


def add(directory, requirement, say):
    """Install further requirements into an environment that is there, unless they are in it already."""
    stamp_path = os.path.join(directory, ".stamp-" + requirement)
    wanted = fingerprint([requirement])
    if is_current(stamp_path, wanted):
        return
    say("setup: adding %s tools to %s" % (requirement, os.path.basename(directory)))
    install(directory, requirement)
    with open(stamp_path, "w") as file:
        file.write(wanted)


def main():
    parser = argparse.ArgumentParser(description="Make .venv and .venv-emulator from requirements/*.txt.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and linters need")
    options = parser.parse_args()

    def say(text):
        sys.stderr.write(text + "\n")

    try:
        check_machine()
        venv = os.path.join(ROOT, ".venv")
        make(venv, "harness", say)
        if options.dev:
            add(venv, "dev", say)
        make(os.path.join(ROOT, ".venv-emulator"), "emulator", say)
    except (SetupError, OSError) as error:
        say("setup: %s" % error)
        return EXIT_SETUP_FAILED
    except KeyboardInterrupt:
        say("setup: interrupted; run it again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
