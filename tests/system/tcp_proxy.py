"""A TCP proxy that can be slow, cut, reset or swallow what passes through it."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import Enum

from tests.system.server import HOST

BLOCK = 65536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset


class Weather(Enum):
    """What the proxy does with what comes back from the other side."""

    FINE = "passes on"
    SLOW = "passes on a while later"
    SWALLOWS = "takes and never passes on, new connections included"
    CUTS = "passes on some bytes and closes"


CUT_BYTES = 40


class TcpProxy:
    """Listens on a port of its own and passes on to a socket of this machine, as the weather is."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self.weather = Weather.FINE
        self.delay_seconds = 0.1
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def reset_all(self) -> None:
        """Reset every connection of the clients."""
        with self._lock:
            clients, self._open = self._open, set()
        for client in clients:
            with suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            close(client)

    def stop(self) -> None:
        """Close everything."""
        close(self._listener)
        self.reset_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with self._lock:
                    self._open.add(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), closing(socket.socket(socket.AF_UNIX)) as server:
            server.connect(self._target)
            threading.Thread(target=self._send, args=(client, server), daemon=True).start()
            while block := server.recv(BLOCK):
                if self.weather is Weather.SLOW:
                    time.sleep(self.delay_seconds)
                if self.weather is Weather.CUTS:
                    client.sendall(block[:CUT_BYTES])
                    break
                if self.weather is not Weather.SWALLOWS:
                    client.sendall(block)
        close(client)
        with self._lock:
            self._open.discard(client)

    @staticmethod
    def _send(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while block := client.recv(BLOCK):
                server.sendall(block)
        close(server)


def close(end: socket.socket) -> None:
    """Close, and wake whoever waits for it."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxied(target: str) -> Iterator[TcpProxy]:
    """A proxy for the length of a `with` block."""
    proxy = TcpProxy(target)
    try:
        yield proxy
    finally:
        proxy.stop()
