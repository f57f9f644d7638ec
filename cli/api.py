"""`huisheng api`: the HTTP interface as a process of its own."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import asyncpg
import click
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.connections import MOST_CONNECTIONS, BoundedConnection
from cli.database import plainly
from cli.logs import log_as_json
from cli.memory import sweep_memory_seldom
from cli.proxies import trusted_proxies
from db.migrations import require_version
from settings import Settings
from watching import sdk
from watching.tracing import Tracing

FINISH_WITHIN_SECONDS = 10
"""After SIGTERM, for the requests that are being answered."""
_WAITING_CONNECTIONS = 1024
_OTHER_FILES = 256
"""Beside the connections: those to the database and to Temporal, and the log."""


@click.command()
@click.option("--host", envvar="HUISHENG_API_HOST", default=None, help="The address to listen on.")
@click.option(
    "--port", envvar="HUISHENG_API_PORT", type=click.IntRange(1, 65535), default=None, help="The port to listen on."
)
def api(host: str | None, port: int | None) -> int:
    """Start the HTTP interface and stay until Ctrl-C or SIGTERM."""
    settings = Settings.from_environment()
    proxies = trusted_proxies(os.environ)
    tracing = Tracing.begin("huisheng-api")
    log_as_json(trace_id=tracing.trace_id if tracing else None)
    sweep_memory_seldom()
    sdk.begin()
    _allow_files(MOST_CONNECTIONS + _OTHER_FILES)
    asyncio.run(_check_database(settings))
    with _listen(host or settings.api_host, port or settings.api_port) as listener:
        app = create_app(settings, tracing=tracing)
        server = _Server(
            app,
            uvicorn.Config(
                app,
                loop="uvloop",
                http=BoundedConnection,
                ws="none",
                lifespan="off",  # _Server sees to it
                log_config=None,
                access_log=False,  # its lines hold whole addresses, and those hold tokens
                server_header=False,
                forwarded_allow_ips=proxies,
                timeout_graceful_shutdown=FINISH_WITHIN_SECONDS,
            ),
        )
        with plainly():
            server.run(sockets=[listener])
    if tracing is not None:
        tracing.end()
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Ends with exit code 0 when it was asked to end; uvicorn's own would end by the signal it was sent.

    What goes wrong while the application opens what it works with is raised; uvicorn's own would log a stack trace.
    """

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app
        self._opened = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._opened.enter_async_context(self._app.router.lifespan_context(self._app))
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._opened.aclose()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _allow_files(number: int) -> None:
    """As many open files as that, where the system lets us: the usual thousand would be a wall before ours."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_WAITING_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise click.ClickException(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Stop what uses it, or choose another with --port."
        ) from error
    return listener


async def _check_database(settings: Settings) -> None:
    """Before anything listens, so that a wrong address or version is one plain sentence."""
    with plainly():
        connection = await asyncpg.connect(settings.database_url, timeout=10)
        try:
            await require_version(connection)
        finally:
            await connection.close()
