"""``chat-mvp doctor``: checks whether everything that the server needs exists, and says what to do if not."""

import asyncio

import msgspec

from chat_mvp.cli import checks
from chat_mvp.cli.backend import prepare_data_dir, shared_address
from chat_mvp.cli.checks import Finding
from chat_mvp.cli.output import print_json, print_table
from chat_mvp.errors import StartupError
from chat_mvp.mongod.epoch_note import check_never_made
from chat_mvp.ops.logs import configure_logs
from chat_mvp.security.keys import FILE_NAME as SIGNING_KEYS
from chat_mvp.settings import Loaded, Settings
from chat_mvp.storage.inspection import inspect

_SIGNS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM"}


def run(loaded: Loaded, *, as_json: bool) -> int:
    """Run every check, print the findings and return 1 if something is wrong."""
    configure_logs(shape="console", level="error")
    findings = asyncio.run(examine(loaded))
    if as_json:
        print_json([msgspec.to_builtins(finding) for finding in findings])
    else:
        rows = [(_SIGNS[it.status], it.check, f"{it.detail} {it.remedy}".strip()) for it in findings]
        print_table(("", "Check", "Finding"), rows)
    return int(any(finding.status == "problem" for finding in findings))


async def examine(loaded: Loaded) -> list[Finding]:
    """Return the findings of all checks. An embedded MongoDB that does not run is started and stopped again."""
    settings = loaded.settings
    findings = [checks.check_open_files(), checks.check_port(settings.host, settings.port)]
    try:
        prepare_data_dir(settings.data_dir)
    except StartupError as error:
        return [*findings, _problem("data directory", error)]
    findings += [
        checks.check_data_dir(settings.data_dir),
        checks.check_settings_file(loaded.secret_file),
        checks.check_disk(settings.data_dir),
    ]
    try:
        async with shared_address(settings) as address:
            origin = _origin(settings, of_running_server=address.of_running_server)
            findings.append(Finding(check="MongoDB", status="ok", detail=origin))
            facts = await inspect(address.uri, settings.mongo_database)
            findings += checks.check_database(facts)
            if facts.empty and settings.mongo_uri is None:
                check_never_made(settings.data_dir, settings.mongo_database, settings.data_dir / SIGNING_KEYS)
    except StartupError as error:
        findings.append(_problem("database", error))
    return findings


def _origin(settings: Settings, *, of_running_server: bool) -> str:
    if settings.mongo_uri is not None:
        return "The one in the settings."
    if of_running_server:
        return "The embedded one of the server that runs on this data directory."
    return "The embedded one, started for this check."


def _problem(check: str, error: StartupError) -> Finding:
    return Finding(check=check, status="problem", detail=error.detail, remedy=error.remedy)
