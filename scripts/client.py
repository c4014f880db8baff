"""The typed client, generated from the API's own description: a module a topic, a class for each type of problem."""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from astrack import errors
from astrack.api import PREFIX, describe

FOLDER = ROOT / "astrack" / "client"
NOTE = "Written by `scripts/client`."
WIDTH = 120
SIMPLE = {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}
FORMATS = {"date": "date", "date-time": "datetime", "uuid": "UUID"}
HEADERS = {"Idempotency-Key": ("key", "key=key or new_key()"), "If-Match": ("if_match", "if_match=if_match")}
JSON, TEXT = "application/json", "text/"
Schema = Mapping[str, Any]


def type_of(schema: Schema) -> str:
    """The Python type of a schema: limits are left to the service, which says what is wrong with a value."""
    match schema:
        case {"$ref": ref}:
            return str(ref).rpartition("/")[2]
        case {"anyOf": several}:
            return " | ".join(dict.fromkeys(type_of(one) for one in several))
        case {"enum": values}:
            return f"Literal[{', '.join(map(repr, values))}]"
        case {"const": value}:
            return f"Literal[{value!r}]"
        case {"type": "array", "prefixItems": parts}:
            return f"tuple[{', '.join(map(type_of, parts))}]"
        case {"type": "array"}:
            return f"list[{type_of(schema.get('items', {}))}]"
        case {"type": "object"}:
            named = schema.get("patternProperties", {"": schema.get("additionalProperties", {})})
            values = next(iter(named.values()))
            return f"dict[{_key(schema)}, {type_of(values) if isinstance(values, dict) else 'Any'}]"
        case {"type": "string"}:
            return FORMATS.get(schema.get("format", ""), "str")
        case {"type": simple}:
            return SIMPLE[simple]
    return "Any"


def _key(schema: Schema) -> str:
    return FORMATS.get(schema.get("propertyNames", {}).get("format", ""), "str")


def refs(schema: Any) -> Iterator[str]:
    """The names of all models a schema mentions."""
    if isinstance(schema, dict):
        yield from (str(value).rpartition("/")[2] for name, value in schema.items() if name == "$ref")
        yield from (one for value in schema.values() for one in refs(value))
    elif isinstance(schema, list):
        yield from (one for value in schema for one in refs(value))


@dataclass(frozen=True, slots=True)
class Operation:
    """One route."""

    method: str
    path: str
    told: Schema

    @property
    def name(self) -> str:
        """The name of the function that answers it."""
        return str(self.told["operationId"]).partition("_api_v1")[0]

    @property
    def parameters(self) -> list[Schema]:
        """What stands in its address and its headers."""
        return list(self.told.get("parameters", []))

    def answer(self) -> str:
        """The type of what it answers."""
        ((kind, said),) = self.told["responses"]["200"]["content"].items()
        if kind == JSON:
            return type_of(said["schema"])
        return "str" if kind.startswith(TEXT) else "bytes"

    def body(self) -> str:
        """The type of its body; "" where it takes none."""
        content = self.told.get("requestBody", {}).get("content", {})
        return "" if not content else type_of(content[JSON]["schema"]) if JSON in content else "bytes"

    def of_answers(self) -> set[str]:
        """The models its answer mentions."""
        return set(refs(self.told["responses"]["200"]))

    def mentions(self) -> set[str]:
        """The models it mentions."""
        return self.of_answers() | set(refs(self.told.get("requestBody", {}))) | set(refs(self.parameters))

    def written(self) -> str:
        """The method of the client."""
        needed, free, asked = ["self"], [], [f'"{self.method.upper()}"', self._address()]
        needed += [_argument(one) for one in self.parameters if one["in"] == "path"]
        if body := self.body():
            name = "content" if body == "bytes" else "body"
            needed.append(f"{name}: {body}")
            asked.append(f"{name}={name}")
        query = [one for one in self.parameters if one["in"] == "query"]
        free += [_argument(one) for one in query]
        if query:
            asked.append("query={" + ", ".join(f'"{one["name"]}": {snake(one["name"])}' for one in query) + "}")
        for one in self.parameters:
            if one["in"] == "header":
                name, given = HEADERS[one["name"]]
                free.append(f"{name}: str | None = None")
                asked.append(given)
        return self._method(needed, free, asked)

    def _method(self, needed: list[str], free: list[str], asked: list[str]) -> str:
        answer = self.answer()
        call = {"bytes": "content(", "str": "text("}.get(answer, f"value({answer}, ")
        if "304" in self.told["responses"]:
            free.append("if_none_match: str | None = None")
            asked.append("if_none_match=if_none_match")
        given = ", ".join([*needed, *(["*", *free] if free else [])])
        return (
            f"    def {self.name}({given}) -> {answer}:\n"
            f"        {docstring(self.told['description'], 8)}\n"
            f"        return self.{call}{', '.join(asked)})\n"
        )

    def _address(self) -> str:
        path = re.sub(r"\{(\w+)\}", r"{part(\1)}", self.path)
        return f'f"{path}"' if path != self.path else f'"{path}"'


