"""`make package`: builds the functions as they are deployed to AWS, and checks their limits."""

import pathlib
import re

import artifacts
import console
import paths

# The largest zip. Lambda loads it before it starts a function. A larger one includes a library that is not needed: the
# SDK crates with their default features come to 5.3 MB and more.
MAXIMUM_PACKAGE_BYTES = 4_800_000
# The version of glibc in the runtime provided.al2023.
NEWEST_GLIBC = (2, 34)
GLIBC_SYMBOL = re.compile(rb"GLIBC_(\d+)\.(\d+)")


def newest_glibc(executable: pathlib.Path) -> tuple[int, int]:
    """Returns the newest version of the C library that an executable asks for."""
    found = GLIBC_SYMBOL.findall(executable.read_bytes())
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def main() -> None:
    """Builds and packs the functions, prints the sizes, and fails for a package that would not run or is too large."""
    with console.step("building the functions for release (some minutes)"):
        executables = artifacts.cargo_build(paths.FUNCTIONS, "release")
    problems = []
    for function in paths.FUNCTIONS:
        package = paths.PACKAGES / f"{function}.zip"
        artifacts.write_package(executables[function], package)
        size = package.stat().st_size
        glibc = newest_glibc(executables[function])
        version = ".".join(map(str, glibc))
        console.say(f"     {paths.relative(package)}  {size / 1e6:.2f} MB  glibc {version}")
        if size > MAXIMUM_PACKAGE_BYTES:
            problems.append(
                f"{package.name} has {size / 1e6:.2f} MB, the limit is {MAXIMUM_PACKAGE_BYTES / 1e6:.1f} MB."
            )
        if glibc > NEWEST_GLIBC:
            problems.append(f"{package.name} asks for glibc {version}, the Lambda runtime has 2.34: build with zig.")
    if problems:
        raise console.StackError(" ".join(problems))
    console.say(f"{console.paint('Packed', 'green')} after {console.elapsed():.1f} s.")


if __name__ == "__main__":
    console.run(main)
