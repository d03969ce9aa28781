"""One YAML file as values with line numbers and all mistakes of its writing. Its meaning is not judged.

Values are read as Dagster reads a component's file: YAML 1.1, days left as text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

YamlPath = tuple[str | int, ...]

_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_MERGE = "<<"
_DEEPEST = 30


class _Loader(yaml.CSafeLoader):
    """The safe loader, except that a day without quotes stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class YamlProblem:
    """One mistake of writing: its line, the field it lies in, and what was expected."""

    line: int
    path: YamlPath
    expected: str


@dataclass(frozen=True)
class YamlDocument:
    """What a file says.

    Attributes:
        value: Dicts, lists and scalars; None where the file cannot be read as YAML.
        problems: Mistakes of writing, in the order of the file.
        lines: The line of each field and list entry, counted from 1.
        readable: Whether `value` is what is written.
    """

    value: object
    problems: tuple[YamlProblem, ...]
    lines: Mapping[YamlPath, int]
    readable: bool

    def line(self, path: YamlPath) -> int:
        """The line of a field, or of the nearest field around it that is written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


@dataclass
class _Survey:
    """What a walk over the nodes of a document found."""

    loader: Any
    lines: dict[YamlPath, int] = field(default_factory=dict[YamlPath, int])
    problems: list[YamlProblem] = field(default_factory=list[YamlProblem])
    seen: set[int] = field(default_factory=set[int])
    constructible: bool = True

    def walk(self, node: Node, path: YamlPath, line: int) -> None:
        # An anchored node is met once per alias; an alias may lie inside its own anchor.
        if id(node) in self.seen:
            return
        self.seen.add(id(node))
        if isinstance(node, ScalarNode):
            self._check_number(node, path, line)
        elif isinstance(node, MappingNode):
            self._walk_mapping(node, path)
        elif isinstance(node, SequenceNode):
            for index, entry in enumerate(cast(list[Node], node.value)):
                start = entry.start_mark.line + 1
                self.lines[(*path, index)] = start
                self.walk(entry, (*path, index), start)

    def _walk_mapping(self, node: MappingNode, path: YamlPath) -> None:
        first: dict[str, int] = {}
        for key, value in cast(list[tuple[Node, Node]], node.value):
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.constructible = False
                self.problems.append(YamlProblem(line, path, "expected a word as the name of a field"))
                continue
            name = cast(str, key.value)
            inner = (*path, name)
            if name in first and name != _MERGE:
                self.problems.append(
                    YamlProblem(line, inner, f"expected once; it is on line {first[name]} already")
                )
            first.setdefault(name, line)
            self.lines[inner] = line
            self.walk(value, inner, line)

    def _check_number(self, node: ScalarNode, path: YamlPath, line: int) -> None:
        if node.tag in _NUMBERS:
            try:
                self.loader.construct_object(node)
            except ValueError:  # 0b without digits, or thousands of digits
                self.constructible = False
                self.problems.append(YamlProblem(line, path, "expected a number, or text in quotes"))


def read_yaml(text: str) -> YamlDocument:
    """Read the one document of a file; mistakes are returned, never raised."""
    try:
        return _read(text)
    except yaml.YAMLError as error:
        return YamlDocument(None, (_unreadable(error),), {}, readable=False)


def _read(text: str) -> YamlDocument:
    tagged = _tagged_values(text)
    loader: Any = _Loader(text)
    nodes: list[Node] = []
    while loader.check_node():
        nodes.append(loader.get_node())
    if not nodes:
        raise yaml.YAMLError("expected type and attributes; the file is empty")
    survey = _Survey(loader, problems=tagged, constructible=not tagged)
    survey.walk(nodes[0], (), 1)
    survey.problems += [
        YamlProblem(node.start_mark.line + 1, (), "expected one document; remove what follows ---")
        for node in nodes[1:]
    ]
    value: object = loader.construct_document(nodes[0]) if survey.constructible else None
    return YamlDocument(value, tuple(survey.problems), survey.lines, survey.constructible)


def _tagged_values(text: str) -> list[YamlProblem]:
    """The values with a tag, which the loader would not or could not construct."""
    # Events come first because composing recurses in C without a guard: a file nested too deeply would end
    # the process.
    depth = 0
    problems: list[YamlProblem] = []
    for event in cast(Any, yaml).parse(text, Loader=_Loader):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"expected at most {_DEEPEST} levels of fields")
        if getattr(event, "tag", None) is not None:
            line = event.start_mark.line + 1
            problems.append(YamlProblem(line, (), "expected a value without a YAML tag (!)"))
    return problems


def _unreadable(error: yaml.YAMLError) -> YamlProblem:
    # Only the parser's own words: its full message quotes the file.
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return YamlProblem(
            mark.line + 1 if mark else 1, (), f"expected YAML that can be read; {error.problem}"
        )
    if isinstance(error, ReaderError):
        return YamlProblem(1, (), "expected text without control characters")
    return YamlProblem(1, (), str(error))
