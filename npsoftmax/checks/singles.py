"""All single changes of a piece of Python: an operator, an operand, a constant, a
comparison, a function or a name that is another, a transpose or an argument left out.

    for change in single_changes(source): ...       each a Change, with its line

In goes the source of a function; out come its changes, in the order of its lines.
"""

import ast
import copy
import itertools
from typing import NamedTuple

OTHERS = {  # what people write for one another
    "max": ("min", "mean", "sum"),
    "min": ("max",),
    "sum": ("mean", "max"),
    "mean": ("sum",),
    "exp": ("exp2", "expm1"),
    "log": ("log2", "log10", "log1p"),
    "cos": ("sin",),
    "sin": ("cos",),
    "floor": ("round", "ceil"),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "ones_like": ("zeros_like",),
    "zeros_like": ("ones_like",),
}
OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add, ast.Sub),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.Pow: (ast.Mult,),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,),
    ast.BitAnd: (ast.BitOr,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}


class Change(NamedTuple):
    """A statement, a condition or a default of a function that is another."""

    line: int  # of the source, from 1
    right: str
    wrong: str
    source: str  # the whole function with the change
    is_of_a_name: bool  # one of the function's names stands for another


def single_changes(source):
    """Yield each single `Change` of a function; its source begins without an indent."""
    [function] = ast.parse(source).body
    names = sorted(
        {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
        | {
            each.id
            for each in ast.walk(function)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
    )
    for part in _parts(function):
        seen = {ast.unparse(part)}
        for old, new in _replacements(part, names):
            wrong = ast.unparse(_with(part, old, new))
            if wrong not in seen:
                seen.add(wrong)
                right, changed = _replaced(source, part, wrong)
                of_a_name = isinstance(old, ast.Name) and isinstance(new, ast.Name)
                yield Change(part.lineno, right, wrong, changed, of_a_name)


def _parts(function):
    """Yield the simple statements, conditions, what is looped over, and defaults."""
    for node in ast.walk(function):
        match node:
            case ast.Expr(ast.Constant()):
                pass  # a docstring
            case ast.Assign() | ast.AugAssign() | ast.Return() | ast.Expr():
                yield node
            case ast.If(test=part) | ast.While(test=part) | ast.For(iter=part):
                yield part
            case ast.arguments(defaults=parts):
                yield from parts


def _replaced(source, part, new):
    """Return the text of a part of a source, and the source with another text there."""
    lines = source.encode().splitlines(keepends=True)  # columns are counted in bytes
    start = sum(map(len, lines[: part.lineno - 1])) + part.col_offset
    end = sum(map(len, lines[: part.end_lineno - 1])) + part.end_col_offset
    whole = b"".join(lines)
    changed = whole[:start] + new.encode() + whole[end:]
    return whole[start:end].decode(), changed.decode()


def _with(part, old, new):
    """Return a copy of a part with one node in another's place."""
    place = list(ast.walk(part)).index(old)
    copied = copy.deepcopy(part)
    return _Put(list(ast.walk(copied))[place], new).visit(copied)


class _Put(ast.NodeTransformer):
    """Puts a node in another's place."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else super().generic_visit(node)


def _replacements(part, names):
    """Yield (node, what may stand there instead) for each node of a part."""
    for node in ast.walk(part):
        every = _in_place_of_a_leaf, _of_other_operators, _of_other_calls
        for new in itertools.chain(*(each(node) for each in every)):
            yield node, new
        match node:
            case ast.Name(id, ast.Load()) if id in names:
                yield node, ast.UnaryOp(ast.USub(), node)
                yield from ((node, ast.Name(name)) for name in names if name != id)


def _in_place_of_a_leaf(node):
    match node:
        case ast.Constant(bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(int() | float()):
            for other in (node.value + 1, node.value - 1, 2 * node.value, 0):
                yield ast.Constant(other)
        case ast.Attribute(value, "T"):
            yield value


def _of_other_operators(node):
    """Yield a calculation with another operator, or with an operand left out."""
    match node:
        case ast.BinOp(left, op, right):
            yield from (ast.BinOp(left, other, right) for other in _others(op))
            yield from (left, right)
        case ast.AugAssign(target, op, value):
            yield from (ast.AugAssign(target, other, value) for other in _others(op))
            yield ast.Assign([target], value, lineno=0)
        case ast.Compare(left, [op], right):
            yield from (ast.Compare(left, [other], right) for other in _others(op))
        case ast.BoolOp(op, values):
            yield from (ast.BoolOp(other, values) for other in _others(op))
            yield from values
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)


def _of_other_calls(node):
    """Yield a call of another function, or without an argument, and the first one."""
    match node:
        case ast.Call(function, arguments, keywords):
            name = getattr(function, "attr", getattr(function, "id", None))
            for other in OTHERS.get(name, ()):
                yield ast.Call(_renamed(function, other), arguments, keywords)
            for i in range(len(keywords)):
                yield ast.Call(function, arguments, keywords[:i] + keywords[i + 1 :])
            yield from arguments[:1]


def _others(operator):
    return [other() for other in OPERATORS.get(type(operator), ())]


def _renamed(function, name):
    if isinstance(function, ast.Attribute):
        return ast.Attribute(function.value, name)
    return ast.Name(name)
