"""Every module that names facts, so that whoever reads a log knows all topics; a test keeps the list whole."""

from domain import (
    accreditation,
    background,
    identity,
    look,
    reporting,
    roster,
    round,
    safeguarding,
    school,
    staff,
    training,
    webhooks,
)
from domain.guidance import local as guidance_local
from domain.journey import facts, late, outside
from domain.rights import family, releases, requests, retention

MODULES = (facts, late, outside, identity, background, safeguarding, round, school, roster, staff, look, guidance_local,
           training, accreditation, family, releases, requests, retention, reporting, webhooks)  # fmt: skip
