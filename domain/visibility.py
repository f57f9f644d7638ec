"""Which requests a member of staff may see at all (PROCESS.md section 1); what they may do there is lifecycle's matter."""

from __future__ import annotations

from dataclasses import dataclass

from domain.request import Actor, Role, Snapshot

SEE_EVERYTHING = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.CALLER, Role.ADMIN})
"""Roles that work across the whole city."""
SEE_CONFIDENTIAL = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
"""Of these, the roles that also read what a citizen wants few people to read."""


@dataclass(frozen=True)
class Sight:
    """What one person may see: requests of `departments`, and with `everything` all others too.

    A confidential request is seen by its department and those that help it, and by others only with `confidential`.
    """

    everything: bool
    confidential: bool
    departments: tuple[str, ...]

    @classmethod
    def of(cls, actor: Actor) -> Sight:
        """A handler sees the departments they handle for, a lead also those they lead with all below them."""
        roles = frozenset(actor.roles)
        own = tuple(sorted({*actor.departments, *actor.led})) if Role.HANDLER in roles else ()
        return cls(bool(roles & SEE_EVERYTHING), bool(roles & SEE_CONFIDENTIAL), own)

    def covers(self, snapshot: Snapshot) -> bool:
        if snapshot.department is not None and snapshot.department in self.departments:
            return True
        if not set(self.departments).isdisjoint(snapshot.co_departments):
            return True
        return self.everything and (self.confidential or not snapshot.confidential)
