"""The fixed words of the pages: what roles and choices are called, and what is said when something was done."""

from __future__ import annotations

from typing import NamedTuple


class Link(NamedTuple):
    """One entry of the navigation."""

    href: str
    words: str


class Group(NamedTuple):
    """Several entries of the navigation behind one word: a role with many pages sees six words at once, not eleven."""

    words: str
    links: tuple[Link, ...]


PUPILS, PLANS = Link("/pupils", "My pupils"), Link("/plans", "Plans")
MOVES, IMPACT = Link("/transfers", "Handing over"), Link("/impact", "Did it help?")
DUE = Link("/due", "What is due")
AUDIT, SETUP = Link("/audit", "Audit"), Link("/setup", "Set up")
RIGHTS, SAFE, GLASS = Link("/rights", "Data rights"), Link("/safeguarding", "Hand-offs"), Link("/glass", "Exceptions")
TALKS, ROUNDS = Link("/talks", "Wishes to talk"), Link("/rounds", "Rounds")
RIGHT = Link("/truth", "How right?")
TRAINING, PRACTICE = Link("/training", "Training"), Link("/accreditation", "Accreditation")
PEOPLE = Link("/setup/people", "People")
SAFETY, RECORDS = Group("Safety", (SAFE, GLASS)), Group("Records", (DUE, MOVES, RIGHTS, AUDIT))
WELL = Group("How well?", (IMPACT, RIGHT, PEOPLE, TRAINING))
NAV: dict[str, tuple[Link | Group, ...]] = {
    "pupil": (Link("/sit", "My questions"), Link("/me", "My story")),
    "parent": (Link("/family", "For the family"),),
    "tutor": (PUPILS, ROUNDS, PLANS, TALKS, TRAINING),
    "head_of_year": (PUPILS, ROUNDS, PLANS, TALKS, TRAINING),
    "dsl": (PUPILS, PLANS, TALKS, SAFETY, RECORDS, WELL),
    "lead_practitioner": (PUPILS, PLANS, DUE, IMPACT, RIGHT, TRAINING, PRACTICE),
    "head": (IMPACT, RIGHT, DUE, Group("Records", (GLASS, AUDIT)), PEOPLE, TRAINING, PRACTICE),
    "administrator": (SETUP, DUE, MOVES),
    "dpo": (RIGHTS, DUE, GLASS, AUDIT, MOVES),
    "auditor": (AUDIT, RIGHTS, MOVES),
    "accreditor": (PRACTICE,),
}
HOME: dict[str, str] = {role: links[0].href for role, links in NAV.items() if isinstance(links[0], Link)}

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
    "operator": "whoever runs the machine",
}

HELPERS = {
    "teacher": "A teacher",
    "teaching_assistant": "A teaching assistant",
    "interpreter": "An interpreter",
    "other_adult": "Another adult",
}
"""Which adult wrote for a pupil who could not: a role, never a person."""

