"""Who carries the notices: the provider that the settings name."""

from __future__ import annotations

from activities.providers.console import ConsoleProvider
from activities.providers.kannel import KannelProvider
from activities.providers.port import Provider
from db.pool import Pool
from db.sealing import KeyRing
from settings import Settings


def provider_from(settings: Settings, pool: Pool, keys: KeyRing) -> Provider:
    """The provider of HUISHENG_SMS_PROVIDER; close it when the program ends."""
    if settings.sms_provider == "kannel":
        return KannelProvider(
            settings.kannel_url,
            settings.kannel_user,
            settings.kannel_password,
            settings.kannel_from,
            settings.kannel_dlr_secret,
            settings.public_url,
        )
    return ConsoleProvider(pool, keys)
