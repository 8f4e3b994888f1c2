"""All single changes of a piece of Python: an operator, an operand, a constant, a
comparison, a function or a name that is another, a transpose or an argument left out.

    for change in single_changes(source): ...       each a Change, with its line

In goes the source of a function; out come its changes, part by part.
"""

import ast
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
    nodes = list(ast.walk(function))
    names = {each.arg for each in nodes if isinstance(each, ast.arg)} | {
        each.id
        for each in nodes
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    for part in _parts(nodes):
        seen = {ast.unparse(part)}
        for others in ((), sorted(names)):
            for wrong in map(ast.unparse, _changed(part, names, others)):
                if wrong not in seen:
                    seen.add(wrong)
                    right, changed = _replaced(source, part, wrong)
                    yield Change(part.lineno, right, wrong, changed, bool(others))


def _parts(nodes):
    """Yield the simple statements, conditions, what is looped over, and defaults."""
    for node in nodes:
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


def _changed(node, names, others):
    """Yield a node changed in all possible ways: itself, or one that is part of it."""
    yield from _instead_of(node, names, others)
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            for new in _changed(value, names, others):
                yield _with(node, **{field: new})
        for i, each in enumerate(value if isinstance(value, list) else ()):
            for new in _changed(each, names, others):
                yield _with(node, **{field: [*value[:i], new, *value[i + 1 :]]})


def _with(node, **changes):
    """Return a copy of a node with other parts."""
    return type(node)(**vars(node) | changes)


def _instead_of(node, names, others):
    """Yield what people may write for a node."""
    match node:
        case ast.operator() | ast.cmpop() | ast.boolop():
            yield from (other() for other in OPERATORS.get(type(node), ()))
        case ast.BinOp(left, _, right) | ast.IfExp(_, left, right):
            yield from (left, right)
        case ast.BoolOp(_, values):
            yield from values
        case ast.AugAssign(target, _, value):
            yield ast.Assign([target], value, lineno=0)
        case ast.UnaryOp(operand=operand) | ast.Attribute(operand, "T"):
            yield operand
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield from map(ast.Constant, (value + 1, value - 1, 2 * value, 0))
        case ast.Call(func, arguments, keywords):
            for name, other in _others_for(func):
                yield _with(node, func=_with(func, **{name: other}))
            for each in keywords:
                yield _with(node, keywords=[k for k in keywords if k is not each])
            yield from arguments[:1]
        case ast.Name(id, ast.Load()) if id in names:
            yield ast.UnaryOp(ast.USub(), node)
            yield from (ast.Name(each, ast.Load()) for each in others if each != id)


def _others_for(function):
    """Yield (field, name) of what people write for a function: `np.max` or `max`."""
    field = "attr" if isinstance(function, ast.Attribute) else "id"
    name = getattr(function, field, None)
    yield from ((field, other) for other in OTHERS.get(name, ()))
