"""The built package changes nothing of the incident table but the app's columns, and whatever would is noticed."""

import pathlib
import shutil
import xml.etree.ElementTree as ElementTree

import pytest

import built_package

APP = pathlib.Path(__file__).resolve().parents[1]
BUILT = APP / "dist" / "app"
KEYS = (APP / "src" / "fluent" / "generated" / "keys.ts").read_text()
FOREIGN = "0123456789abcdef0123456789abcdef"
COLUMNS = {
    "account",
    "service_code",
    "category_code",
    "service",
    "category",
    "additional_contacts",
    "language",
    "issue_type",
    "case_id",
    "display_id",
    "case_status",
    "sync_status",
    "last_error",
}

# Those that people fill in, and who.
OPTIONS = {"additional_contacts", "language", "issue_type"}
CODES = {"service_code", "category_code", "service", "category"} | OPTIONS
CHOICES = {
    "language": {"en", "zh", "fr", "ja", "ko", "pt", "es", "tr"},
    "issue_type": {"technical", "customer-service"},
}
AGENTS = {"itil", f"{built_package.SCOPE}.user"}
CATALOGUE = {"service", "category", "severity"}
TABLES = {"account", "settings", "outbox", "delivery", "announcement", "link"} | CATALOGUE


def record(type: str, action: str = "INSERT_OR_UPDATE", /, **columns: str) -> str:
    """One record as the package writes it."""
    values = "".join(f"<{name}>{value}</{name}>" for name, value in columns.items())
    return f'<record_update><{type} action="{action}"><sys_id>{FOREIGN}</sys_id>{values}</{type}></record_update>'


def dictionary(table: str, inner: str, attributes: str = "") -> str:
    """A table's part of the dictionary as the package writes it."""
    return f'<database><element name="{table}" type="collection" {attributes}>{inner}</element></database>'


