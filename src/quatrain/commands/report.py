"""quatrain report: curves, scores and examples of a run or a sweep as one HTML page.

    quatrain report RUN
    quatrain report outputs/sweeps/NAME              a folder of runs: the table of all, with what each knob does
    quatrain report RUN --output report.html --open
    quatrain report RUN --no-examples                only what lies in the directory already; loads no model

Every run and every sweep writes its report.html when it ends (run.report=false: not). This writes it again, of any run:
done, failed, or still under way. What a run that is done lacks of examples is asked of its best weights first. The page
is one file without any request to anywhere. Its path goes to standard output, words to standard error.
docs/report.md tells what it shows.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from quatrain.core.terminal import one_line

if TYPE_CHECKING:
    from quatrain.runs.directory import RunDirectory


def main(arguments: list[str]) -> int:
    """Run ``quatrain report``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("report", __doc__)
    parser.add_argument("folder", metavar="RUN|SWEEP", help="a run directory, or a folder of runs")
    parser.add_argument("--output", metavar="FILE", help="where to write it; report.html in the folder without it")
    parser.add_argument("--no-examples", action="store_true", help="ask the model nothing")
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    folder = Path(asked.folder).expanduser()
    output = Path(asked.output).expanduser().absolute() if asked.output else None
    if output is not None:
        _check(output)
    if (folder / "config.yaml").exists() or not folder.is_dir():
        page = _of_run(asked.folder, output, examples=not asked.no_examples)
    else:
        from quatrain.report.sweep_report import write_sweep_report

        page = write_sweep_report(folder, output)
    print(page)
    if asked.open:
        _open(page)
    return 0


def _check(output: Path) -> None:
    """Refuse, before any work, what cannot be a page: a folder, or a file in one that is not there."""
    from quatrain.core.errors import UserError

    if output.is_dir():
        raise UserError(f"--output={output} is a folder; name the file, such as {output / 'report.html'}.")
    if not output.parent.is_dir():
        raise UserError(f"--output={output}: there is no folder {output.parent}; make it first.")


def _of_run(folder: str, output: Path | None, *, examples: bool) -> Path:
    from quatrain.core.errors import UserError
    from quatrain.report.run_report import write_run_report
    from quatrain.runs.directory import load_run

    run = load_run(folder)
    if examples and run.status().status == "done" and not run.examples.exists():
        try:
            _keep_examples(run)
        except UserError as error:
            print(f"Without examples: {one_line(' '.join(error.sentences))}", file=sys.stderr)
    return write_run_report(run, output)


def _keep_examples(run: "RunDirectory") -> None:
    print("asking the model about held-out examples; --no-examples leaves them out", file=sys.stderr)
    from quatrain.inference.examples import keep_examples
    from quatrain.runs.lock import locked

    with locked(run, run.command_lock):
        keep_examples(run)


def _open(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.as_uri()):
        print(f"There is no browser here; open {page} elsewhere: it is one file.", file=sys.stderr)
