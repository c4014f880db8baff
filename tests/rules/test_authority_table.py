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
from domain.authority import REACH, ROLES, RULES, Action, Reason, Rule, Viewer, authorize, listing
from domain.scope import Scope
from tests.support.authority import EXPECTED, FAR, NEAR, PUPIL, SCHOOL, SITUATIONS, expected

ME = UUID(int=30)
SEEN = Scope(dimensions={"year": frozenset({"5"})})
USABLE = SEEN.model_copy(update={"usable_only": True})
ALL_USABLE = Scope(everyone=True, usable_only=True)
CELLS = {"pupil": ("-", "own", "all"), "parent": ("-", "child", "released", "all")}
STAFF_CELLS = ("-", "scope", "all", "glass")


def viewer(role: str, situation: str) -> Viewer:
    return Viewer(
        id=PUPIL if role == "pupil" and situation not in "sgSGQu" else ME,
        role=role,
        school_id=SCHOOL,
        scope=SEEN,
        child=PUPIL if role == "parent" and situation not in "sgSGQu" else None,
        trained=situation not in "tTu",
        glass=frozenset({PUPIL}) if situation in "gGQu" else frozenset(),
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


@pytest.mark.parametrize("name", ["UNGATED", "NOT_PAUSED", "HIDDEN"])
def test_every_flipped_member_of_a_set_the_judges_go_by_is_noticed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kept = getattr(authority, name)
    unseen = []
    for one in Reason if name == "HIDDEN" else ROLES:
        if name == "UNGATED" and not any(rule.gate and rule.cells[str(one)] != "-" for rule in RULES.values()):
            continue  # nothing that asks for training is open to that role at all
        if name == "NOT_PAUSED" and not _may_pause(str(one)):
            continue
        monkeypatch.setattr(authority, name, kept ^ {one})
        if judged_by(authority) and hidden_as_stated():
            unseen.append(one)
    assert unseen == []


def _may_pause(role: str) -> bool:
    return any("?" in rule.when and rule.cells[role] != "-" for rule in RULES.values())


def hidden_as_stated() -> bool:
    """Whether exactly the refusals that could tell that a pupil exists are hidden."""
    told = {Reason.OTHER_SCHOOL, Reason.NOT_YOURS, Reason.OUT_OF_SCOPE}
    return all(authority.Decision(False, one).hidden == (one in told) for one in Reason)


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
    story = RULES[Action.SEE_STORY]
    unheard_of = {**RULES, Action.SEE_STORY: story._replace(cells={**story.cells, "tutor": "some day"})}
    try:
        return (
            all(matches(role, action, module.authorize) for role in ROLES for action in Action)
            and all(module.listing(viewer(role, letter), Action.SEE_STORY) == scope for role, letter, scope in lists)
            and bool(module.authorize(narrow, Action.SEE_STORY, NEAR))
            and not module.authorize(viewer("tutor", "o"), Action.SEE_STORY, NEAR, unheard_of)
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


def test_every_judgement_left_out_is_noticed() -> None:
    """Each ``return`` that refuses, made to refuse nothing; each that does not, made to refuse."""
    source = inspect.getsource(authority)
    judges = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name in JUDGES]
    count = sum(isinstance(node, ast.Return) for judge in judges for node in ast.walk(judge))
    survivors = []
    for number in range(count):
        tree = ast.parse(source)
        told = [
            node for judge in tree.body if isinstance(judge, ast.FunctionDef) and judge.name in JUDGES
            for node in ast.walk(judge) if isinstance(node, ast.Return)
        ][number]  # fmt: skip
        line = f"{told.lineno}: {ast.unparse(told)}"
        bare = isinstance(told.value, ast.Constant) and told.value.value is None
        told.value = ast.parse("Reason.NOT_NOW" if bare else "None", mode="eval").body
        module = ModuleType("flipped")
        module.__dict__["__name__"] = "domain.authority"
        exec(compile(ast.fix_missing_locations(tree), "flipped", "exec"), module.__dict__)
        if judged_by(module):
            survivors.append(line)
    assert count > 20
    assert survivors == []


def test_the_judging_functions_as_they_stand_decide_as_stated() -> None:
    assert judged_by(authority)