# What must not get into the package, and what the check says of it.
FORBIDDEN = {
    "a setting of the table itself": (dictionary("incident", "", 'ws_access="false"'), "would get ws_access=false"),
    "a column of the platform's": (
        dictionary("incident", '<element name="short_description" mandatory="true"/>'),
        "would get element short_description",
    ),
    "an index": (dictionary("incident", '<index name="index"/>'), "would get index index"),
    "another table": (dictionary("task", '<element name="x_casebridge_aws_x"/>'), "the dictionary of task is changed"),
    "a column in the dictionary": (record("sys_dictionary", name="incident", element="state"), "sys_dictionary"),
    "the table in the dictionary": (record("sys_dictionary", name="incident", element="NULL"), "sys_dictionary"),
    "a column of task": (record("sys_dictionary", name="task", element="x_casebridge_aws_x"), "sys_dictionary"),
    "a label": (record("sys_documentation", name="incident", element="state"), "sys_documentation"),
    "a dictionary override": (record("sys_dictionary_override", name="incident", element="state"), "is not known"),
    "a choice": (record("sys_choice", name="incident", element="close_code"), "sys_choice"),
    "choices that are removed": (
        '<record_update><sys_choice action="delete_multiple" query="name=incident^element=state"/></record_update>',
        "too much is removed",
    ),
    "choices of a column of the platform's that are removed beside the app's": (
        '<record_update><sys_choice action="delete_multiple" query="name=incident^element=x_casebridge_aws_language'
        '^ORelement=state"/></record_update>',
        "too much is removed",
    ),
    "choices of any table that are removed": (
        '<record_update><sys_choice action="delete_multiple" '
        'query="name=x_casebridge_aws_outbox^NQelement=state"/></record_update>',
        "too much is removed",
    ),
    "an access control on the table": (record("sys_security_acl", type="record", name="incident"), "sys_security_acl"),
    "an access control on a column": (
        record("sys_security_acl", type="record", name="incident.state"),
        "sys_security_acl incident.state",
    ),
    "an access control on all columns": (record("sys_security_acl", type="record", name="incident.*"), "incident.*"),
    "an access control on all tables": (record("sys_security_acl", type="record", name="*"), "sys_security_acl"),
    "another business rule": (
        record("sys_script", collection="incident", name="casebridge too", when="async_always"),
        "sys_script casebridge too",
    ),
    "a business rule that could abort": (
        record("sys_script", collection="incident", name="casebridge incident changed", when="before"),
        "sys_script casebridge incident changed",
    ),
    "a business rule on task": (
        record("sys_script", collection="task", name="casebridge incident changed", when="async_always"),
        "sys_script casebridge incident changed",
    ),
    "another business rule on files": (
        record("sys_script", collection="sys_attachment", name="casebridge too", when="async_always"),
        "sys_script casebridge too",
    ),
    "a business rule on files that could abort": (
        record("sys_script", collection="sys_attachment", name="casebridge file attached", when="before"),
        "sys_script casebridge file attached",
    ),
    "a form's section": (record("sys_ui_section", name="incident"), "sys_ui_section"),
    "an element of a form": (record("sys_ui_element", element="state"), "sys_ui_element"),
    "a list": (record("sys_ui_list", name="incident"), "sys_ui_list incident"),
    "an element of a list": (
        "<record_update><sys_ui_list_element action='INSERT_OR_UPDATE'>"
        "<list_id name='incident'>x</list_id></sys_ui_list_element></record_update>",
        "sys_ui_list_element",
    ),
    "a button": (record("sys_ui_action", table="incident", name="Send to AWS"), "sys_ui_action"),
    "a policy of a form": (record("sys_ui_policy", table="incident"), "is not known"),
    "a data policy": (record("sys_data_policy2", model_table="incident"), "is not known"),
    "a script of a form": (record("sys_script_client", table="incident"), "is not known"),
    "a mail": (record("sysevent_email_action", collection="incident"), "is not known"),
    "a privilege that nobody asked for": (
        record("sys_scope_privilege", operation="delete", target_name="incident"),
        "sys_scope_privilege",
    ),
    "a property of the platform's": (record("sys_properties", name="glide.ui.autoclose.time"), "sys_properties"),
    "a record of somebody else's that is removed": (record("sys_script", "DELETE"), "never the app's to remove"),
    "an action that is not known": (record("sys_script", "UPDATE", collection="x_casebridge_aws_x"), "is not known"),
}