def _argument(one: Schema) -> str:
    kind, schema = type_of(one["schema"]), one["schema"]
    if one.get("required"):
        return f"{snake(one['name'])}: {kind}"
    if "default" in schema:
        return f"{snake(one['name'])}: {kind} = {schema['default']!r}"
    return f"{snake(one['name'])}: {kind if 'None' in kind else kind + ' | None'} = None"


def snake(name: str) -> str:
    """A name that Python takes."""
    plain = re.sub(r"\W", "_", name)
    return plain + "_" if keyword.iskeyword(plain) else plain


def docstring(text: str, indent: int) -> str:
    """Words as a docstring, without what would end it."""
    said = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    if "\n" not in said and len(said) + indent + 6 <= WIDTH and not said.endswith('"'):
        return f'"""{said}"""'
    paragraphs = [" ".join(one.split()) for one in f'"""{said}'.split("\n\n")]
    margin = " " * indent
    return (
        f"\n{margin}\n{margin}".join(
            textwrap.fill(one, WIDTH - indent - 3).replace("\n", "\n" + margin) for one in paragraphs
        )
        + f'\n{margin}"""'
    )


def model(name: str, schema: Schema, base: str) -> str:
    """The class of a model."""
    lines = [f"class {name}({base}):", f"    {docstring(schema.get('description', name), 4)}", ""]
    needed = set(schema.get("required", ()))
    for one, of in schema.get("properties", {}).items():
        lines.append(f"    {snake(one)}: {_field(one, of, one in needed)}")
    return "\n".join(lines) + "\n"


def _field(name: str, schema: Schema, needed: bool) -> str:
    empty: Schema = {"array": [], "object": {}}
    kind, given = type_of(schema), [f'alias="{name}"'] if snake(name) != name else []
    if not needed:
        default = schema.get("default", empty.get(schema.get("type", "")))
        kind = f"{kind} | None" if default is None and "None" not in kind else kind
        if not given and not isinstance(default, list | dict):
            return f"{kind} = {default!r}"
        given.insert(0, f"default={default!r}")
    return f"{kind} = Field({', '.join(given)})" if given else kind


@dataclass(slots=True)
class Module:
    """One module of the client."""

    name: str
    said: str
    models: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)

    def text(self) -> str:
        """Its source."""
        body = "\n\n".join(self.models.values())
        if self.calls:
            body += f'\n\nclass {title(self.name)}Calls(Caller):\n    """{self.said}"""\n\n' + "\n".join(self.calls)
        lines = [f'"""{self.said} {NOTE}"""', "", "from __future__ import annotations", ""]
        dates = [one for one in ("date", "datetime") if re.search(rf"\b{one}\b(?!:)", body)]
        lines += [f"from datetime import {', '.join(dates)}"] if dates else []
        typed = [one for one in ("Any", "Literal") if re.search(rf"\b{one}\b", body)]
        lines += [f"from typing import {', '.join(typed)}"] if typed else []
        lines += ["from uuid import UUID"] if "UUID" in body else []
        lines += ["", "from pydantic import Field", ""] if "= Field(" in body else [""]
        used = [one for one in ("Caller", "Got", "Sent", "new_key", "part") if re.search(rf"\b{one}\b", body)]
        lines += [f"from astrack.client.calling import {', '.join(used)}"]
        lines += [f"from astrack.client.shared import {', '.join(sorted(self.shared))}"] if self.shared else []
        return formatted("\n".join([*lines, "", "", body]), f"{self.name}.py")


