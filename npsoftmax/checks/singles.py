"""All single changes of a piece of Python: an operator, an operand, a constant, a
comparison, a function or a name that is another, a transpose or an argument left out.

    for right, wrong in single_changes(source): ...     two texts of one statement

In goes the source of a function; out come pairs of statements, before and after.
"""

import ast
import copy

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


def single_changes(source):
    """Yield (right, wrong) for each single change of a statement of a function."""
    [function] = ast.parse(source).body
    names = sorted({
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    } | {each.arg for each in function.args.args})  # fmt: skip
    for statement in _statements(function):
        right = ast.get_source_segment(source, statement)
        seen = {ast.unparse(statement)}
        for changed in _changed(statement, names):
            wrong = ast.unparse(changed)
            if wrong not in seen:
                seen.add(wrong)
                yield right, wrong


def _statements(function):
    """Yield the statements without a body: assignments, returns, conditions aside."""
    for node in ast.walk(function):
        simple = ast.Assign | ast.AugAssign | ast.Return | ast.Expr
        if isinstance(node, simple) and not _is_docstring(node):
            yield node


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changed(statement, names):
    """Yield the statement with one node changed, in all possible ways."""
    number = len(list(ast.walk(statement)))
    for i in range(number):
        node = list(ast.walk(statement))[i]
        for new in _instead_of(node, names):
            copied = copy.deepcopy(statement)
            yield _Put(list(ast.walk(copied))[i], new).visit(copied)


class _Put(ast.NodeTransformer):
    """Puts a node in another's place."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else super().generic_visit(node)


def _instead_of(node, names):
    match node:
        case ast.BinOp(left, op, right):
            for other in OPERATORS.get(type(op), ()):
                yield ast.BinOp(left, other(), right)
            yield from (left, right)
        case ast.Compare(left, [op], right):
            for other in OPERATORS.get(type(op), ()):
                yield ast.Compare(left, [other()], right)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Constant(bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(int() | float()):
            for other in (node.value + 1, node.value - 1, 2 * node.value):
                yield ast.Constant(other)
        case ast.Call(ast.Attribute(value, name), arguments, keywords):
            for other in OTHERS.get(name, ()):
                yield ast.Call(ast.Attribute(value, other), arguments, keywords)
            for i in range(len(keywords)):
                kept = keywords[:i] + keywords[i + 1 :]
                yield ast.Call(node.func, arguments, kept)
            yield from arguments[:1]
        case ast.Attribute(value, "T"):
            yield value
        case ast.Name(id, ast.Load()) if id in names:
            yield from (ast.Name(each, ast.Load()) for each in names if each != id)
            yield ast.UnaryOp(ast.USub(), node)
