"""Every role x every action x every situation, stated by hand a second time from the shared field guide, section 5."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from domain.authority import About, Stage
from domain.journey.facts import Group

SCHOOL, ELSEWHERE = UUID(int=10), UUID(int=11)
PUPIL = UUID(int=20)
NEAR = About(SCHOOL, PUPIL, 5, (Group(dimension="house", name="Elm"),))
FAR = replace(NEAR, year_group=6)
SITUATIONS: dict[str, About | None] = {
    "n": None,  # no pupil named
    "o": NEAR,  # the viewer's own pupil, on roll; for a pupil themself, for a parent their child
    "s": FAR,  # another pupil of the school
    "x": replace(NEAR, school_id=ELSEWHERE),  # of another school
    "m": replace(NEAR, stage=Stage.MOVING),  # being handed over
    "l": replace(NEAR, stage=Stage.LEFT),  # left the roll, record still here
    "h": replace(NEAR, stage=Stage.HANDED_OVER),  # after transfer: the copy at the former school
    "O": replace(NEAR, adult=True),  # 18: the same four again
    "M": replace(NEAR, stage=Stage.MOVING, adult=True),
    "L": replace(NEAR, stage=Stage.LEFT, adult=True),
    "H": replace(NEAR, stage=Stage.HANDED_OVER, adult=True),
    "g": FAR,  # another pupil, after breaking the glass
    "r": replace(NEAR, released=True),  # own, the account released to parents
    "t": NEAR,  # own, before any training
    "T": replace(NEAR, adult=True),  # own, 18, before any training
    "R": replace(NEAR, adult=True, released=True),  # own, 18, the account released
    "S": replace(FAR, adult=True),  # another pupil, 18
    "G": replace(FAR, adult=True),  # another pupil, 18, after breaking the glass
    "e": replace(NEAR, opted_out=True),  # own, with an opt-out
    "q": replace(NEAR, restricted=True),  # own, kept and not used until a question is settled
    "B": replace(NEAR, adult=True, restricted=True),  # own, 18, restricted
    "Q": replace(FAR, restricted=True),  # another pupil, restricted, after breaking the glass
    "u": FAR,  # another pupil, after breaking the glass, before any training
    "v": replace(NEAR, restricted=True, released=True),  # own, restricted, the account released to parents
}
ALL = "nosxmlhOMLHgrtTRSGeqBQuv"
# what each role may, by hand from the shared field guide, section 5
EXPECTED: dict[str, dict[str, str]] = {
    "pupil": {
        "see_name see_guided see_looks ask_right see_rights": "omlOMLrtTeRqBv",
        "ask_to_talk opt_out": "omOMrtTeRqBv",
        "sit": "omOMrtTR",
        "take_own_copy": "OMLTRB",
        "see_rounds see_school": ALL,
    },
    "parent": {"see_name see_looks opt_out ask_right see_rights": "omrteqv", "see_guided": "rv", "see_school": ALL},
    "tutor": {
        "see_name take_up_talk raise_hand_off make_card": "omOMrtTeRqBv",
        "see_guided": "omOMrtTeR",
        "see_story see_plans write_plans review_flags report_outcome": "omOMreR",
        "sit": "omOMrtTR",
        "see_rounds see_school train see_guidance": ALL,
    },
    "head_of_year": {
        "see_name take_up_talk raise_hand_off make_card": "omOMrtTeRqBv",
        "see_guided": "omOMrtTeR",
        "see_story see_plans write_plans review_flags report_outcome": "omOMreR",
        "see_rounds see_school train see_guidance": ALL,
    },
    "dsl": {
        "see_name see_guided see_hand_offs take_up_hand_off see_looks replay": "osSmlhOMLHgGrtTeRqQBuv",
        "see_family ask_right see_rights see_all_held handle_rights review_withheld": "osSmlhOMLHgGrtTeRqQBuv",
        "hold_record erase_record": "osSmlhOMLHgGrtTeRqQBuv",
        "keep_family decide_competence restrict": "osSmlOMLgGrtTeRqQBuv",
        "see_story see_plans": "osSmlhOMLHgGreRqQBv",
        "write_plans review_flags report_outcome release_account": "osSmOMgGreR",
        "correct": "osSmlOMLgGreRqQBv",
        "take_up_talk raise_hand_off opt_out": "osSmOMgGrtTeRqQBuv",
        "send_record": "osSmlOMLgGrtTeRqQBuv",
        "take_own_copy": "OMLTSGRB",
        "receive_record carry_sealed see_transfers see_rounds see_school see_staff see_aggregates verify review_glass": ALL,
        "train see_guidance list_rights see_register reset_factor": ALL,
    },
    "lead_practitioner": {
        "see_name": "osSmlOMLgGrtTeRqQBuv",
        "see_guided": "osSmlOMLgGrtTeRu",
        "see_story see_plans": "osSmlOMLgGreR",
        "correct": "osSmlOMLgGreRqQBv",
        "write_plans review_flags report_outcome": "osSmOMgGreR",
        "opt_out": "osSmOMgGrtTeRqQBuv",
        "see_rounds set_rounds see_school see_staff record_training see_aggregates": ALL,
        "train see_training see_guidance keep_guidance see_practice": ALL,
    },
    "head": {
        "see_rounds see_school see_staff see_aggregates see_trust verify review_glass see_register train": ALL,
        "see_practice watch_backgrounds": ALL,
        "reset_factor": ALL,
    },
    "administrator": {
        "see_name keep_roster see_family ask_right": "osSmlhOMLHgGrtTeRqQBuv",
        "keep_family": "osSmlOMLgGrtTeRqQBuv",
        "opt_out make_card make_letter": "osSmOMgGrtTeRqQBuv",
        "admit import_roster carry_sealed see_transfers see_rounds set_rounds see_school set_school": ALL,
        "see_staff manage_staff verify see_register train keep_webhooks": ALL,
    },
    "dpo": {
        "see_name see_story see_guided see_plans correct see_hand_offs replay see_family see_all_held": "gGQu",
        "see_looks break_glass ask_right see_rights handle_rights review_withheld": "osSmlhOMLHgGrtTeRqQBuv",
        "keep_retention hold_record erase_record": "osSmlhOMLHgGrtTeRqQBuv",
        "decide_competence restrict": "osSmlOMLgGrtTeRqQBuv",
        "see_transfers see_rounds see_school see_staff verify see_access_log list_rights see_register train": ALL,
    },
    "auditor": {
        "see_story see_plans replay": "omlhOMLHrtTeRqBv",
        "see_looks see_rights": "osSmlhOMLHgGrtTeRqQBuv",
        "see_transfers see_rounds see_school verify see_access_log list_rights see_register train": ALL,
    },
    "accreditor": {"see_school see_practice accredit": ALL},
}


def expected(role: str, action: str) -> str:
    found = [letters for names, letters in EXPECTED[role].items() if action in names.split()]
    assert len(found) <= 1, f"{role} {action} is stated twice"
    return "".join(letter for letter in SITUATIONS if letter in (found or [""])[0])
