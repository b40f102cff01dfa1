"""Stands in for curl where there is none: what the samples of the docs use of it, the status on standard error."""

import argparse
import sys
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def main() -> None:
    """Send one request and write what comes back."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", dest="data")
    parser.add_argument("-o", dest="output")
    parser.add_argument("--head", action="store_true")
    parser.add_argument("url")
    given = parser.parse_args()

    method = "HEAD" if given.head else "GET" if given.data is None else "POST"
    headers = dict(header.split(": ", 1) for header in given.headers)
    request = Request(given.url, given.data and given.data.encode(), headers, method=method)
    response = send(request)
    answer = str(response.headers).encode() if given.head else response.read()
    if given.output:
        Path(given.output).write_bytes(answer)
    else:
        sys.stdout.buffer.write(answer)
    sys.stderr.write(str(response.status))


def send(request: Request) -> HTTPResponse | HTTPError:
    """The response, whatever its status."""
    try:
        response: HTTPResponse = urlopen(request, timeout=30)
    except HTTPError as error:
        return error
    return response


if __name__ == "__main__":
    main()
