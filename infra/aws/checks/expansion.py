"""What the checks look for in an expansion."""


def of_type(resources: dict, kind: str) -> dict:
    return {name: body["Properties"] for name, body in resources.items() if body["Type"] == kind}


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def referenced(value) -> str | None:
    """The logical id that a Ref or GetAtt points to."""
    if not isinstance(value, dict):
        return None
    if "Ref" in value:
        return value["Ref"]
    attribute = value.get("Fn::GetAtt")
    return as_list(attribute)[0].split(".")[0] if attribute else None


def policy_documents(value):
    """Every policy document below `value`, wherever a resource keeps it."""
    if isinstance(value, dict):
        if "Statement" in value:
            yield value
        for inner in value.values():
            yield from policy_documents(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from policy_documents(inner)


def statements(value):
    """Every statement below `value`, those inside a condition included."""
    for document in policy_documents(value):
        for statement in as_list(document["Statement"]):
            if "Fn::If" in statement:
                yield from (branch for branch in statement["Fn::If"][1:] if "Effect" in branch)
            else:
                yield statement
