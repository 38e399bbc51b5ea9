"""A forge that speaks GitHub's REST interface as far as forks need it, on this host, and remembers what it was asked.

A branch is behind its upstream until it has been merged once; files are kept as they are put; a search finds what the
test has in `pulls`. Everything else is said by the test, request by request.
"""

import base64
import hashlib
import http.server
import json
import pathlib
import re
import ssl
import threading
import time
import urllib.parse

DESCRIPTION = pathlib.Path(__file__).resolve().parent / "github-openapi-subset.json"  # of GitHub, MIT: see its `info`
MERGE = re.compile(r"/repos/([^/]+/[^/]+)/merge-upstream")
COMPARE = re.compile(r"/repos/([^/]+/[^/]+)/compare/(.+)")
CONTENTS = re.compile(r"/repos/([^/]+/[^/]+)/contents/(.+)")
SEARCH = re.compile(r"/search/issues[?](.+)")


class Forge:
    """`special` maps a request (method, path, body as an object or None) to (status, object, headers), or to None for
    what a well-behaved forge says. One that answers "reset" hangs up."""

    def __init__(self, special=lambda method, path, body: None, delay_seconds=0.0, certificate=None):
        self.special, self.delay_seconds = special, delay_seconds
        self.lock = threading.Lock()
        self.merged, self.asked = {}, []  # (repo, branch): how often there was something to merge; (method, path, body)
        self.files, self.commits = {}, []  # (repo, path): bytes; (repo, path, subject)
        self.pulls = []  # (number, title)
        examples = json.loads(DESCRIPTION.read_text())["components"]["examples"]
        self.examples = {name: example["value"] for name, example in examples.items()}
        self.comparison = self.examples["commit-comparison"]
        forge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):  # pylint: disable=invalid-name
                forge.answer(self, None)

            def do_POST(self):  # pylint: disable=invalid-name
                forge.answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            do_PUT = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                """Workers that are killed hang up."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_port}"
        if certificate:  # a file with its key in it
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request, body):
        time.sleep(self.delay_seconds)
        with self.lock:
            self.asked.append((request.command, request.path, body))
            said = self.special(request.command, request.path, body)
            if said is None:
                said = self.usual(request.path, body)
        if said == "reset":
            request.close_connection = True
            return
        status, content, headers = said
        data = json.dumps(content).encode()
        request.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": len(data)} | headers).items():
            request.send_header(name, str(value))
        request.end_headers()
        request.wfile.write(data)

    def usual(self, path, body):
        if merge := MERGE.fullmatch(path):
            branch = (merge[1], body["branch"])
            is_behind = branch not in self.merged
            if is_behind:
                self.merged[branch] = 1
            return 200, {"message": "-", "merge_type": "fast-forward" if is_behind else "none",
                         "base_branch": f"up:{body['branch']}"}, {}
        if COMPARE.fullmatch(path):
            return 200, self.compared([]), {}
        if file := CONTENTS.fullmatch(path):
            return self.file(file[1], urllib.parse.unquote(file[2]), body)
        if search := SEARCH.fullmatch(path):
            return self.found(urllib.parse.parse_qs(search[1]))
        return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com"}, {}

    def file(self, repo, path, body):
        known = self.files.get((repo, path))
        sha = known and hashlib.sha1(known).hexdigest()
        if body is None:
            if known is None:
                return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com", "status": "404"}, {}
            return 200, self.examples["content-file-response-if-content-is-a-file"] | {
                "path": path, "sha": sha, "size": len(known), "content": base64.encodebytes(known).decode()}, {}
        if known is not None and "sha" not in body:
            return 422, {"message": "Invalid request.\n\n\"sha\" wasn't supplied.",
                         "documentation_url": "https://docs.github.com"}, {}
        if body.get("sha") != sha:
            return 409, {"message": f"{path} does not match {sha}", "documentation_url": "https://docs.github.com"}, {}
        self.files[repo, path] = base64.b64decode(body["content"])
        self.commits.append((repo, path, body["message"]))
        example = f"file-commit-example-for-{'updating' if known else 'creating'}-a-file"
        return 200 if known else 201, self.examples[example], {}

    def found(self, query):
        page, size = int(query["page"][0]), int(query["per_page"][0])
        example = self.examples["issue-search-result-item-paginated"]
        items = [example["items"][0] | {"number": number, "title": title}
                 for number, title in self.pulls[(page - 1) * size:page * size]]
        more = {"Link": f'<{self.url}/search/issues?page={page + 1}>; rel="next"'} if len(self.pulls) > page * size else {}
        return 200, example | {"total_count": len(self.pulls), "items": items}, more

    def compared(self, subjects):
        """The answer to a comparison with these commits ahead, the oldest first."""
        commit = self.comparison["commits"][0]
        return self.comparison | {"ahead_by": len(subjects), "behind_by": 0, "total_commits": len(subjects), "commits": [
            commit | {"commit": commit["commit"] | {"message": subject}} for subject in subjects]}
