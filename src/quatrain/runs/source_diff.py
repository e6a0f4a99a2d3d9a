"""What of a checkout differs from its commit, as one patch."""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from quatrain.core.secrets import is_secret_name, redact_text, secret_kind
from quatrain.runs.git import git, names

LARGEST_FILE = 1 << 20
LARGEST_PATCH = 8 << 20
"""Bytes of one file's part, and of a whole patch."""

SECRET_FILES = (
    *(".env", ".env.*", "*.env", ".netrc", "_netrc", ".pgpass", ".npmrc", ".pypirc", ".htpasswd", ".git-credentials"),
    *("*.key", "*.pem", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.gpg", "*.asc", "*.ppk", "*.ovpn"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*credential*", "*secret*", "*password*", "*passwd*"),
    *("kubeconfig", "token", "token.*", "*.token", "*_token.*", "*apikey*", "*api_key*", "service?account*.json"),
)
SECRET_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube", ".docker", ".azure"})
SOURCE_CODE = frozenset({".py", ".pyi", ".ipynb", ".md", ".rst", ".c", ".cc", ".cpp", ".cu", ".h", ".rs", ".js"})
"""In these a setting's name may be any variable; they are judged by the forms of secrets and by quoted values."""

PASSWORD = re.compile(r"passw|passphrase", re.IGNORECASE)
"""Other secrets have a digit somewhere; what a person makes up may have none."""

