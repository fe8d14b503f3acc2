"""What the built package would change on an instance, besides the app's own tables: its columns on incident, no more.

Whoever installs the package must be able to trust that. So every type of record is listed here with what it may be
about, and one that is not listed is a problem until somebody has thought about it.
"""

import dataclasses
import pathlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator

SCOPE = "x_casebridge_aws"
PREFIX = f"{SCOPE}_"
INCIDENT = "incident"
# The rules on tables of the platform, which run after a record was saved and can't abort.
RULES = {
    ("incident", "casebridge incident changed", "async_always"),
    ("sys_attachment", "casebridge file attached", "async_always"),
}
SYS_ID_LENGTH = 32
# What the dictionary may say of a table that is not the app's: which one it is.
FOREIGN_TABLE_ATTRIBUTES = {"name", "type"}
# The tables of the platform that the app may read, the one that it may write, and those that it may add records to.
PRIVILEGES = {
    ("read", "incident"),
    ("create", "incident"),
    ("write", "incident"),
    ("read", "sys_journal_field"),
    ("read", "sys_audit"),
    ("read", "sys_user"),
    ("read", "sys_user_group"),
    ("read", "sys_user_grmember"),
    ("create", "sys_user"),
    ("create", "sys_user_group"),
    ("create", "sys_user_grmember"),
    ("read", "sys_choice"),
    ("read", "sys_attachment"),
    ("create", "sys_attachment"),
    ("delete", "sys_attachment"),
}


@dataclasses.dataclass(frozen=True)
class Record:
    """One record that the package writes or removes."""

    node: ElementTree.Element
    file: str

    @property
    def type(self) -> str:
        """The table that it is a record of."""
        return self.node.tag

    @property
    def action(self) -> str:
        """What becomes of it."""
        return self.node.attrib["action"]

    def get(self, name: str) -> str:
        """The value of a column."""
        return (self.node.findtext(name) or "").strip()

    def attribute(self, column: str, name: str) -> str:
        """What the package says of the record that a reference points to."""
        found = self.node.find(column)
        return "" if found is None else found.attrib.get(name, "")


def is_own(table: str) -> bool:
    """Whether a table is the app's."""
    return table.startswith(PREFIX)


def is_own_place(table: str, column: str) -> bool:
    """Whether a table is the app's, or a column is the app's on incident."""
    return is_own(table) or (table == INCIDENT and is_own(column))


def is_own_column(record: Record) -> bool:
    """Whether a record describes a table of the app's, or a column of the app's on incident."""
    return is_own_place(record.get("name"), record.get("element"))


def is_own_rule(record: Record) -> bool:
    """Whether a business rule is on a table of the app's, or one that announces incidents after something was saved."""
    announces = (record.get("collection"), record.get("name"), record.get("when")) in RULES
    return is_own(record.get("collection")) or announces


def is_own_access_control(record: Record) -> bool:
    """Whether an access control is on a table of the app's, a column of the app's on incident, or its REST API."""
    if record.get("type") == "REST_Endpoint":
        return record.get("name").startswith("casebridge_")
    table, _, column = record.get("name").partition(".")
    return is_own_place(table, column)


def named_by(column: str) -> Callable[[Record], bool]:
    """Whether the table that a column names is the app's."""
    return lambda record: is_own(record.get(column))


def anything(record: Record) -> bool:
    """For records that are about the app alone, whatever they say."""
    return True