@pytest.fixture
def package(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the built package, to add to."""
    return pathlib.Path(shutil.copytree(BUILT, tmp_path / "app"))


def test_the_built_package_changes_nothing_but_the_apps_own():
    assert built_package.problems(BUILT, KEYS) == []


def test_incident_gets_the_documented_columns():
    found = (BUILT / "update").glob(f"sys_dictionary_incident_{built_package.PREFIX}*.xml")
    names = {path.stem.removeprefix(f"sys_dictionary_incident_{built_package.PREFIX}") for path in found}
    assert names == COLUMNS
    readme = (APP / "README.md").read_text()
    assert [name for name in sorted(COLUMNS) if f"`{name}`" not in readme] == []


def controlled(name: str) -> dict[str, set[str]]:
    """The roles by which the package admits to a table or column, by operation."""
    roots = [ElementTree.parse(path).getroot() for path in sorted((BUILT / "update").glob("sys_security_acl*.xml"))]
    all_records = [found for root in roots for found in built_package.records(root, "")]
    controls = [found for found in all_records if found.type == "sys_security_acl" and found.get("name") == name]
    return {
        control.get("operation"): {
            grant.attribute("sys_user_role", "name") or grant.get("sys_user_role")
            for grant in all_records
            if grant.type == "sys_security_acl_role" and grant.get("sys_security_acl") == control.get("sys_id")
        }
        for control in controls
        if control.get("active") == "true"
    }


def test_no_table_of_the_app_follows_the_instances_default():
    found = (BUILT / "dictionary").glob(f"{built_package.PREFIX}*.xml")
    tables = {path.stem for path in found}
    assert tables == {f"{built_package.PREFIX}{name}" for name in TABLES}
    for table in sorted(tables):
        controls = controlled(table)
        assert set(controls) == {"read", "create", "write", "delete"}, table
        assert all(controls.values()), f"{table}: a control without a role admits everybody"


@pytest.mark.parametrize("table", sorted(CATALOGUE))
def test_agents_read_the_catalogue_and_people_do_not_write_it(table: str):
    found = controlled(f"{built_package.PREFIX}{table}")
    assert found["read"] == AGENTS
    assert [found[operation] for operation in ("create", "write", "delete")] == [{"admin"}] * 3


def test_the_form_offers_active_services_and_the_active_categories_of_the_chosen_one():
    def column(name: str) -> built_package.Record:
        path = BUILT / "update" / f"sys_dictionary_incident_{built_package.PREFIX}{name}.xml"
        return next(iter(built_package.records(ElementTree.parse(path).getroot(), path.name)))

    service, category = column("service"), column("category")
    assert service.get("reference") == f"{built_package.PREFIX}service"
    assert (service.get("use_reference_qualifier"), service.get("reference_qual")) == ("advanced", "active=true")
    assert category.get("reference") == f"{built_package.PREFIX}category"
    assert category.get("use_reference_qualifier") == "advanced"
    assert category.get("reference_qual") == "javascript:'active=true^service=' + current.x_casebridge_aws_service"
    assert category.get("attributes") == "ref_qual_elements=x_casebridge_aws_service"


@pytest.mark.parametrize("table", ["incident", f"{built_package.PREFIX}account"])
def test_language_and_issue_type_suggest_values_and_take_any(table: str):
    prefix = built_package.PREFIX if table == "incident" else ""
    dictionary = ElementTree.parse(BUILT / "dictionary" / f"{table}.xml").getroot()
    columns = {column.get("name"): column for column in dictionary.iter("element")}
    for name, values in CHOICES.items():
        assert columns[prefix + name].get("choice") == "2", "an instance drops a value that is no choice"
        path = BUILT / "author_elective_update" / f"sys_choice_{table}_{prefix}{name}.xml"
        found = built_package.records(ElementTree.parse(path).getroot(), path.name)
        assert {choice.get("value") for choice in found if choice.type == "sys_choice"} - {""} == values


@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_a_column_on_incident_is_guarded_when_a_record_is_made_and_when_it_is_changed(column: str):
    roles = AGENTS if column in CODES else {f"{built_package.SCOPE}.admin"}
    assert controlled(f"incident.{built_package.PREFIX}{column}") == {"write": roles, "create": roles}


@pytest.mark.parametrize("what", FORBIDDEN)
@pytest.mark.parametrize("folder", ["update", "author_elective_update", "unload", "dictionary"])
def test_what_would_change_more_is_noticed(package: pathlib.Path, folder: str, what: str):
    source, expected = FORBIDDEN[what]
    (package / folder / "added.xml").write_text(source)
    found = built_package.problems(package, KEYS)
    assert found and all(problem.startswith(f"{folder}/added.xml: ") for problem in found), found
    assert any(expected in problem for problem in found), found


def test_a_package_that_was_not_built_is_no_good_package(tmp_path: pathlib.Path):
    assert built_package.problems(tmp_path, KEYS) == [f"{tmp_path}: there is no package; build it first"]


def test_a_clone_keeps_its_settings_and_accounts_and_is_cleaned_up():
    """The package brings the preservers and the clean-up script that the source of a clone needs."""
    records = [element for path in BUILT.rglob("*.xml") for element in ElementTree.parse(path).getroot()]
    preserved = {each.findtext("table") for each in records if each.tag == "clone_data_preserver"}
    prefix = f"{built_package.SCOPE}_"
    assert preserved >= {f"{prefix}settings", f"{prefix}account"}
    scripts = [each.findtext("script") for each in records if each.tag == "clone_cleanup_script"]
    assert len(scripts) == 1
    assert scripts[0]
