"""EventBridge's matching as far as the template's patterns go: nested fields, lists of exact values or prefixes."""


def matches(pattern: dict, event: dict) -> bool:
    """Whether the event has, for each field of the pattern, one of its values."""
    return all(key in event and _field_matches(wanted, event[key]) for key, wanted in pattern.items())


def _field_matches(wanted, actual) -> bool:
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and matches(wanted, actual)
    candidates = actual if isinstance(actual, list) else [actual]
    return any(_value_matches(rule, candidate) for rule in wanted for candidate in candidates)


def _value_matches(rule, actual) -> bool:
    if not isinstance(rule, dict):
        return rule == actual
    if set(rule) == {"prefix"}:
        return isinstance(actual, str) and actual.startswith(rule["prefix"])
    raise NotImplementedError(f"this matcher does not know {sorted(rule)}: teach it before the template uses it")
