"""``chat-mvp demo`` from the first line to the last."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support.server import environment
from tests.support.terminal import run_program


def test_the_demo_shows_delivery_queue_and_receipts() -> None:
    outcome = run_program("demo", settings={"PORT": "1", "MONGO_URI": "mongodb://nowhere/"})
    assert (outcome.code, outcome.err) == (0, ""), outcome
    told = [line.strip() for line in outcome.out.splitlines() if line.strip()]
    wanted = [
        r"A server with its own MongoDB, in (\S+)",
        r"ready at http://127\.0\.0\.1:\d+ after \d+\.\d s",
        r"Ada: Hello Bob, concert tonight\?  \(stored as number 1, ✓ sent\)",
        r"Bob's screen shows: Hello Bob, concert tonight\?",
        r"✓✓ Ada sees that Bob has read up to number 1",
        r"Bob goes offline.*",
        r"Ada: Are you there\?  \(stored as number 2, queued for Bob\)",
        r"Ada: I have taken two, come at eight\.  \(stored as number 4, queued for Bob\)",
        r"Bob comes back",
        r"Bob's screen shows: Are you there\?",
        r"Bob's screen shows: I have taken two, come at eight\.",
        r"drained: 3 messages had waited",
        r"✓✓ Ada sees that Bob has read up to number 4",
        r"4\. I have taken two, come at eight\.",
    ]
    position = 0
    for pattern in wanted:
        found = [index for index in range(position, len(told)) if re.fullmatch(pattern, told[index])]
        assert found, f"{pattern} is missing after:\n" + "\n".join(told[:position])
        position = found[0] + 1
    directory = re.fullmatch(wanted[0], told[0])
    assert directory is not None
    assert not Path(directory[1]).exists()


def test_left_open_it_has_people_and_a_history() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "chat_mvp", "demo", "--open"],
        env=environment({}) | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        told: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.strip().partition(":")
            told[name] = value.strip()
            if line.strip().startswith("Ctrl-C"):
                break
        url, password = told["address"], told["password"].partition(" ")[0]
        with httpx.Client(base_url=f"{url}/api/v1", trust_env=False) as http:
            signed_in = http.post("/auth/login", json={"login": "dora", "password": password}).json()
            headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
            found = http.get("/conversations", headers=headers).json()["items"]
        assert {one["kind"] for one in found} == {"group", "direct"}
        assert max(one["last_seq"] for one in found) >= 19
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        if process.poll() is None:
            # Its server too, which would otherwise hold the other end of the pipes.
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert (process.returncode, err) == (0, ""), out
    with httpx.Client(trust_env=False) as http:
        try:
            http.get(f"{url}/health/live")
        except httpx.ConnectError:
            return
    raise AssertionError(f"the demo's server still answers, process {os.getpid()}")
