"""The connection to Temporal: one place for its address, its data converter and its patience."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.common import HeaderCodecBehavior
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, pydantic_data_converter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)
from temporalio.envconfig import ClientConfig
from temporalio.service import GrpcCompression

from domain.errors import EngineUnavailable
from workflows.sealed_payloads import Ring, SealedPayloads

_JSON = PydanticJSONPlainPayloadConverter()


class SharedPayloadConverter(CompositePayloadConverter):
    """Pydantic's converter with one memory for all runs.

    The SDK makes a converter for each run, and the ready-made one forgets with the run how its values are read: finding
    that out again took a quarter of the worker's processor time.
    """

    def __init__(self) -> None:
        ready_made = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(_JSON if isinstance(each, JSONPlainPayloadConverter) else each for each in ready_made))


def data_converter(keys: Ring) -> DataConverter:
    """Frozen values with instants, enums and unions, sealed; the same in client, worker, replayer and tests."""
    return dataclasses.replace(
        pydantic_data_converter,
        payload_converter_class=SharedPayloadConverter,
        payload_codec=SealedPayloads(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def connect(address: str, keys: Ring, *, lazy: bool = False, interceptors: Sequence[Interceptor] = ()) -> Client:
    """A client as the Temporal environment variables say (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS, API key, profile).

    `address` counts where they name none. All that it sends is sealed with the first of the `keys`. A lazy client connects
    at its first call, so that a program starts while Temporal is down; a worker needs one that is not lazy. Raises
    EngineUnavailable.
    """
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", address)
    try:
        # Inside one host or cluster compression costs more processor time than it saves.
        return await Client.connect(
            **config,
            data_converter=data_converter(keys),
            header_codec_behavior=HeaderCodecBehavior.CODEC,
            lazy=lazy,
            grpc_compression=GrpcCompression.NONE,
            interceptors=list(interceptors),
        )
    except RuntimeError as error:  # what the client raises has no type of its own
        raise EngineUnavailable(
            f"Temporal does not answer at {config['target_host']}. Start it, or mend TEMPORAL_ADDRESS."
        ) from error
