"""Every role x every action x every situation, stated a second time by hand, and proof that no rule can be flipped unseen."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from domain import authority
from domain.authority import REACH, ROLES, RULES, About, Action, Reason, Rule, Stage, Viewer, authorize, listing
from domain.journey.facts import Group
from domain.scope import Scope

SCHOOL, ELSEWHERE = UUID(int=10), UUID(int=11)
PUPIL, ME = UUID(int=20), UUID(int=30)
NEAR = About(SCHOOL, PUPIL, 5, (Group(dimension="house", name="Elm"),))
FAR = replace(NEAR, year_group=6)
SEEN = Scope(dimensions={"year": frozenset({"5"})})
USABLE = SEEN.model_copy(update={"usable_only": True})
ALL_USABLE = Scope(everyone=True, usable_only=True)
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
}
ALL = "nosxmlhOMLHgrtTRSGeqBQ"
# what each role may, by hand from the shared field guide, section 5
EXPECTED: dict[str, dict[str, str]] = {
    "pupil": {
        "see_name see_guided see_looks ask_right see_rights": "omlOMLrtTeRqB",
        "ask_to_talk opt_out": "omOMrtTeRqB",
        "sit": "omOMrtTR",
        "take_own_copy": "OMLTRB",
        "see_rounds see_school": ALL,
    },
    "parent": {"see_name see_looks opt_out ask_right see_rights": "omrteq", "see_guided": "r", "see_school": ALL},
    "tutor": {
        "see_name take_up_talk raise_hand_off make_card": "omOMrtTeRqB",
        "see_guided": "omOMrtTeR",
        "see_story see_plans write_plans review_flags report_outcome": "omOMreR",
        "sit": "omOMrtTR",
        "see_rounds see_school train see_guidance": ALL,
    },
    "head_of_year": {
        "see_name take_up_talk raise_hand_off make_card": "omOMrtTeRqB",
        "see_guided": "omOMrtTeR",
        "see_story see_plans write_plans review_flags report_outcome": "omOMreR",
        "see_rounds see_school train see_guidance": ALL,
    },
    "dsl": {
        "see_name see_guided see_hand_offs take_up_hand_off see_looks replay": "osSmlhOMLHgGrtTeRqQB",
        "see_family ask_right see_rights see_all_held handle_rights review_withheld": "osSmlhOMLHgGrtTeRqQB",
        "hold_record erase_record": "osSmlhOMLHgGrtTeRqQB",
        "keep_family decide_competence restrict": "osSmlOMLgGrtTeRqQB",
        "see_story see_plans": "osSmlhOMLHgGreRqQB",
        "write_plans review_flags report_outcome release_account": "osSmOMgGreR",
        "correct": "osSmlOMLgGreRqQB",
        "take_up_talk raise_hand_off opt_out": "osSmOMgGrtTeRqQB",
        "send_record": "osSmlOMLgGrtTeRqQB",
        "take_own_copy": "OMLTSGRB",
        "receive_record carry_sealed see_transfers see_rounds see_school see_staff see_aggregates verify review_glass": ALL,
        "train see_guidance list_rights see_register reset_factor": ALL,
    },
    "lead_practitioner": {
        "see_name": "osSmlOMLgGrtTeRqQB",
        "see_guided": "osSmlOMLgGrtTeR",
        "see_story see_plans": "osSmlOMLgGreR",
        "correct": "osSmlOMLgGreRqQB",
        "write_plans review_flags report_outcome": "osSmOMgGreR",
        "opt_out": "osSmOMgGrtTeRqQB",
        "see_rounds set_rounds see_school see_staff record_training see_aggregates": ALL,
        "train see_training see_guidance keep_guidance see_practice": ALL,
    },
    "head": {
        "see_rounds see_school see_staff see_aggregates see_trust verify review_glass see_register train": ALL,
        "see_practice watch_backgrounds": ALL,
        "reset_factor": ALL,
    },
    "administrator": {
        "see_name keep_roster see_family ask_right": "osSmlhOMLHgGrtTeRqQB",
        "keep_family": "osSmlOMLgGrtTeRqQB",
        "opt_out make_card make_letter": "osSmOMgGrtTeRqQB",
        "admit import_roster carry_sealed see_transfers see_rounds set_rounds see_school set_school": ALL,
        "see_staff manage_staff verify see_register train keep_webhooks": ALL,
    },
    "dpo": {
        "see_name see_story see_guided see_plans correct see_hand_offs replay see_family see_all_held": "gGQ",
        "see_looks break_glass ask_right see_rights handle_rights review_withheld": "osSmlhOMLHgGrtTeRqQB",
        "keep_retention hold_record erase_record": "osSmlhOMLHgGrtTeRqQB",
        "decide_competence restrict": "osSmlOMLgGrtTeRqQB",
        "see_transfers see_rounds see_school see_staff verify see_access_log list_rights see_register train": ALL,
    },
    "auditor": {
        "see_story see_plans replay": "omlhOMLHrtTeRqB",
        "see_looks see_rights": "osSmlhOMLHgGrtTeRqQB",
        "see_transfers see_rounds see_school verify see_access_log list_rights see_register train": ALL,
    },
    "accreditor": {"see_school see_practice accredit": ALL},
}
CELLS = {"pupil": ("-", "own", "all"), "parent": ("-", "child", "released", "all")}
STAFF_CELLS = ("-", "scope", "all", "glass")


def viewer(role: str, situation: str) -> Viewer:
    return Viewer(
        id=PUPIL if role == "pupil" and situation not in "sgSGQ" else ME,
        role=role,
        school_id=SCHOOL,
        scope=SEEN,
        child=PUPIL if role == "parent" and situation not in "sgSGQ" else None,
        trained=situation not in "tT",
        glass=frozenset({PUPIL}) if situation in "gGQ" else frozenset(),
    )


def told(decision: Any) -> bool:
    """Allowed, and said so; a decision that says one thing and means another matches nothing."""
    return bool(decision.allowed) if decision.allowed == (decision.reason.name == "ALLOWED") else not decision.allowed


def allowed(role: str, action: Action, decide: Any = authorize, **tables: Any) -> str:
    return "".join(
        letter
        for letter, about in SITUATIONS.items()
        if told(decide(viewer(role, letter), action, about, **tables))
    )  # fmt: skip


def expected(role: str, action: str) -> str:
    found = [letters for names, letters in EXPECTED[role].items() if action in names.split()]
    assert len(found) <= 1, f"{role} {action} is stated twice"
    return "".join(letter for letter in SITUATIONS if letter in (found or [""])[0])


def matches(role: str, action: Action, decide: Any = authorize, **tables: Any) -> bool:
    return allowed(role, action, decide, **tables) == expected(role, action)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", list(Action))
def test_each_role_may_do_what_is_stated_and_nothing_else(role: str, action: Action) -> None:
    assert allowed(role, action) == expected(role, action)


def test_the_expected_table_names_only_roles_and_actions_that_exist() -> None:
    assert set(EXPECTED) == set(ROLES)
    stated = {name for table in EXPECTED.values() for names in table for name in names.split()}
    assert stated == set(Action)


def test_an_unknown_role_may_do_nothing() -> None:
    assert not any(
        authorize(replace(viewer("tutor", "o"), role="root"), action, about)
        for action in Action
        for about in SITUATIONS.values()
    )


def test_a_refusal_does_not_tell_whether_a_pupil_exists() -> None:
    for letter in "sx":
        assert authorize(viewer("tutor", letter), Action.SEE_STORY, SITUATIONS[letter]).hidden
    assert authorize(viewer("pupil", "s"), Action.SEE_GUIDED, FAR).hidden
    assert authorize(viewer("parent", "s"), Action.OPT_OUT, FAR).hidden


def test_a_role_that_never_sees_is_told_so_before_the_pupil_is_looked_at() -> None:
    for letter in "osx":
        assert authorize(viewer("head", letter), Action.SEE_STORY, SITUATIONS[letter]).reason is Reason.ROLE


def test_a_key_limited_to_some_actions_does_no_others() -> None:
    narrow = replace(viewer("dsl", "o"), only=frozenset({"see_story"}))
    assert authorize(narrow, Action.SEE_STORY, NEAR)
    assert not authorize(narrow, Action.SEE_PLANS, NEAR)


@pytest.mark.parametrize(
    ("role", "listed"),
    [
        ("tutor", USABLE),
        ("dsl", Scope(everyone=True)),
        ("lead_practitioner", ALL_USABLE),
        ("head", Scope()),
        ("pupil", Scope()),
        ("dpo", Scope()),
    ],
)
def test_a_list_holds_only_whom_its_viewer_may_see_one_by_one(role: str, listed: Scope) -> None:
    assert listing(viewer(role, "o"), Action.SEE_STORY) == listed


def test_a_list_is_empty_before_training() -> None:
    assert listing(viewer("tutor", "t"), Action.SEE_STORY) == Scope()


# --- no single rule can be flipped unseen


def cell_flips() -> Iterator[tuple[str, Action, Mapping[Action, Rule]]]:
    for action, rule in RULES.items():
        for role, cell in rule.cells.items():
            kinds = CELLS.get(role, STAFF_CELLS) if rule.when != "-" else ("-", "all")
            for other in kinds:
                if other != cell and (cell, other) != ("own", "own"):
                    yield role, action, {**RULES, action: rule._replace(cells={**rule.cells, role: other})}


def second_lock(role: str, action: Action) -> bool:
    return role in ("head", "accreditor") or action == "take_own_copy"


def test_every_flipped_cell_is_noticed() -> None:
    # where a second lock, the reach, would hold anyway, it is opened, so that the first one is tried alone
    opened = {role: {**REACH, role: "RMLH"} for role in ("head", "parent", "accreditor")}
    flips = list(cell_flips())
    assert len(flips) > 700
    unseen = [
        (role, action, rules[action].cells[role])
        for role, action, rules in flips
        if matches(
            role, action, rules=rules, reach=opened[role] if role in opened and second_lock(role, action) else REACH
        )
    ]
    assert unseen == []


def toggled(letters: str, letter: str) -> str:
    return letters.replace(letter, "") if letter in letters else letters + letter


def _pausable(asking: list[str], when: str) -> bool:
    """Whether "?" would change anything: somebody who asks is paused, and "!" does not hold already."""
    return "!" not in when and any(role not in authority.NOT_PAUSED for role in asking)


def test_every_flipped_stage_and_gate_of_an_action_is_noticed() -> None:
    unseen = []
    for action, rule in RULES.items():
        asking = [role for role in ROLES if rule.cells[role] != "-"]
        reached = "".join(REACH[role] for role in asking)
        flips = [
            rule._replace(when=toggled(rule.when, one))
            for one in "RMLH+!?"
            if rule.when != "-" and (one in reached or one in "+!" or (one == "?" and _pausable(asking, rule.when)))
        ]
        # "at any stage" and "no pupil at all" are told apart too
        flips.append(rule._replace(when="RMLH" if rule.when == "-" else "-"))
        if any(role not in authority.UNGATED for role in asking):
            flips.append(rule._replace(gate=not rule.gate))
        for flip in flips:
            rules = {**RULES, action: flip}
            if all(matches(role, action, rules=rules) for role in asking):
                unseen.append((action, flip))
    assert unseen == []


def test_every_flipped_reach_of_a_role_is_noticed() -> None:
    unseen = []
    for role in ROLES:
        about_pupils = [action for action in Action if RULES[action].when != "-" and RULES[action].cells[role] != "-"]
        for one in "RMLH-" if about_pupils else "":
            reach = {**REACH, role: toggled(REACH[role], one)}
            if all(matches(role, action, reach=reach) for action in about_pupils):
                unseen.append((role, one))
    assert unseen == []


OPPOSITE: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
JUDGES = ("authorize", "listing", "_role", "_pupil", "_near", "_stage", "_paused")


def flippable(tree: ast.Module) -> list[ast.AST]:
    judges = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in JUDGES]
    inside = [node for judge in judges for node in ast.walk(judge)]
    return [node for node in inside if isinstance(node, ast.Compare | ast.BoolOp | ast.IfExp) or
            (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))]  # fmt: skip


def flip(node: ast.AST) -> None:
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [OPPOSITE[type(op)]()]  # type: ignore[list-item]
        case ast.BoolOp(op=op):
            node.op = OPPOSITE[type(op)]()  # type: ignore[assignment]
        case ast.IfExp(body=body, orelse=orelse):
            node.body, node.orelse = orelse, body
        case ast.UnaryOp():
            node.op = ast.UAdd()
            node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])


def judged_by(module: ModuleType) -> bool:
    """Whether the judges of a module decide as stated, lists included."""
    lists = [("tutor", "o", USABLE), ("dsl", "o", Scope(everyone=True)), ("lead_practitioner", "o", ALL_USABLE), ("head", "o", Scope()), ("dpo", "o", Scope()),
             ("tutor", "t", Scope())]  # fmt: skip
    narrow = replace(viewer("dsl", "o"), only=frozenset({"see_story"}))
    try:
        return (
            all(matches(role, action, module.authorize) for role in ROLES for action in Action)
            and all(module.listing(viewer(role, letter), Action.SEE_STORY) == scope for role, letter, scope in lists)
            and bool(module.authorize(narrow, Action.SEE_STORY, NEAR))
            and not module.authorize(narrow, Action.SEE_PLANS, NEAR)
        )
    except (AttributeError, TypeError, KeyError):
        return False


def test_every_flipped_comparison_in_the_judging_functions_is_noticed() -> None:
    source = inspect.getsource(authority)
    count = len(flippable(ast.parse(source)))
    assert count > 15
    survivors = []
    for number in range(count):
        tree = ast.parse(source)
        node = flippable(tree)[number]
        line = f"{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
        flip(node)
        module = ModuleType("flipped")
        module.__dict__["__name__"] = "domain.authority"
        exec(compile(ast.fix_missing_locations(tree), "flipped", "exec"), module.__dict__)
        if judged_by(module):
            survivors.append(line)
    assert survivors == []


def test_the_judging_functions_as_they_stand_decide_as_stated() -> None:
    assert judged_by(authority)