def title(name: str) -> str:
    """A name of a module as that of a class."""
    return "".join(one.capitalize() for one in name.split("_"))


def formatted(source: str, name: str) -> str:
    """Source as the house writes it."""
    for command in (("check", "--fix-only", "--quiet", "--select", "I"), ("format", "--quiet")):
        done = subprocess.run(
            ["ruff", *command, "--stdin-filename", str(FOLDER / name), "-"],
            input=source, text=True, capture_output=True, check=True, cwd=ROOT, timeout=60,
        )  # fmt: skip
        source = done.stdout
    return source


def modules(described: Schema) -> dict[str, str]:
    """Every generated module of the client, by its file's name."""
    schemas = described["components"]["schemas"]
    whole = {name: _reach(name, schemas) for name in schemas}
    topics: dict[str, list[Operation]] = {}
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            one = Operation(method, path.removeprefix(PREFIX), told)
            topics.setdefault(snake(told["tags"][0]), []).append(one)
    owned: dict[str, set[str]] = {}
    answered: set[str] = set()
    for topic, operations in topics.items():
        for one in operations:
            answered |= {deep for name in one.of_answers() for deep in whole[name]}
            for name in one.mentions():
                for deep in whole[name]:
                    owned.setdefault(deep, set()).add(topic)
    owned.pop("Problem", None)
    home = {name: next(iter(of)) if len(of) == 1 else "shared" for name, of in owned.items()}
    made = {"shared": Module("shared", "What several topics of the API have in common.")}
    for topic, operations in sorted(topics.items()):
        made[topic] = Module(topic, f"What the API has on the topic `{operations[0].told['tags'][0]}`.")
        made[topic].calls = [one.written() for one in operations]
        named = {deep for one in operations for name in one.mentions() for deep in whole[name] if deep in home}
        text = "\n".join(made[topic].calls)
        direct = {name for name in named if re.search(rf"\b{name}\b", text)}
        inner = {name for one in named if home[one] == topic for name in refs(schemas[one])}
        made[topic].shared = {name for name in direct | inner if home.get(name) == "shared"}
    for name in sorted(home):
        base = "Got" if name in answered else "Sent"
        made[home[name]].models[name] = model(name, schemas[name], base)
    return {f"{name}.py": one.text() for name, one in made.items()} | {"problems.py": problems()}


def _reach(name: str, schemas: Schema) -> set[str]:
    found, ahead = set(), [name]
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += list(refs(schemas[one]))
    return found


def problems() -> str:
    """A class for each type of problem."""
    said = f'"""Every type of problem as a class, to be caught by its name. {NOTE}"""'
    lines = [said, "", "from __future__ import annotations", "", "from astrack.client.calling import problem_type", ""]
    lines += [f'{name} = problem_type("{name}", "{errors.slug_of(name)}")' for name in sorted(errors.TABLE)]
    return formatted("\n".join(lines) + "\n", "problems.py")


def main() -> None:
    """Write every generated module; with --check, say which are out of date and fail."""
    stale = []
    for name, text in modules(describe()).items():
        path = FOLDER / name
        if "--check" in sys.argv:
            stale += [] if path.exists() and path.read_text() == text else [name]
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"astrack/client is out of date ({', '.join(stale)}): run scripts/client")


if __name__ == "__main__":
    main()
