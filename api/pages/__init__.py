"""The pages: for citizens the form to send a request, what stands behind the link in an SMS, and the way back without it;
for staff what stands behind the link in theirs.

Plain HTML forms that work on an old phone and without JavaScript. A citizen acts by the secret in the
address, staff by a session and a form of this site, so that no other site can make them.
"""

from fastapi import APIRouter

from api.pages import console, find, numbers, question, sign_in, status, submit

router = APIRouter(include_in_schema=False)
for part in (submit, status, question, find, sign_in, console, numbers):
    router.include_router(part.router)
