"""Who may do what to whose record, as one table.

The table is the matrix of the shared field guide, section 5, spelt out by action. It is data: pages show it, a test
states it a second time, and every single cell of it is flipped there to see that the test notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum, auto
from typing import NamedTuple


class Action(StrEnum):
    """What can be asked for; pages and routes name one of these."""

    SEE_NAME = auto()
    SEE_STORY = auto()
    SEE_GUIDED = auto()
    SEE_PLANS = auto()
    WRITE_PLANS = auto()
    REVIEW_FLAGS = auto()
    REPORT_OUTCOME = auto()
    CORRECT = auto()
    SIT = auto()
    ASK_TO_TALK = auto()
    TAKE_UP_TALK = auto()
    OPT_OUT = auto()
    RAISE_HAND_OFF = auto()
    SEE_HAND_OFFS = auto()
    TAKE_UP_HAND_OFF = auto()
    MAKE_CARD = auto()
    MAKE_LETTER = auto()
    KEEP_ROSTER = auto()
    SEND_RECORD = auto()
    TAKE_OWN_COPY = auto()
    SEE_LOOKS = auto()
    REPLAY = auto()
    BREAK_GLASS = auto()
    ADMIT = auto()
    IMPORT_ROSTER = auto()
    RECEIVE_RECORD = auto()
    CARRY_SEALED = auto()
    SEE_TRANSFERS = auto()
    SEE_ROUNDS = auto()
    SET_ROUNDS = auto()
    SEE_SCHOOL = auto()
    SET_SCHOOL = auto()
    WATCH_BACKGROUNDS = auto()
    SEE_STAFF = auto()
    MANAGE_STAFF = auto()
    RECORD_TRAINING = auto()
    SEE_AGGREGATES = auto()
    SEE_TRUST = auto()
    VERIFY = auto()
    SEE_ACCESS_LOG = auto()
    REVIEW_GLASS = auto()
    TRAIN = auto()
    SEE_TRAINING = auto()
    SEE_GUIDANCE = auto()
    KEEP_GUIDANCE = auto()
    SEE_PRACTICE = auto()
    ACCREDIT = auto()
    SEE_FAMILY = auto()
    KEEP_FAMILY = auto()
    DECIDE_COMPETENCE = auto()
    ASK_RIGHT = auto()
    SEE_RIGHTS = auto()
    SEE_ALL_HELD = auto()
    HANDLE_RIGHTS = auto()
    REVIEW_WITHHELD = auto()
    RESTRICT = auto()
    KEEP_RETENTION = auto()
    HOLD_RECORD = auto()
    ERASE_RECORD = auto()
    RESET_FACTOR = auto()
    LIST_RIGHTS = auto()
    SEE_REGISTER = auto()
    RELEASE_ACCOUNT = auto()
    KEEP_WEBHOOKS = auto()


class Stage(StrEnum):
    """Where a pupil's record stands, seen from the school that is asked."""

    ON_ROLL = "R"
    MOVING = "M"
    LEFT = "L"
    HANDED_OVER = "H"


ROLES = (
    "pupil", "parent", "tutor", "head_of_year", "dsl", "lead_practitioner", "head", "administrator", "dpo", "auditor",
    "accreditor",
)  # fmt: skip

