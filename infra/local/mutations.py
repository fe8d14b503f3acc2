"""Rewrites Rust sources so that one binary holds many small changes, each behind a switch.

A mutation is one small change of cargo-mutants' list: to a function's body, an operator, an arm of a match, a guard or
a field of a struct. The rewritten source holds the original and the changed code of each mutation. The function `is` of
the module SWITCH decides at run time which of them runs.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
SWITCH = "crate::mutation_switch"
OPERATIONS = ("binary_expression", "compound_assignment_expr", "unary_expression")
# A constant is computed at compile time, where nothing can be switched. So its uses are rewritten.
CONSTANTS = ("const_item", "static_item")
RUNNING = ("function_item", "closure_expression")
SEPARATOR = re.compile(rb"\s*,?")
COMMENTS = ("line_comment", "block_comment")
TESTS = b"#[cfg(test)]"
# COUNT is one more than the largest number. CASEBRIDGE_MUTATION holds the number of the mutation to run. With NONE, no
# mutation is run, and the number of each one whose code is reached is written to the file CASEBRIDGE_REACHED.
NONE = 2**32 - 1
SWITCH_MODULE = """
#[doc(hidden)]
pub mod mutation_switch {
    use std::{env, fs, io::Write, sync::LazyLock, sync::atomic::{AtomicBool, Ordering}};

    static ACTIVE: LazyLock<u32> =
        LazyLock::new(|| env::var("CASEBRIDGE_MUTATION").map_or(0, |number| number.parse().unwrap()));
    static REACHED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
    static REPORT: LazyLock<fs::File> = LazyLock::new(|| {
        let name = env::var("CASEBRIDGE_REACHED").unwrap();
        fs::OpenOptions::new().append(true).create(true).open(name).unwrap()
    });

    #[inline]
    pub fn is(number: u32) -> bool {
        *ACTIVE == number || (*ACTIVE == u32::MAX && report(number))
    }

    #[cold]
    fn report(number: u32) -> bool {
        if !REACHED[number as usize].swap(true, Ordering::Relaxed) {
            (&*REPORT).write_all(format!("{number}\\n").as_bytes()).unwrap();
        }
        false
    }

    /// The iterator of a function that returns `impl Iterator`: its own one, or the one of a mutation.
    pub enum Either<M, O> {
        Changed(M),
        Original(O),
    }

    impl<T, M: Iterator<Item = T>, O: Iterator<Item = T>> Iterator for Either<M, O> {
        type Item = T;

        fn next(&mut self) -> Option<T> {
            match self {
                Self::Changed(changed) => changed.next(),
                Self::Original(original) => original.next(),
            }
        }
    }
}
"""


@dataclasses.dataclass(frozen=True)
class Mutation:
    """One change: `replacement` instead of the bytes from `start` to `end` of a file."""

    number: int
    genre: str
    start: int
    end: int
    replacement: bytes


@dataclasses.dataclass
class Site:
    """A part of a file that is written with changed code beside it. `inner` are the sites within it."""

    node: tree_sitter.Node
    write: "Writer"
    # The changed code of each mutation by its number.
    changed: dict[int, bytes] = dataclasses.field(default_factory=dict)
    inner: list["Site"] = dataclasses.field(default_factory=list)


Writer = Callable[["Output", Site], None]


class Output:
    """A rewritten file, and where the mutations are in it."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.text = bytearray()
        # From where to where the changed code of a mutation goes, and the code of a site with all of its mutations.
        self.changed: list[tuple[int, int, int]] = []
        self.sites: list[tuple[int, int, list[int]]] = []

    def add(self, text: str) -> None:
        """Adds text."""
        self.text += text.encode()

    def add_changed(self, site: Site, number: int) -> None:
        """Adds the changed code of a mutation."""
        began = len(self.text)
        self.text += site.changed[number]
        self.changed.append((began, len(self.text), number))

    def copy(self, start: int, end: int, sites: list[Site]) -> None:
        """Adds a part of the source, with the sites in it."""
        for site in sites:
            if start <= site.node.start_byte and site.node.end_byte <= end:
                self.text += self.source[start : site.node.start_byte]
                began = len(self.text)
                site.write(self, site)
                self.sites.append((began, len(self.text), list(site.changed)))
                start = site.node.end_byte
        self.text += self.source[start:end]

    def culprits(self, start: int, end: int) -> set[int]:
        """Returns the mutations in whose changed code an error lies.

        If there is none, returns the last mutation of the closest site: the next build tells whether it was that one.
        """
        inside = {number for began, ended, number in self.changed if began <= start and end <= ended}
        sites = [site for site in self.sites if site[2] and site[0] <= start and end <= site[1]]
        return inside or set(min(sites, key=lambda site: site[1] - site[0])[2][-1:] if sites else [])


