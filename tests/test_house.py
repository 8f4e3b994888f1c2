"""The house, read from its sources: no circle, each file below what it imports; a test
imports no other test, and nothing private.
"""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import draws

import npsoftmax
from npsoftmax import textbook
from npsoftmax.checks import CONTRACT, mistakes
from npsoftmax.checks.conventions import FAMILIES
from npsoftmax.checks.layers import LAYERS

TESTS = Path(__file__).parent
HOUSE = TESTS.parent / "npsoftmax"
ROOMS = [  # from top to bottom; what stands in none of them is above them all
    r"checks\.(contract|agree|draws|paper)",
    r"checks\.(own_gradient|generic)",
    r"checks\.layers",
    r"checks\.(edits|singles|mistakes|conventions|homework)",
    r"checks\.engine\.safely",
    r"checks\.words",
    r"checks\.engine",
    r"checks\.(doors|grading)|checks$|trace",
    r"commands|__main__",
]


def module_of(path):
    parts = path.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


TREES = {
    module_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in HOUSE.rglob("*.py")
}


def imports(nodes):
    """Yield (module, name, name here) of each import; our modules are found whole."""
    for node in nodes:
        for each in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            module = node.module if isinstance(node, ast.ImportFrom) else each.name
            inner = f"{module}.{each.name}"
            yield (
                inner if inner in TREES else module,
                each.name,
                each.asname or each.name,
            )


def inside(nodes):
    """Return the modules of the package among what is imported."""
    return {module for module, *_ in imports(nodes) if module in TREES}


def room(module):
    name = module.removeprefix("npsoftmax.")
    found = [i for i, room in enumerate(ROOMS) if re.match(rf"({room})\b", name)]
    return found[0] if found else -1


def test_no_file_imports_itself_by_way_of_others():
    graph = {module: inside(tree.body) for module, tree in TREES.items()}
    TopologicalSorter(graph).prepare()


def test_a_file_imports_only_from_its_own_room_and_those_above():
    upward = {
        (module, other)
        for module, tree in TREES.items()
        for other in inside(ast.walk(tree))
        if room(other) > room(module)
    }
    assert upward == set()


def test_each_layer_is_in_every_list_of_the_house():
    for room, listed in (("layers", LAYERS.values()), ("mistakes", vars(mistakes))):
        files = {p.stem for p in (HOUSE / "checks" / room).glob("[!_]*.py")}
        names = {getattr(each, "__name__", each).split(".")[-1] for each in listed}
        assert files <= names
    assert {*CONTRACT} <= {*npsoftmax.__all__} & {*vars(textbook)}
    assert {each.forward for each in FAMILIES} <= {*CONTRACT}
    forwards = {
        name.removesuffix("_forward") for name in CONTRACT if "_forward" in name
    }
    assert forwards == {*draws.LAYERS}


def test_no_test_imports_another_test_or_a_private_name():
    found = {
        (path.name, module, name)
        for path in TESTS.rglob("*.py")
        for module, name in taken(ast.parse(path.read_text(encoding="utf-8")))
        if module.startswith("test_") or (module in TREES and private(name))
    }
    assert found == set()


def taken(tree):
    """Yield (module, name) for all that a file imports, or reaches in what it has."""
    nodes = list(ast.walk(tree))
    modules = {here: module for module, _, here in imports(nodes)}
    yield from ((module, name) for module, name, _ in imports(nodes))
    for node in nodes:
        match node:
            case ast.Attribute(ast.Name(id), attr) if id in modules:
                yield modules[id], attr


def private(name):
    return re.match("_[^_]", name)
