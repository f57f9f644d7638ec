"""The pages for citizens: what stands behind the link in an SMS, and the form to send a request."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
