"""A small server of W&B's: it answers what the real client asks over HTTP, and keeps what came."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789abcdef" * 3


@dataclass
class Run:
    """What the server holds of a run; ``lines`` are its history, by their place."""

    name: str
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None


class Server:
    """Runs by name, and the names of all operations that were asked for."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.asked: list[str] = []
        self.refuses = False
        self.fails = False
        self.url = ""

    def graphql(self, body: dict[str, Any]) -> dict[str, Any]:
        query, values = body["query"], body.get("variables") or {}
        operation = query.replace("{", " ").replace("(", " ").split()[1]
        self.asked.append(operation)
        if operation == "UpsertBucket":
            return {"upsertBucket": self._upsert(values)}
        if operation == "RunResumeStatus":
            return {"model": self._model(self.runs.get(values["name"]))}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.url}/storage/{name}"} for name in values["files"]]
            return {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": files}}
        if operation == "CreateArtifact":
            artifact = {"id": "1", "state": "COMMITTED", "artifactSequence": {"latestArtifact": None}}
            return {"createArtifact": {"artifact": artifact}}
        viewer = {"id": "1", "entity": "me", "username": "me", "email": "", "flags": "{}", "teams": {"edges": []}}
        return {"viewer": viewer, "serverInfo": {"features": []}, "project": None}

    def stream(self, name: str, body: dict[str, Any]) -> None:
        run = self.runs[name]
        for file, part in (body.get("files") or {}).items():
            for number, line in enumerate(part["content"]):
                if file == "wandb-history.jsonl":
                    run.lines[part["offset"] + number] = json.loads(line)
                elif file == "wandb-summary.json":
                    run.summary = json.loads(line)
        if body.get("complete"):
            run.exit_code = body["exitcode"]

    def _upsert(self, values: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.setdefault(values["name"], Run(values["name"]))
        run.config = json.loads(values.get("config") or "{}") or run.config
        run.said |= {name: value for name, value in values.items() if value is not None}
        project = {"id": "1", "name": values.get("project"), "entity": {"id": "1", "name": "me"}}
        bucket = {"id": run.name, "name": run.name, "project": project, "historyLineCount": len(run.lines)}
        return {"bucket": {**bucket, "displayName": values.get("displayName")}, "inserted": not run.lines}

    def _model(self, run: Run | None) -> dict[str, Any] | None:
        if run is None:
            return None
        tail = [json.dumps(run.lines[max(run.lines)])] if run.lines else []
        bucket = {
            "id": run.name,
            "name": run.name,
            "summaryMetrics": json.dumps(run.summary),
            "logLineCount": 0,
            "historyLineCount": len(run.lines),
            "eventsLineCount": 0,
            "historyTail": json.dumps(tail),
            "eventsTail": "[]",
            "config": json.dumps(run.config),
            "tags": [],
            "wandbConfig": json.dumps({"t": 1}),
        }
        return {"id": "1", "name": "quatrain", "entity": {"id": "1", "name": "me"}, "bucket": bucket}


@contextmanager
def serving() -> Iterator[Server]:
    """A server on this machine, until the block ends."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if server.fails or server.refuses:
                self._answer(404 if server.fails else 401, {"error": "no"})
            elif self.path == "/graphql":
                self._answer(200, {"data": server.graphql(json.loads(body))})
            elif self.path.endswith("/file_stream"):
                server.stream(self.path.split("/")[-2], json.loads(body))
                self._answer(200, {})
            else:
                self._answer(404, {})

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(200, {})

        def do_GET(self) -> None:
            self._answer(404, {})

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    class Http(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that is gone is none."""

    http = Http(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
