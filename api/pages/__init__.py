"""The pages for citizens: the form to send a request, what stands behind the link in an SMS, and the way back without it.

Plain HTML forms that work on an old phone and without JavaScript. The secret in the address is what lets somebody act, so
that no other site can make them.
"""

from fastapi import APIRouter

from api.pages import find, status, submit

router = APIRouter(include_in_schema=False)
for part in (submit, status, find):
    router.include_router(part.router)
