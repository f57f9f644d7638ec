"""The connection to Temporal: one place for its address, its data converter and its patience."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import GrpcCompression

from domain.errors import HuishengError

DATA_CONVERTER = pydantic_data_converter
"""Frozen values with instants, enums and unions, the same in client, worker, replayer and tests."""


class EngineUnreachable(HuishengError):
    """Temporal does not answer at its address."""

    code = "engine_unavailable"


async def connect(address: str, *, lazy: bool = False) -> Client:
    """A client as the Temporal environment variables say (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS, API key, profile).

    `address` counts where they name none. A lazy client connects at its first call, so that a program starts while
    Temporal is down; a worker needs one that is not lazy. Raises EngineUnreachable.
    """
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", address)
    try:
        # Inside one host or cluster compression costs more processor time than it saves.
        return await Client.connect(
            **config, data_converter=DATA_CONVERTER, lazy=lazy, grpc_compression=GrpcCompression.NONE
        )
    except RuntimeError as error:  # what the client raises has no type of its own
        raise EngineUnreachable(
            f"Temporal does not answer at {config['target_host']}. Start it, or mend TEMPORAL_ADDRESS."
        ) from error