DONE = {
    "reviewed": "Thank you. Your review is on record.",
    "plan-opened": "The plan has begun. You can print it on one side of paper.",
    "group-plan-opened": "The plan has begun for every pupil of the group.",
    "monitored": "Your note on how the plan is going is on record.",
    "plan-reviewed": "The plan goes on until its new end.",
    "plan-closed": "The plan has ended, and what came of it is on record.",
    "outcome-taken-back": "It is on record that this was recorded in error.",
    "outcome-reported": "Thank you. What came to pass is on record, as a code and nothing more.",
    "talk-taken-up": "Thank you. The pupil's page says that you will see them.",
    "looked-at": "Thank you. What you saw is on record.",
    "prepared": "The files are sealed and ready to send. The records are frozen here until they are received.",
    "received": "The file was opened, checked and taken in. Send the receipt back to the other school.",
    "acknowledged": "The receipt was right: the record is with the other school now.",
    "recall-taken": "That file is called back: it is not taken in any more. A record that was taken in before stays.",
    "trusted": "You know this school now: files can go to it and come from it.",
    "withdrawn": "The transfer was called off. The record goes on here.",
    "roster-applied": "The roster was taken in.",
    "round-opened": "The round is open.",
    "load-set": "The review load is set. How many are drawn without a sign holds for sittings from now on.",
    "not-today-said": "It is on record that they said not today. They may sit on any later day of the round.",
    "backgrounds-watched": "It is on record in which fields you look, and what for. The next roster brings them.",
    "backgrounds-unwatched": "No background is looked at any more. The next roster lets go of what is on record.",
    "round-closed": "The round is closed.",
    "opted-out": "Your wish is on record: no assessment is taken until you change it.",
    "opted-in": "Your wish is on record: your child may take part again.",
    "granted": "The role is granted. It holds from the next page they open.",
    "training-sat": "Your answers are on record. Each is explained below.",
    "guidance-added": "Your own entry is offered in plans from now on.",
    "guidance-retired": "The entry is offered no more. Plans that used it still say so.",
    "guidance-reviewed": "It is on record who reviewed it, and when.",
    "awarded": "The award is on record and on the public register.",
    "award-revoked": "The award is revoked. The public register says so from now on.",
    "trained": "The training is on record.",
    "left": "They have left: their roles, sessions and codes ended at once. What they recorded stays.",
    "password-set": "Your name and password are kept. Every other session of yours has ended.",
    "signed-out-elsewhere": "You are signed in here alone.",
    "factor-taken-away": "The second factor is taken away, and every session of theirs has ended.",
    "roster-source-set": "The roster is read from there once a day. Read it now to see what would change.",
    "roster-source-ended": "The roster comes as files again.",
    "keys-revoked": "The keys so far are revoked. Give every school that knows them the new document.",
    "box-joined": "You have a box. Give its card to the schools that send you records.",
    "card-known": "It is known now where that school's box is.",
    "in-box": "The file is in the other school's box.",
    "collected": "The other school has the file.",
    "webhook-ended": "That address is told nothing more.",
    "webhook-again": "The message is sent once more, within seconds.",
    "role-withdrawn": "The role is withdrawn. It holds from the next page they open.",
    "handed-off": "The safeguarding lead sees it on their list now. Speak to them as well: this is no alarm.",
    "hand-off-taken-up": "Thank you. It is on record that you have taken this up.",
    "glass-broken": "The record is open to you until the time you named. Somebody else will ask why.",
    "glass-reviewed": "Thank you. Your judgement is on record.",
    "corrected": "The correction is on record beside what it corrects. Nothing was rubbed out.",
    "request-taken-in": "The request is on record, and its clock runs from the day it arrived.",
    "relation-recorded": "It is on record who stands where towards this pupil.",
    "relation-ended": "That relation ends with the day you named.",
    "order-recorded": "The order is on record, and holds from now on.",
    "order-ended": "That order ends with the day you named.",
    "account-released": "Verified parents see the account from now on, as it stands today.",
    "release-withdrawn": "Parents are shown that no longer.",
    "competence-decided": "Your decision is on record. Decide again whenever it changes.",
    "clock-stopped": "The clock stands until what you wait for has come.",
    "clock-started": "The clock runs again.",
    "extended": "There are up to two months more. Tell whoever asked why.",
    "withheld": "It waits for a second person now.",
    "judged": "Your judgement is on record.",
    "answered": "The answer is on record.",
    "request-withdrawn": "It is on record that nobody asks this any more.",
    "restricted": "The record is kept and not used until you lift this.",
    "restriction-lifted": "The record may be used again.",
    "class-set": "How long the record is kept goes by its new class.",
    "retention-reviewed": "Your decision is on record. If it was to erase, a second person carries it out.",
    "held": "Nothing of this record can be erased while the hold stands.",
    "released": "That hold no longer stands.",
    "erased": "The record is erased: every key and content is gone. That entries were here, and who decided, stays.",
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
    "operation": "running the machine",
    "glass_broken": "an exception, with a reason",
}
"""What somebody looked for, in words for the person looked at."""

REQUEST_KINDS = {
    "access": "A copy of what is held (subject access)",
    "inspection": "A look at the educational record (parents)",
    "rectification": "That something is put right",
    "objection": "That something is not done (objection)",
    "restriction": "That it is kept and not used",
    "erasure": "That it is erased",
}
ASKED_BY = {"pupil": "the pupil", "parent": "a parent", "representative": "somebody for the pupil"}
STOPPED = {"identity": "proof of who they are", "clarification": "what exactly they mean"}
OUTCOMES = {"granted": "Granted", "partly_granted": "Granted in part", "refused": "Refused"}
GROUNDS = {
    "accuracy": "its accuracy is disputed",
    "unlawful": "its use was unlawful, and erasing is not wanted",
    "legal_claim": "it is needed for a legal claim",
    "objection": "an objection is being looked at",
}

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


CELLS = {
    "-": "", "own": "their own", "child": "their own child", "released": "their own child, where released",
    "scope": "in scope", "all": "all", "glass": "after breaking the glass",
}  # fmt: skip
"""Which pupils a role reaches with an action."""
STAGES = {
    "R": "R: on roll", "M": "M: being handed over", "L": "L: left, the record still here",
    "H": "H: handed over, the former school's copy", "+": "+: only from 18",
    "!": "!: not while the record is restricted",
    "?": "?: while it is restricted only by those who must",
}  # fmt: skip
"""When an action makes sense."""
