"""Where a run comes from: its code, versions, machine, data, automatic choices; and how often it was taken up."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from quatrain.report.numbers import moment, number, share
from quatrain.report.rendering import joined, properties, render, table
from quatrain.report.run_files import RunFiles

FIRST_VERSIONS = ("quatrain", "torch", "pytorch-lightning", "transformers", "tokenizers", "datasets", "hydra-core")
GIB = 2**30


def origin(files: RunFiles) -> Markup:
    """Command, code, machine, versions and fingerprints, as provenance.json has them; nothing where that is missing."""
    found = files.provenance
    if not found:
        return Markup()
    versions = found.get("versions") or {}
    packages = [[name, versions[name]] for name in sorted(versions)]
    first = ", ".join(f"{name} {versions[name]}" for name in FIRST_VERSIONS if name in versions)
    known = {
        "command": _command(found.get("command")),
        "directory": render("code.html", text=str(files.run.path)),
        "project": _checkout(found.get("git")),
        "quatrain's own": _checkout(found.get("quatrain_git")),
        "code, by checksum": _code(found.get("code")),
        "machine": _machine(found),
        "Python": f"{found.get('python', '')} on {found.get('platform', '')}" if found.get("python") else "",
        "versions": joined(
            render("text.html", text=first),
            render(
                "unfold.html", summary=f"all {len(packages)} packages", body=table(["package", "version"], packages)
            ),
        )
        if packages
        else "",
        "seeds": ", ".join(f"{name} {value}" for name, value in (found.get("seeds") or {}).items()),
        **{f"{name}, by checksum": _code(value) for name, value in (found.get("fingerprints") or {}).items()},
        **{str(name): str(value) for name, value in (found.get("revisions") or {}).items()},
    }
    return properties({name: value for name, value in known.items() if value})


def data_facts(files: RunFiles) -> Markup:
    """What the data came to: rows, tokens and what else its summary counts, by split."""
    found = files.provenance.get("data")
    if not isinstance(found, dict):
        return Markup()
    splits = list(dict.fromkeys(name.partition("/")[2] for name in found if "/" in name))
    kinds = list(dict.fromkeys(name.partition("/")[0] for name in found if "/" in name))
    rows = [
        [kind.replace("_", " "), *(_counted(kind, found.get(f"{kind}/{split}")) for split in splits)] for kind in kinds
    ]
    others = {name.replace("_", " "): number(value) for name, value in found.items() if "/" not in name}
    return joined(table(["", *splits], rows) if rows else Markup(), properties(others))


def choices(files: RunFiles) -> Markup:
    """Every automatic choice with its reason."""
    found = files.provenance.get("choices") or {}
    rows = [[name, str(choice["value"]), str(choice.get("reason", ""))] for name, choice in found.items()]
    return table(["what", "chosen", "because"], rows) if rows else Markup()


def attempts(files: RunFiles) -> Markup:
    """Where the run was taken up again, on which machine, and what had changed; nothing for a run of one attempt."""
    resumed = files.provenance.get("resumed") or []
    rows = [
        [
            number(entry["step"]),
            moment(entry.get("time", "")),
            entry["host"],
            "; ".join(_change(change) for change in entry["changed"]) or "nothing",
        ]
        for entry in resumed
    ]
    changes = [
        [moment(change.time), change.why, ", ".join(f"{key}={value}" for key, value in change.set.items())]
        for change in files.changes
    ]
    return joined(
        table(["from step", "at", "machine", "changed since the start"], rows) if rows else Markup(),
        table(["at", "why", "set"], changes, caption="Changes after the run was frozen.") if changes else Markup(),
    )


def _change(change: Mapping[str, Any]) -> str:
    before, now = change.get("before"), change.get("now")
    return f"{change['what']}: {before} became {now}" if before is not None or now is not None else str(change["what"])


def _counted(kind: str, value: Any) -> str:
    if value is None:
        return ""
    return share(value) if kind in ("truncated", "majority_share") else number(value)


def _command(words: Any) -> Markup:
    return render("code.html", text=" ".join(map(str, words))) if isinstance(words, list) else Markup()


def _checkout(found: Any) -> Markup:
    if not isinstance(found, dict):
        return Markup()
    changed = ", with changes" + (f" ({found['diff']})" if found.get("diff") else "") if found.get("dirty") else ""
    return render("code.html", text=f"{found['commit'][:12]} on {found.get('branch')}{changed}")


def _code(text: Any) -> Markup:
    return render("code.html", text=str(text)[:16]) if text else Markup()


def _machine(found: Mapping[str, Any]) -> str:
    gpus = found.get("gpus") or []
    memory = found.get("memory_bytes")
    parts = [
        found.get("host"),
        found.get("cpu"),
        f"{found['cpus_usable']} of {found.get('cpus')} cores" if "cpus_usable" in found else None,
        f"{memory / GIB:.0f} GiB" if isinstance(memory, int) else None,
        ", ".join(_gpu(gpu) for gpu in gpus) if gpus else "no GPU",
        f"{found['ranks']} processes" if isinstance(found.get("ranks"), int) and found["ranks"] > 1 else None,
    ]
    return ", ".join(str(part) for part in parts if part)


def _gpu(gpu: Any) -> str:
    return str(gpu.get("name", "GPU")) if isinstance(gpu, dict) else str(gpu)
