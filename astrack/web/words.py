"""The fixed words of the pages: what roles and choices are called, and what is said when something was done."""

from __future__ import annotations

from typing import NamedTuple


class Link(NamedTuple):
    """One entry of the navigation."""

    href: str
    words: str


PUPILS, PLANS = Link("/pupils", "My pupils"), Link("/plans", "Plans")
MOVES, IMPACT = Link("/transfers", "Handing over"), Link("/impact", "Did it help?")
AUDIT, SETUP = Link("/audit", "Audit"), Link("/setup", "Set up")
TALKS = Link("/talks", "Wishes to talk")
RIGHT = Link("/truth", "How right?")
TRAINING, PRACTICE = Link("/training", "Training"), Link("/accreditation", "Accreditation")
NAV: dict[str, tuple[Link, ...]] = {
    "pupil": (Link("/sit", "My questions"), Link("/me", "My story")),
    "parent": (Link("/family", "For the family"),),
    "tutor": (PUPILS, PLANS, TALKS, TRAINING),
    "head_of_year": (PUPILS, PLANS, TALKS, TRAINING),
    "dsl": (PUPILS, PLANS, TALKS, MOVES, IMPACT, RIGHT, AUDIT, TRAINING),
    "lead_practitioner": (PUPILS, PLANS, IMPACT, RIGHT, TRAINING, PRACTICE),
    "head": (IMPACT, RIGHT, AUDIT, TRAINING, PRACTICE),
    "administrator": (SETUP, MOVES),
    "dpo": (AUDIT, MOVES),
    "auditor": (AUDIT, MOVES),
    "accreditor": (PRACTICE,),
}
HOME: dict[str, str] = {role: links[0].href for role, links in NAV.items()}

ROLE_NAMES = {
    "pupil": "pupil",
    "parent": "parent",
    "tutor": "tutor",
    "head_of_year": "head of year or house",
    "dsl": "designated safeguarding lead",
    "lead_practitioner": "lead practitioner",
    "head": "head",
    "administrator": "administrator",
    "dpo": "data protection officer",
    "auditor": "auditor",
    "accreditor": "accreditor from outside",
    "service": "the service itself",
}

DONE = {
    "reviewed": "Thank you. Your review is on record.",
    "plan-opened": "The plan has begun. You can print it on one side of paper.",
    "group-plan-opened": "The plan has begun for every pupil of the group.",
    "monitored": "Your note on how the plan is going is on record.",
    "plan-reviewed": "The plan goes on until its new end.",
    "plan-closed": "The plan has ended, and what came of it is on record.",
    "outcome-reported": "Thank you. What came to pass is on record, as a code and nothing more.",
    "talk-taken-up": "Thank you. The pupil's page says that you will see them.",
    "looked-at": "Thank you. What you saw is on record.",
    "prepared": "The files are sealed and ready to send. The records are frozen here until they are received.",
    "received": "The file was opened, checked and taken in. Send the receipt back to the other school.",
    "acknowledged": "The receipt was right: the record is with the other school now.",
    "trusted": "You know this school now: files can go to it and come from it.",
    "withdrawn": "The transfer was called off. The record goes on here.",
    "roster-applied": "The roster was taken in.",
    "round-opened": "The round is open.",
    "load-set": "The review load is set. It holds from the next list they open.",
    "round-closed": "The round is closed.",
    "opted-out": "Your wish is on record: no assessment is taken until you change it.",
    "opted-in": "Your wish is on record: your child may take part again.",
    "granted": "The role is granted. It holds from the next page they open.",
    "training-sat": "Your answers are on record. Each is explained below.",
    "guidance-added": "Your own entry is offered in plans from now on.",
    "guidance-retired": "The entry is offered no more. Plans that used it still say so.",
    "awarded": "The award is on record and on the public register.",
    "award-revoked": "The award is revoked. The public register says so from now on.",
    "trained": "The training is on record.",
    "left": "They have left: their roles, sessions and codes ended at once. What they recorded stays.",
    "password-set": "Your name and password are kept. Every other session of yours has ended.",
    "signed-out": "You are signed out. Nothing stays on this computer.",
}
"""What a page says after a form was taken, by the code in its address: fixed sentences, never what somebody typed."""

PURPOSES = {
    "own_record": "their own story",
    "own_child": "their own child",
    "teaching_and_care": "teaching and care",
    "safeguarding": "keeping pupils safe",
    "quality": "checking that support is good",
    "leadership": "leading the school",
    "administration": "keeping the roster",
    "data_protection": "protecting data",
    "audit": "checking the record",
    "accreditation": "accrediting the school",
    "glass_broken": "an exception, with a reason",
}
"""What somebody looked for, in words for the person looked at."""

JUDGEMENTS = {
    "new_to_us": "New to us",
    "already_known": "We knew",
    "not_what_we_see": "Not what we see",
}
GOING = {"well": "Going well", "as_planned": "As planned", "not_yet": "Not yet"}
CAME = {
    "helped": "It helped",
    "helped_partly": "It helped in part",
    "did_not_help": "It did not help",
    "stopped_early": "We stopped early",
}


def count_of(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 pupil", "3 pupils"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
