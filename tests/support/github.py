"""A forge that speaks GitHub's REST interface as far as forks need it, on this host, and remembers what it was asked.

A branch is behind its upstream until it has been merged once; files are kept as they are put; a search finds what the
test has in `pulls`. Repositories of which there is more than that lie in a directory, and whoever bears the token has
them from git's own http-backend. Everything else is said by the test, request by request.
"""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import threading
import time
import urllib.parse

DESCRIPTION = pathlib.Path(__file__).resolve().parent / "github-openapi-subset.json"  # of GitHub, MIT: see its `info`
MERGE = re.compile(r"/repos/([^/]+/[^/]+)/merge-upstream")
COMPARE = re.compile(r"/repos/([^/]+/[^/]+)/compare/(.+)")
CONTENTS = re.compile(r"/repos/([^/]+/[^/]+)/contents/(.+)")
SEARCH = re.compile(r"/search/issues[?](.+)")
BRANCHES = re.compile(r"/repos/([^/]+/[^/]+)/branches[?](.+)")
GIT = re.compile(r"/[^/]+/[^/]+[.]git/")
ENTERPRISE = "/api/v3"  # a prefix of the interface's paths, for whoever comes with it


class Forge:
    """`special` maps a request (method, path, body as an object or None) to (status, object, headers), or to None for
    what a well-behaved forge says. One that answers "reset" hangs up."""

    def __init__(self, special=lambda method, path, body: None, delay_seconds=0.0, certificate=None, repositories=None,
                 token=""):
        self.special, self.delay_seconds = special, delay_seconds
        self.repositories = repositories
        self.before_git = lambda method, path: None
        self.git_login = "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
        self.lock = threading.Lock()
        self.merged, self.asked = set(), []  # (repo, branch); (method, path, body)
        self.ahead = {}  # (repo, branch): the subjects of its commits that the upstream has not, the oldest first
        self.files, self.commits = {}, []  # (repo, path): bytes; (repo, path, subject)
        self.spared = 0  # files that had not changed since whoever asks was last told
        self.pulls = []  # (number, title)
        examples = json.loads(DESCRIPTION.read_text())["components"]["examples"]
        self.examples = {name: example["value"] for name, example in examples.items()}
        self.comparison = self.examples["commit-comparison"]
        forge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):  # pylint: disable=invalid-name
                if GIT.match(self.path):
                    forge.answer_git(self, b"")
                else:
                    forge.answer(self, None)

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if GIT.match(self.path):
                    forge.answer_git(self, body)
                else:
                    forge.answer(self, json.loads(body))

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
            path = request.path.removeprefix(ENTERPRISE)
            self.asked.append((request.command, path, body))
            said = self.special(request.command, path, body)
            if said is None:
                said = self.tagged(request, *self.usual(path, body))
        if said == "reset":
            request.close_connection = True
            return
        status, content, headers = said
        data = json.dumps(content).encode() if status != 304 else b""
        request.send_response(status)
        content_type = {"Content-Type": "application/json"} if data else {}
        for name, value in (content_type | {"Content-Length": len(data)} | headers).items():
            request.send_header(name, str(value))
        request.end_headers()
        request.wfile.write(data)

    def tagged(self, request, status, content, headers):
        """Files have a tag, by which they can be asked for on condition."""
        if request.command != "GET" or status != 200 or not CONTENTS.fullmatch(request.path.removeprefix(ENTERPRISE)):
            return status, content, headers
        tag = f'"{hashlib.sha1(json.dumps(content).encode()).hexdigest()}"'
        if request.headers.get("If-None-Match") != tag:
            return status, content, headers | {"ETag": tag}
        self.spared += 1
        return 304, None, {"ETag": tag}

    def answer_git(self, request, body):
        with self.lock:
            self.asked.append((request.command, request.path, None))
        self.before_git(request.command, request.path)
        path, _, query = request.path.partition("?")
        if request.headers.get("Authorization") != self.git_login:
            status, headers, data = 401, [("WWW-Authenticate", 'Basic realm="git"')], b""
        else:
            variables = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.repositories), "GIT_HTTP_EXPORT_ALL": "1",
                         "REQUEST_METHOD": request.command, "PATH_INFO": path, "QUERY_STRING": query,
                         "REMOTE_USER": "x-access-token", "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                         "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
                         "HTTP_GIT_PROTOCOL": request.headers.get("Git-Protocol", ""), "GIT_CONFIG_COUNT": "1",
                         "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
            said = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True, check=True).stdout
            head, _, data = said.partition(b"\r\n\r\n")
            headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
            status = next((int(value[:3]) for name, value in headers if name == "Status"), 200)
        request.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(data)))]:
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data)

    def usual(self, path, body):
        if merge := MERGE.fullmatch(path):
            branch = (merge[1], body["branch"])
            is_behind = branch not in self.merged
            self.merged.add(branch)
            return 200, {"message": "-", "merge_type": "fast-forward" if is_behind else "none",
                         "base_branch": f"up:{body['branch']}"}, {}
        if compare := COMPARE.fullmatch(path):
            return self.difference(urllib.parse.unquote(compare[2].partition("?")[0]), compare[1],
                                   urllib.parse.parse_qs(compare[2].partition("?")[2]))
        if file := CONTENTS.fullmatch(path):
            return self.file(file[1], urllib.parse.unquote(file[2]), body)
        if search := SEARCH.fullmatch(path):
            return self.found(urllib.parse.parse_qs(search[1]))
        if listed := BRANCHES.fullmatch(path):
            return self.branches(listed[1], urllib.parse.parse_qs(listed[2]))
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

    def branches(self, repo, query):
        page, size = int(query["page"][0]), int(query["per_page"][0])
        names = subprocess.run(["git", f"--git-dir={self.repositories}/{repo}.git", "for-each-ref", "refs/heads",
                                "--format=%(objectname) %(refname:lstrip=2)"], capture_output=True, text=True, check=True)
        found = [{"name": name, "commit": {"sha": sha, "url": f"{self.url}/repos/{repo}/commits/{sha}"}, "protected": False}
                 for sha, name in (line.split(" ", 1) for line in names.stdout.splitlines())]
        more = {"Link": f'<{self.url}/repositories/1/branches?page={page + 1}>; rel="next"'} if len(found) > page * size else {}
        return 200, found[(page - 1) * size:page * size], more

    def difference(self, basehead, upstream, query):
        """The newest 250 commits, or a page; of the fork of that owner with the upstream's name."""
        owner, branch = basehead.split("...", 1)[1].split(":", 1)
        subjects = self.ahead.get((f"{owner}/{upstream.split('/')[1]}", branch), [])
        shown = subjects[-250:]
        if "page" in query:
            page, size = int(query["page"][0]), int(query["per_page"][0])
            shown = subjects[(page - 1) * size:page * size]
        return 200, self.compared(subjects, shown), {}

    def compared(self, subjects, shown=None):
        """The answer to a comparison with these commits ahead, the oldest first; of which those are named."""
        commit = self.comparison["commits"][0]
        return self.comparison | {"ahead_by": len(subjects), "behind_by": 0, "total_commits": len(subjects), "commits": [
            commit | {"commit": commit["commit"] | {"message": subject}}
            for subject in (subjects if shown is None else shown)]}
