"""The words and tables a person reads."""


def message(failure):
    return f"{failure.function}: {failure.what}\n{failure.inputs}\n{failure.table}"


def locate(failure, subject):
    pass
