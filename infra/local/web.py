"""Requests to the stack's own addresses, with the standard library alone."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request

import console

TIMEOUT_SECONDS = 30
# The stack's addresses are on this machine: never ask a proxy for them.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(console.StackError):
    """An answer with an error status."""

    def __init__(self, method: str, url: str, status: int, body: str):
        super().__init__(f"{method} {url} answered {status}: {body[:500]}")
        self.status = status
        self.body = body


def request(method: str, url: str, body=None, headers: dict[str, str] | None = None, login: tuple | None = None):
    """Sends JSON, or bytes with the type in `headers`, and returns the parsed answer, or None if it is empty."""
    headers = {"Accept": "application/json", **(headers or {})}
    data = body
    if body is not None and not isinstance(body, bytes):
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    outgoing = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with _OPENER.open(outgoing, timeout=TIMEOUT_SECONDS) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise Refused(method, url, error.code, error.read().decode(errors="replace")) from error
    except OSError as error:
        raise console.StackError(f"{method} {url} failed: {error}. Is the stack up? `make up` starts it.") from error
    return json.loads(text) if text.strip() else None


class ServiceNow:
    """The Table API, as one user sees it."""

    def __init__(self, url: str, username: str, password: str):
        self.url = url.rstrip("/")
        self.login = (username, password)

    def request(self, method: str, path: str, body=None):
        """Sends a request to a resource of the instance and returns its result."""
        answer = request(method, self.url + path, body, login=self.login)
        return answer["result"] if answer else None

    def find(self, table: str, **values: str) -> list[dict]:
        """Returns the records whose columns have these values."""
        query = urllib.parse.quote("^".join(f"{column}={value}" for column, value in values.items()))
        return self.request("GET", f"/api/now/table/{table}?sysparm_query={query}")

    def read(self, table: str, sys_id: str) -> dict:
        """Returns one record."""
        return self.request("GET", f"/api/now/table/{table}/{sys_id}")

    def insert(self, table: str, record: dict) -> dict:
        """Inserts a record and returns it as the instance stored it."""
        return self.request("POST", f"/api/now/table/{table}", record)

    def update(self, table: str, sys_id: str, changes: dict) -> dict:
        """Changes one record and returns it."""
        return self.request("PATCH", f"/api/now/table/{table}/{sys_id}", changes)

    def attach(self, table: str, sys_id: str, file_name: str, data: bytes, content_type: str) -> dict:
        """Attaches a file to a record and returns what the instance knows of it."""
        query = urllib.parse.urlencode({"table_name": table, "table_sys_id": sys_id, "file_name": file_name})
        url, headers = f"{self.url}/api/now/attachment/file?{query}", {"Content-Type": content_type}
        return request("POST", url, data, headers, login=self.login)["result"]

    def ensure(self, table: str, key: str, record: dict) -> dict:
        """Updates the record with this value of one column, or inserts it if there is none. Returns the record."""
        found = self.find(table, **{key: record[key]})
        return self.update(table, found[0]["sys_id"], record) if found else self.insert(table, record)
