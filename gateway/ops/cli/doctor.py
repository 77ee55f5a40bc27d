"""`pakkehjem doctor`: what could stop the service, before the first message does."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.ops.cli.options import config_option, json_option
from gateway.ops.console import print_json, say, table
from gateway.ops.counted import counted
from gateway.ops.doctor.examination import examine
from gateway.ops.doctor.lines import Grade, exit_code


@click.command()
@config_option
@json_option
def command(config: Path | None, *, as_json: bool) -> int:
    """Look at everything that could stop the service, and say what to do about it. Changes nothing.

    Configuration, keys, certificates, register, schemas, journal, broker, traces, disk, clock. Run it as the
    user that the service runs as. Exit code 0 where there is no fault (warnings may be), 3 where the
    configuration must be corrected, 4 where journal or broker can not be reached, 1 for any other fault.

    Example: pakkehjem doctor -c gateway.toml
    """
    lines = examine(config)
    code = exit_code(lines)
    if as_json:
        print_json({"well": code == 0, "lines": [line.document() for line in lines]})
        return code
    table(
        ["", "area", "what, and what to do"],
        [
            (line.grade.value, line.area, line.text + (f"\n→ {line.hint}" if line.hint else ""))
            for line in lines
        ],
        whole=("", "area"),
    )
    counts = {grade: sum(line.grade is grade for line in lines) for grade in Grade}
    faults, warnings = counted(counts[Grade.FAULT], "fault"), counted(counts[Grade.WARNING], "warning")
    say(f"{faults}, {warnings}, {counts[Grade.OK]} in order")
    return code