DIFF = (
    *("diff", "--cached", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
    *("--src-prefix=a/", "--dst-prefix=b/", "-U3", "--ignore-submodules=all"),
)


@dataclass
class Patch:
    """A patch for ``git apply``, and of each changed file that is not in it, why."""

    content: bytes = b""
    left_out: dict[str, str] = field(default_factory=dict)


def uncommitted(root: Path, commit: str, *, outputs: Sequence[Path] = ()) -> Patch | None:
    """Return what turns ``commit`` into the files under ``root``, those that git does not know of included.

    Left out, and named: files whose name or content is a secret's, untracked files that are not text, files beyond
    `LARGEST_FILE` and what exceeds `LARGEST_PATCH` in all. Silently left out: what git ignores, run directories, and
    what lies under ``outputs``. Nothing in the checkout or its ``.git`` is changed: index and objects are made aside.

    Returns:
        the patch, the same bytes for the same files; None where git cannot tell.
    """
    tracked = git(root, "diff", "--name-only", "-z", "--no-renames", "--ignore-submodules=all", commit)
    untracked = git(root, "ls-files", "--others", "--exclude-standard", "-z")
    objects = git(root, "rev-parse", "--path-format=absolute", "--git-path", "objects")
    if tracked is None or untracked is None or objects is None:
        return None
    patch = Patch()
    patch.left_out = {name: reason for name in names(tracked) if (reason := _unfit(root / name, name))}
    wanted = [name for name in names(tracked) if name not in patch.left_out]
    total = 0
    for name in names(untracked):
        if _is_output(root, name, outputs):
            continue
        reason, size = _unfit_untracked(root / name, name)
        total += size
        if reason is None and total > LARGEST_PATCH:
            reason = f"the patch would exceed {LARGEST_PATCH:,} bytes"
        if reason:
            patch.left_out[name] = reason
        else:
            wanted.append(name)
    with tempfile.TemporaryDirectory(prefix="quatrain-diff-") as aside:
        (Path(aside) / "objects").mkdir()
        environment = {
            "GIT_INDEX_FILE": str(Path(aside) / "index"),
            "GIT_OBJECT_DIRECTORY": str(Path(aside) / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.fsdecode(objects).strip(),
        }
        listed = b"".join(os.fsencode(name) + b"\0" for name in wanted)
        read = git(root, "read-tree", commit, environment=environment)
        taken = git(root, "update-index", "--add", "--remove", "-z", "--stdin", stdin=listed, environment=environment)
        changed = git(root, *DIFF, "--name-only", "-z", commit, environment=environment)
        whole = git(root, *DIFF, commit, environment=environment)
    if read is None or taken is None or changed is None or whole is None:
        return None
    for name, part in zip(names(changed), _parts(whole), strict=True):
        if reason := _unfit_part(name, part, len(patch.content)):
            patch.left_out[name] = reason
        else:
            patch.content += part
    return patch


def is_secret_file(name: str) -> bool:
    """Whether a file of this name, given with its folders, is one that people keep secrets in."""
    *folders, file = name.lower().split("/")
    if not SECRET_FOLDERS.isdisjoint(folders):
        return True
    source = Path(file).suffix in SOURCE_CODE
    return any(fnmatch(file, pattern) for pattern in SECRET_FILES) and not source


def _is_output(root: Path, name: str, outputs: Sequence[Path]) -> bool:
    """Whether an untracked file was written by a run."""
    path = root / name
    if any(path.is_relative_to(folder) and not root.is_relative_to(folder) for folder in outputs):
        return True
    for folder in path.parents:
        if folder == root:
            return False
        if (folder / "config.yaml").exists() and (folder / "status.json").exists():
            return True
    return False


def _unfit(path: Path, name: str) -> str | None:
    """Why a tracked file is not looked into, if it is not."""
    if is_secret_file(name):
        return "its name is a secret's"
    if not path.is_symlink() and path.exists() and not os.access(path, os.R_OK):
        return "not readable"
    return None


def _unfit_untracked(path: Path, name: str) -> tuple[str | None, int]:
    """Why an untracked file is not looked into, if it is not; and its bytes, if it is."""
    if path.is_dir() and not path.is_symlink():
        return "a repository of its own", 0
    if reason := _unfit(path, name):
        return reason, 0
    try:
        size = path.lstat().st_size
        if size > LARGEST_FILE:
            return f"{size:,} bytes", 0
        if not path.is_symlink() and b"\0" in path.read_bytes():
            return "not text", 0
    except OSError as error:  # it may have gone meanwhile
        return f"not readable: {error.strerror}", 0
    return None, size


def _unfit_part(name: str, part: bytes, so_far: int) -> str | None:
    """Why a file's part does not go into the patch, if it does not."""
    if len(part) > LARGEST_FILE:
        return f"its part has {len(part):,} bytes"
    if so_far + len(part) > LARGEST_PATCH:
        return f"the patch would exceed {LARGEST_PATCH:,} bytes"
    text = "\n".join(
        row[1:] for row in part.decode(errors="replace").splitlines() if not row.startswith(("index", "@@"))
    )
    if kind := secret_kind(text):
        return f"it holds {kind}"
    if _holds_secret_setting(name, text):
        return "it holds a setting whose name is a secret's"
    return None


def _holds_secret_setting(name: str, text: str) -> bool:
    if Path(name).suffix.lower() not in SOURCE_CODE:
        return redact_text(text) != text
    return any(
        is_secret_name(key) and (any(map(str.isdigit, value)) or PASSWORD.search(key))
        for key, value in _quoted_settings(text)
    )


def _quoted_settings(text: str) -> Iterator[tuple[str, str]]:
    """Names with the literal that each is set to, of eight characters or more without a space."""
    yield from re.findall(r"([A-Za-z_][\w.\-]*)[\"']?\]?\s*[:=]\s*[\"']([^\"'\s<>{}$]{8,})[\"']", text)


def _parts(patch: bytes) -> list[bytes]:
    """A patch in its files' parts. A line of content never begins with the header's word."""
    parts: list[bytes] = []
    for part in re.split(rb"^(?=diff --git )", patch, flags=re.MULTILINE):
        if parts and part.partition(b"\n")[0] == parts[-1].partition(b"\n")[0]:
            parts[-1] += part  # a file that became a link is one that goes and one that comes
        elif part:
            parts.append(part)
    return parts