TABLE = """
action           class         when gate | pupil parent   tutor of_year dsl lead head admin dpo   auditor accred
see_name         name          RMLH no   | own   child    scope scope   all all  -    all   glass -       -
see_story        story         RMLH? yes | -     -        scope scope   all all  -    -     glass scope   -
see_guided       guided        RMLH? no  | own   released scope scope   all all  -    -     glass -       -
see_plans        plans         RMLH? yes | -     -        scope scope   all all  -    -     glass scope   -
write_plans      plans         RM!  yes  | -     -        scope scope   all all  -    -     -     -       -
review_flags     story         RM!  yes  | -     -        scope scope   all all  -    -     -     -       -
report_outcome   story         RM!  yes  | -     -        scope scope   all all  -    -     -     -       -
correct          story         RML  yes  | -     -        -     -       all all  -    -     glass -       -
sit              sitting       RM!  no   | own   -        scope -       -   -    -    -     -     -       -
ask_to_talk      talk          RM   no   | own   -        -     -       -   -    -    -     -     -       -
take_up_talk     talk          RM   no   | -     -        scope scope   all -    -    -     -     -       -
opt_out          consent       RM   no   | own   child    -     -       all all  -    all   -     -       -
raise_hand_off   safeguarding  RM   no   | -     -        scope scope   all -    -    -     -     -       -
see_hand_offs    safeguarding  RMLH no   | -     -        -     -       all -    -    -     glass -       -
take_up_hand_off safeguarding  RMLH no   | -     -        -     -       all -    -    -     -     -       -
make_card        sign_in       RM   no   | -     -        scope scope   -   -    -    all   -     -       -
make_letter      sign_in       RM   no   | -     -        -     -       -   -    -    all   -     -       -
keep_roster      name          RMLH no   | -     -        -     -       -   -    -    all   -     -       -
send_record      transfer      RML  no   | -     -        -     -       all -    -    -     -     -       -
take_own_copy    transfer      RML+ no   | own   -        -     -       all -    -    -     -     -       -
see_looks        audit         RMLH no   | own   child    -     -       all -    -    -     all   all     -
replay           story         RMLH no   | -     -        -     -       all -    -    -     glass scope   -
break_glass      audit         RMLH no   | -     -        -     -       -   -    -    -     all   -       -
admit            name          -    no   | -     -        -     -       -   -    -    all   -     -       -
import_roster    name          -    no   | -     -        -     -       -   -    -    all   -     -       -
receive_record   transfer      -    no   | -     -        -     -       all -    -    -     -     -       -
carry_sealed     transfer      -    no   | -     -        -     -       all -    -    all   -     -       -
see_transfers    transfer      -    no   | -     -        -     -       all -    -    all   all   all     -
see_rounds       rounds        -    no   | all   -        all   all     all all  all  all   all   all     -
set_rounds       configuration -    no   | -     -        -     -       -   all  -    all   -     -       -
see_school       configuration -    no   | all   all      all   all     all all  all  all   all   all     all
set_school       configuration -    no   | -     -        -     -       -   -    -    all   -     -       -
watch_backgrounds configuration -   no   | -     -        -     -       -   -    all  -     -     -       -
see_staff        staff         -    no   | -     -        -     -       all all  all  all   all   -       -
manage_staff     staff         -    no   | -     -        -     -       -   -    -    all   -     -       -
record_training  staff         -    no   | -     -        -     -       -   all  -    -     -     -       -
see_aggregates   aggregate     -    no   | -     -        -     -       all all  all  -     -     -       -
see_trust        aggregate     -    no   | -     -        -     -       -   -    all  -     -     -       -
verify           audit         -    no   | -     -        -     -       all -    all  all   all   all     -
see_access_log   audit         -    no   | -     -        -     -       -   -    -    -     all   all     -
review_glass     audit         -    no   | -     -        -     -       all -    all  -     -     -       -
train            training      -    no   | -     -        all   all     all all  all  all   all   all     -
see_training     training      -    no   | -     -        -     -       -   all  -    -     -     -       -
see_guidance     guidance      -    no   | -     -        all   all     all all  -    -     -     -       -
keep_guidance    guidance      -    no   | -     -        -     -       -   all  -    -     -     -       -
see_practice     aggregate     -    no   | -     -        -     -       -   all  all  -     -     -       all
accredit         accreditation -    no   | -     -        -     -       -   -    -    -     -     -       all
see_family       family        RMLH no   | -     -        -     -       all -    -    all   glass -       -
keep_family      family        RML  no   | -     -        -     -       all -    -    all   -     -       -
decide_competence rights       RML  no   | -     -        -     -       all -    -    -     all   -       -
ask_right        rights        RMLH no   | own   child    -     -       all -    -    all   all   -       -
see_rights       rights        RMLH no   | own   child    -     -       all -    -    -     all   all     -
see_all_held     everything    RMLH no   | -     -        -     -       all -    -    -     glass -       -
handle_rights    rights        RMLH no   | -     -        -     -       all -    -    -     all   -       -
review_withheld  rights        RMLH no   | -     -        -     -       all -    -    -     all   -       -
restrict         rights        RML  no   | -     -        -     -       all -    -    -     all   -       -
keep_retention   retention     RMLH no   | -     -        -     -       -   -    -    -     all   -       -
hold_record      retention     RMLH no   | -     -        -     -       all -    -    -     all   -       -
erase_record     retention     RMLH no   | -     -        -     -       all -    -    -     all   -       -
reset_factor     staff         -    no   | -     -        -     -       all -    all  -     -     -       -
list_rights      rights        -    no   | -     -        -     -       all -    -    -     all   all     -
see_register     configuration -    no   | -     -        -     -       all -    all  all   all   all     -
release_account  guided        RM!  yes  | -     -        -     -       all -    -    -     -     -       -
keep_webhooks    configuration -    no   | -     -        -     -       -   -    -    all   -     -       -
"""
"""``when``: the stages in which the action makes sense at all, "-" where no pupil is concerned, "+" only from 18,
"!" not while the record is restricted, "?" while it is restricted only by those who must (NOT_PAUSED);
``gate``: whether staff need their training first; then for each role, in the order of ROLES: "-" nobody, "own" the
pupil, "child" the parent's child, "released" a child whose account was released to parents, "scope" pupils of the
viewer's scope, "all" the whole school, "glass" a pupil whose glass the viewer has broken."""

UNGATED = frozenset({"pupil", "parent", "dpo", "auditor"})
"""The gate is for staff who work with pupils: those who inspect come from outside and act on no pupil."""

NOT_PAUSED = frozenset({"pupil", "parent", "dsl", "dpo", "auditor"})
"""Who may still look at a record that is restricted: whose it is, who settles the question, who keeps pupils safe."""

REACH: Mapping[str, str] = {
    "pupil": "RML", "parent": "RM-", "tutor": "RM", "head_of_year": "RM", "dsl": "RMLH", "lead_practitioner": "RML",
    "head": "", "administrator": "RMLH", "dpo": "RMLH", "auditor": "RMLH",
    "accreditor": "",
}  # fmt: skip
"""The stages in which a role reaches a pupil's record at all: a sending school keeps its copy for the DSL, not for the
tutor. "-": only until the pupil is 18."""


class Rule(NamedTuple):
    """One line of the table."""

    field_class: str
    when: str
    gate: bool
    cells: Mapping[str, str]


def read_table(text: str) -> dict[Action, Rule]:
    """The rules a table states. Raises ValueError where a line or a role is missing, double or unknown."""
    _, *lines = (line.replace("|", " ").split() for line in text.strip().splitlines())
    rules = {
        Action(name): Rule(field_class, when, {"yes": True, "no": False}[gate], dict(zip(ROLES, cells, strict=True)))
        for name, field_class, when, gate, *cells in lines
    }
    if list(rules) != list(Action) or len(lines) != len(rules):
        raise ValueError("the table of authority must have every action once, in the order of Action")
    return rules


RULES: Mapping[Action, Rule] = read_table(TABLE)