# What a record of each type may be about.
MAY_BE: dict[str, Callable[[Record], bool]] = {
    "sys_db_object": named_by("name"),
    "sys_dictionary": is_own_column,
    "sys_documentation": is_own_column,
    "sys_choice": is_own_column,
    "sys_choice_set": is_own_column,
    "sys_choice_v2": lambda record: is_own_place(
        record.node.attrib.get("table", ""), record.node.attrib.get("field", "")
    ),
    "sys_ui_list": named_by("name"),
    "sys_ui_list_element": lambda record: is_own(record.attribute("list_id", "name")),
    "sys_ui_action": named_by("table"),
    "sys_script": is_own_rule,
    "sys_security_acl": is_own_access_control,
    "sys_scope_privilege": lambda record: (record.get("operation"), record.get("target_name")) in PRIVILEGES,
    "sys_properties": lambda record: record.get("name").startswith(f"{SCOPE}."),
    "sys_user_role": lambda record: record.get("name").startswith(f"{SCOPE}."),
    "sys_user_role_contains": anything,
    # Each of these belongs to an access control or a button, which are looked at themselves.
    "sys_security_acl_role": anything,
    "sys_ui_action_role": anything,
    "sys_script_include": anything,
    "sysauto_script": anything,
    "sys_ws_definition": anything,
    "sys_ws_version": anything,
    "sys_ws_operation": anything,
    "sys_ws_query_parameter": anything,
    "sys_ws_query_parameter_map": anything,
    "sys_app": anything,
    "sys_app_application": anything,
    "sys_app_module": anything,
    "sys_module": anything,
    "sys_atf_test": anything,
    "sys_atf_step": anything,
    "sys_variable_value": lambda record: record.get("document") == "sys_atf_step",
    "clone_data_preserver": named_by("table"),
    "clone_cleanup_script": anything,
}


def problems(package: pathlib.Path, keys: str) -> list[str]:
    """What the package in this folder would change that it must not. `keys` registers the app's own records."""
    found = []
    files = sorted(package.rglob("*.xml"))
    for path in files:
        root, name = ElementTree.parse(path).getroot(), str(path.relative_to(package))
        if root.tag == "database":
            found += [f"{name}: {problem}" for table in root for problem in table_problems(table)]
            continue
        for record in records(root, name):
            problem = record_problem(record, keys)
            found += [f"{name}: {problem}"] if problem else []
    return found if files else [f"{package}: there is no package; build it first"]


def records(root: ElementTree.Element, file: str) -> Iterator[Record]:
    """All records of a file, those within others included."""
    return (Record(node, file) for node in root.iter() if "action" in node.attrib)


def table_problems(table: ElementTree.Element) -> list[str]:
    """What a table's part of the dictionary would change."""
    name = table.attrib.get("name", "")
    if is_own(name):
        return []
    if name != INCIDENT:
        return [f"the dictionary of {name} is changed"]
    extra = set(table.attrib) - FOREIGN_TABLE_ATTRIBUTES
    found = [f"the table {name} itself would get {attribute}={table.attrib[attribute]}" for attribute in sorted(extra)]
    columns = [child for child in table if child.tag == "element" and is_own(child.attrib.get("name", ""))]
    strange = [child for child in table if child not in columns]
    return found + [f"{name} would get {child.tag} {child.attrib.get('name', '')}" for child in strange]


def record_problem(record: Record, keys: str) -> str | None:
    """Why the package must not hold the record; none if it may."""
    what = f"{record.type} {record.get('name')} {record.get('element')}".strip()
    may_be = anything if is_own(record.type) else MAY_BE.get(record.type)
    if record.action == "DELETE":
        return None if is_registered(record.get("sys_id"), keys) else f"{what}: it was never the app's to remove"
    if record.action == "delete_multiple":
        return None if removes_own(record.node.attrib.get("query", ""), keys) else f"{what}: too much is removed"
    if record.action != "INSERT_OR_UPDATE":
        return f"{what}: {record.action} is not known"
    if may_be is None:
        return f"{what}: this type of record is not known to the check"
    return None if may_be(record) else f"{what}: it is about more than the app's own"


def is_registered(sys_id: str, keys: str) -> bool:
    """Whether a record is, or once was, one of the app's."""
    return len(sys_id) == SYS_ID_LENGTH and sys_id in keys


def removes_own(query: str, keys: str) -> bool:
    """Whether each alternative of a query names a table, a column on incident or a record of the app's."""
    return all(alternative_removes_own(alternative, keys) for alternative in query.split("^NQ"))


def alternative_removes_own(alternative: str, keys: str) -> bool:
    """Whether an alternative of a query begins with a table or a record of the app's, or is about a column of its."""
    (column, _, value), *others = [condition.partition("=") for condition in alternative.split("^")]
    element = others[0][2] if others and others[0][:2] == ("element", "=") else ""
    is_or = "^OR" in alternative
    own = column == "name" and is_own_place(value, element) and not (value == INCIDENT and is_or)
    return own or (column == "document_key" and is_registered(value, keys))
