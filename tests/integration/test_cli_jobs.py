"""``chat-mvp jobs`` beside a running server and a real database."""

import json
from typing import Any

from pymongo import MongoClient

from chat_mvp.storage.ids import new_id
from chat_mvp.storage.jobs import NewJob, job_document
from chat_mvp.times import utc_now
from tests.support.server import Server, free_port
from tests.support.terminal import run_program


def test_listing_retrying_and_removing(server: Server) -> None:
    there = ["--data-dir", server.data_dir, "--mongo-uri", server.mongo_uri, "--mongo-database", server.database]
    nothing = run_program("jobs", "list", *there)
    assert (nothing.code, nothing.out) == (0, "There are no jobs.\n")
    document = job_document(NewJob(kind="of another version", payload={}), utc_now())
    dead = {"state": "dead", "attempts": 12, "error": "RuntimeError: a text that\x1b[31m steers the terminal"}
    with MongoClient[dict[str, Any]](server.mongo_uri) as client:
        client[server.database]["jobs"].insert_one(document | dead)
    job_id = str(document["_id"])
    (job,) = json.loads(run_program("jobs", "list", "--json", *there).out)
    assert (job["id"], job["kind"], job["state"], job["attempts"]) == (job_id, "of another version", "dead", 12)
    assert "\x1b" not in job["error"]
    retried = run_program("jobs", "retry", job_id, *there)
    assert (retried.code, retried.out) == (0, f"Job {job_id} is due now.\n")
    (job,) = json.loads(run_program("jobs", "list", "--json", *there).out)
    assert (job["state"], job["attempts"]) == ("waiting", 0)
    assert run_program("jobs", "remove", job_id, *there).out == f"Job {job_id} was removed.\n"
    for unknown in (job_id, new_id(), "nonsense"):
        missing = run_program("jobs", "retry", unknown, *there)
        assert (missing.code, missing.out) == (1, "")
        assert missing.err.startswith(f"chat-mvp: There is no job {unknown}")


def test_a_database_that_does_not_answer_is_reported_in_one_line(server: Server) -> None:
    uri = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0"
    outcome = run_program("jobs", "list", "--data-dir", server.data_dir, "--mongo-uri", uri)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