class File:
    """A source file that gets mutations."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.root = PARSER.parse(source).root_node
        self.sites: dict[tuple[int, int], Site] = {}

    def place(self, mutation: Mutation) -> bool:
        """Finds where to write a mutation. Returns false if it can't be switched."""
        node = self.root.descendant_for_byte_range(mutation.start, mutation.end)
        item = around(node, (*CONSTANTS, *RUNNING))
        if item is None:
            return False
        if item.type in CONSTANTS:
            return self._place_constant(mutation, node, item)
        self._make_not_constant(node)
        match mutation.genre:
            case "FnValue":
                self._place_body(mutation, around(node, ("function_item",)))
            case "MatchArm":
                arm = around(node, ("match_arm",))
                pattern = arm.child_by_field_name("pattern")
                self._at(pattern, write_pattern, mutation, b"")
                # The compiler reports here that the other arms leave something out.
                if pattern.child_by_field_name("condition") is None:
                    self._at(around(arm, ("match_expression",)), write_match, mutation, b"")
            case "MatchArmGuard":
                self._at(around(node, ("match_pattern",)), write_pattern, mutation, mutation.replacement)
            case "StructField":
                literal = around(node, ("struct_expression",))
                self._at(literal, write_choice, mutation, self._without_field(literal, mutation))
            case _:
                operation = around(node, OPERATIONS)
                self._at(operation, write_choice, mutation, changed_operation(operation, mutation))
        return True

    def is_impossible(self, mutation: Mutation) -> bool:
        """Whether the changed code is no Rust: in a chain with `let` no other operator can replace `&&`."""
        node = self.root.descendant_for_byte_range(mutation.start, mutation.end)
        return mutation.genre == "BinaryOperator" and node.parent.type == "let_chain"

    def rewritten(self) -> Output:
        """Returns the file with its mutations."""
        output = Output(self.source)
        sites: list[Site] = []
        enclosing: list[Site] = []
        for site in sorted(self.sites.values(), key=lambda site: (site.node.start_byte, -site.node.end_byte)):
            while enclosing and site.node.start_byte >= enclosing[-1].node.end_byte:
                enclosing.pop()
            (enclosing[-1].inner if enclosing else sites).append(site)
            enclosing.append(site)
        output.copy(0, len(self.source), sites)
        return output

    def _place_body(self, mutation: Mutation, function: tree_sitter.Node) -> None:
        result = function.child_by_field_name("return_type")
        write = write_iterator if result is not None and result.text.startswith(b"impl Iterator") else write_body
        self._at(function.child_by_field_name("body"), write, mutation, mutation.replacement)

    def _place_constant(self, mutation: Mutation, node: tree_sitter.Node, constant: tree_sitter.Node) -> bool:
        """Writes a mutation to the uses of a constant in its file. Returns false if one is computed at compile time."""
        name, value = constant.child_by_field_name("name"), constant.child_by_field_name("value")
        operation = around(node, OPERATIONS)
        uses = [use for use in walk(self.root) if use.type == "identifier" and use.text == name.text and use != name]
        uses = [use for use in uses if not around(use, ("use_declaration",))]
        scopes = [around(use, (*CONSTANTS, *RUNNING)) for use in uses]
        if operation is None or not uses or any(scope is not None and scope.type in CONSTANTS for scope in scopes):
            return False
        before = self.source[value.start_byte : operation.start_byte]
        after = self.source[operation.end_byte : value.end_byte]
        code = before + b"(" + changed_operation(operation, mutation) + b")" + after
        for use in uses:
            self._at(use.parent if use.parent.type == "scoped_identifier" else use, write_choice, mutation, code)
        return True

    def _make_not_constant(self, node: tree_sitter.Node) -> None:
        """Removes the word `const` from the function around a node."""
        for modifiers in around(node, ("function_item",)).children:
            for word in modifiers.children if modifiers.type == "function_modifiers" else []:
                if word.type == "const":
                    self.sites[word.start_byte, word.end_byte] = Site(word, lambda output, site: None)

    def _without_field(self, literal: tree_sitter.Node, mutation: Mutation) -> bytes:
        end = SEPARATOR.match(self.source, mutation.end).end()
        return self.source[literal.start_byte : mutation.start] + self.source[end : literal.end_byte]

    def _at(self, node: tree_sitter.Node, write: Writer, mutation: Mutation, code: bytes) -> None:
        site = self.sites.setdefault((node.start_byte, node.end_byte), Site(node, write))
        site.changed[mutation.number] = code


