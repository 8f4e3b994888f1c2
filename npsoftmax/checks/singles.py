"""All single changes of a piece of Python: an operator, an operand, a constant, a
comparison, a function or a name that is another, a transpose or an argument left out.

    for right, wrong in single_changes(source): ...     two texts of one statement

In goes the source of a function; out come pairs of statements, before and after.
"""

import ast

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
}
STATEMENTS = ast.Assign | ast.AugAssign | ast.Return | ast.Expr  # those without a body


def single_changes(source):
    """Yield (right, wrong) for each single change of a statement of a function."""
    [function] = ast.parse(source).body
    nodes = list(ast.walk(function))
    names = {each.arg for each in function.args.args} | {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for statement in nodes:
        if isinstance(statement, STATEMENTS) and not _is_docstring(statement):
            right = ast.get_source_segment(source, statement)
            changed = map(ast.unparse, _changed(statement, sorted(names)))
            for wrong in dict.fromkeys(changed):
                if wrong != ast.unparse(statement):
                    yield right, wrong


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changed(node, names):
    """Yield a node changed in all possible ways: itself, or one that is part of it."""
    yield from _instead_of(node, names)
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            for new in _changed(value, names):
                yield _with(node, **{field: new})
        for i, each in enumerate(value if isinstance(value, list) else ()):
            for new in _changed(each, names):
                yield _with(node, **{field: [*value[:i], new, *value[i + 1 :]]})


def _with(node, **changes):
    """Return a copy of a node with other parts."""
    return type(node)(**vars(node) | changes)


def _instead_of(node, names):
    """Yield what people may write for a node."""
    match node:
        case ast.operator() | ast.cmpop():
            yield from (other() for other in OPERATORS.get(type(node), ()))
        case ast.BinOp(left, _, right):
            yield from (left, right)
        case ast.UnaryOp(operand=operand) | ast.Attribute(operand, "T"):
            yield operand
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield from map(ast.Constant, (value + 1, value - 1, 2 * value))
        case ast.Call(ast.Attribute(_, name) as func, arguments, keywords):
            for other in OTHERS.get(name, ()):
                yield _with(node, func=_with(func, attr=other))
            for each in keywords:
                yield _with(node, keywords=[k for k in keywords if k is not each])
            yield from arguments[:1]
        case ast.Name(id, ast.Load()) if id in names:
            yield from (ast.Name(each, ast.Load()) for each in names if each != id)
            yield ast.UnaryOp(ast.USub(), node)
