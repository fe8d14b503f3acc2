"""Runs cfn-lint on the hub template's expansion, since it does not look into serverless resources, and on the members'.

python lint.py [file for the expansion]
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import expand


def main() -> None:
    """Expands and lints; exit code 0 means that there is nothing to say."""
    with tempfile.TemporaryDirectory() as folder:
        expansion = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else f"{folder}/expanded.json")
        expansion.parent.mkdir(parents=True, exist_ok=True)
        expansion.write_text(json.dumps(expand.expand(), indent=2))
        linter = pathlib.Path(sys.executable).with_name("cfn-lint")
        command = [str(linter), "--regions", "us-east-1", "--", str(expansion), str(expand.MEMBER_TEMPLATE)]
        sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