def write_choice(output: Output, site: Site) -> None:
    """Writes an expression."""
    output.add("(")
    for number in site.changed:
        output.add(f"if {SWITCH}::is({number}) {{ ")
        output.add_changed(site, number)
        output.add(" } else ")
    output.add("{ ")
    output.copy(site.node.start_byte, site.node.end_byte, site.inner)
    output.add(" })")


def write_body(output: Output, site: Site) -> None:
    """Writes the body of a function."""
    output.add("{ ")
    for number in site.changed:
        output.add(f"if {SWITCH}::is({number}) {{ return ")
        output.add_changed(site, number)
        output.add("; } ")
    output.copy(site.node.start_byte + 1, site.node.end_byte, site.inner)


def write_iterator(output: Output, site: Site) -> None:
    """Writes the body of a function that returns `impl Iterator`: all of its results must have one type."""
    output.add("{ ")
    for number in site.changed:
        output.add(f"if {SWITCH}::is({number}) {{ {SWITCH}::Either::Changed(")
        output.add_changed(site, number)
        output.add(f") }} else {{ {SWITCH}::Either::Original(")
    output.copy(site.node.start_byte, site.node.end_byte, site.inner)
    output.add(") }" * len(site.changed) + " }")


def write_match(output: Output, site: Site) -> None:
    """Writes a match. Its mutations are in the patterns of its arms."""
    output.copy(site.node.start_byte, site.node.end_byte, site.inner)


def write_pattern(output: Output, site: Site) -> None:
    """Writes the pattern of an arm of a match. The arm is never taken if a mutation deletes it."""
    guard = site.node.child_by_field_name("condition")
    words = [child for child in site.node.children if child.type == "if"]
    output.copy(site.node.start_byte, words[0].start_byte if words else site.node.end_byte, site.inner)
    output.add(" if ")
    always = [number for number, code in site.changed.items() if code == b"true"]
    for number in (number for number in site.changed if number not in always):
        output.add(f"!{SWITCH}::is({number}) && ")
    output.add("(" + "".join(f"{SWITCH}::is({number}) || " for number in always))
    if guard is None:
        output.add("true)")
        return
    output.add("(")
    output.copy(guard.start_byte, guard.end_byte, site.inner)
    output.add("))")


def changed_operation(node: tree_sitter.Node, mutation: Mutation) -> bytes:
    """Returns a binary or unary operation with another operator or without it."""
    parts = [b"(" + child.text + b")" for child in node.children if child.is_named and child.type not in COMMENTS]
    return mutation.replacement.join(parts if len(parts) > 1 else [b"", *parts])


def without_tests(source: bytes) -> bytes:
    """Returns a source file without its modules of tests."""
    for node in reversed(PARSER.parse(source).root_node.children):
        attribute = node.prev_sibling
        if node.type == "mod_item" and attribute is not None and attribute.text == TESTS:
            source = source[: attribute.start_byte] + source[node.end_byte :]
    return source


def switch_module(largest: int) -> str:
    """Returns the module that the root of a crate needs for mutations with numbers up to `largest`."""
    return SWITCH_MODULE.replace("COUNT", str(largest + 1))


def around(node: tree_sitter.Node, kinds: tuple[str, ...]) -> tree_sitter.Node | None:
    """Returns the node itself or the closest one around it that is of these kinds."""
    while node is not None and node.type not in kinds:
        node = node.parent
    return node


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yields a node and all nodes within it."""
    yield node
    for child in node.children:
        yield from walk(child)
