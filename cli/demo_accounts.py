"""Which accounts a demonstration needs: every role, and a handler and a lead in each department that gets requests."""

from __future__ import annotations

from db.staff import NewAccount, Place
from domain.policy import Department, DepartmentKind, Policy, in_language
from domain.request import Role

# No phone in the world has a number that begins like this, so that nothing reaches a stranger whatever the provider is.
_NUMBER = "+861230000{:04d}"

# Two dispatchers, because nobody reviews what they resolved themselves.
_CENTRE = (
    ("dispatcher", "派单员 甲", Role.DISPATCHER),
    ("dispatcher2", "派单员 乙", Role.DISPATCHER),
    ("supervisor", "督办员", Role.SUPERVISOR),
    ("caller", "回访员", Role.CALLER),
    ("admin", "管理员", Role.ADMIN),
)


def demo_accounts(policy: Policy, password_hash: str) -> list[NewAccount]:
    """Accounts that work on this machine only. A lead is called after the department, with "_lead" behind it."""
    people = [
        *((name, shown, (role,), ()) for name, shown, role in _CENTRE),
        *(person for department in policy.departments for person in _people_of(department)),
    ]
    return [
        NewAccount(
            username.lower(), shown, password_hash, tuple(roles), places, phone=_NUMBER.format(number), demo=True
        )
        for number, (username, shown, roles, places) in enumerate(people, start=1)
    ]


def _people_of(department: Department) -> list[tuple[str, str, tuple[Role, ...], tuple[Place, ...]]]:
    name = in_language(department.name, "zh")
    lead = (f"{department.code}_lead", f"{name} 负责人", (Role.HANDLER,), (Place(department.code, lead=True),))
    if department.kind is DepartmentKind.CITY:
        return [lead]
    return [(department.code, f"{name} 承办人", (Role.HANDLER,), (Place(department.code),)), lead]
