"""Expands the SAM template into plain CloudFormation, offline.

    python expand.py [template] > expanded.json

What is deployed and what is linted is the expansion: linters don't look into serverless resources.
"""

import copy
import json
import pathlib
import sys

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = pathlib.Path(__file__).resolve().parent / "template.yaml"
# It is plain CloudFormation: stack sets take no transforms that expand while they deploy.
MEMBER_TEMPLATE = TEMPLATE.with_name("member.yaml")

# The translator asks for a Region and a session only to name the partition in a few resources that the template
# doesn't use; a fixed one keeps the expansion the same everywhere.
REGION = "us-east-1"


class _FixedSession:
    region_name = REGION


def read(path: pathlib.Path = TEMPLATE) -> dict:
    """The template as written, with short-form intrinsics resolved to their long form."""
    return yaml_parse(path.read_text(encoding="utf-8"))


def expand(path: pathlib.Path = TEMPLATE) -> dict:
    """The template's expansion, with the same logical ids at each call."""
    translator = Translator(managed_policy_map={}, sam_parser=Parser(), boto_session=_FixedSession())
    try:
        return translator.translate(copy.deepcopy(read(path)), parameter_values={})
    except InvalidDocumentException as error:
        causes = "\n".join(f"  {cause.message}" for cause in error.causes)
        raise SystemExit(f"{path.name} can't be expanded:\n{causes}") from error


def main() -> None:
    """Prints the expansion of the named template."""
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else TEMPLATE
    json.dump(expand(path), sys.stdout, indent=2, default=str)
    print()


if __name__ == "__main__":
    main()
