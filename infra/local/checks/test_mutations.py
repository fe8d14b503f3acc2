"""How changes are written into a source, each behind a switch."""

import mutations


def rewritten(source: str, *changes: tuple[str, str, str]) -> str:
    """Returns the source with these changes: the genre, the text that is replaced and its replacement.

    The switch is written as `#`. Each change must find a place.
    """
    file = mutations.File(source.encode())
    for number, (genre, replaced, replacement) in enumerate(changes, 1):
        start = source.encode().index(replaced.encode())
        mutation = mutations.Mutation(number, genre, start, start + len(replaced.encode()), replacement.encode())
        assert file.place(mutation)
    return file.rewritten().text.decode().replace(f"{mutations.SWITCH}::is", "#")


def test_an_operator_is_chosen_and_keeps_its_operands() -> None:
    changes = ("BinaryOperator", "-", "+"), ("BinaryOperator", "<", "=="), ("BinaryOperator", "<", ">")
    assert rewritten('fn f() { "é".len() - b * c < d }', *changes) == (
        'fn f() { (if #(2) { ("é".len() - b * c)==(d) } else if #(3) { ("é".len() - b * c)>(d) } else { '
        '(if #(1) { ("é".len())+(b * c) } else { "é".len() - b * c }) < d }) }'
    )


def test_a_sign_is_left_out() -> None:
    assert (
        rewritten("fn f() { !a.b() }", ("UnaryOperator", "!", "")) == "fn f() { (if #(1) { (a.b()) } else { !a.b() }) }"
    )


def test_a_body_returns_something_else_and_the_function_is_no_constant() -> None:
    changed = rewritten("const fn f() -> u8 { a(); 3 }", ("FnValue", "a(); 3", "0"), ("FnValue", "a(); 3", "1"))
    assert changed == " fn f() -> u8 { if #(1) { return 0; } if #(2) { return 1; }  a(); 3 }"


def test_all_results_of_an_iterator_have_one_type() -> None:
    either = f"{mutations.SWITCH}::Either"
    assert rewritten("fn f() -> impl Iterator<Item = u8> { a() }", ("FnValue", "a()", "empty()")) == (
        f"fn f() -> impl Iterator<Item = u8> {{ if #(1) {{ {either}::Changed(empty()) }} "
        f"else {{ {either}::Original({{ a() }}) }} }}"
    )


def test_an_arm_is_deleted_and_its_guard_replaced() -> None:
    source = "fn f() { match x { 0 => a, 1 if b(x) => c, _ => d } }"
    changes = ("MatchArm", "0 => a", ""), ("MatchArmGuard", "b(x)", "true"), ("MatchArmGuard", "b(x)", "false")
    assert rewritten(source, *changes) == (
        "fn f() { match x { 0 if !#(1) && (true) => a, 1  if !#(3) && (#(2) || (b(x))) => c, _ => d } }"
    )


def test_a_field_is_left_out() -> None:
    source = "fn f() -> P { P { x: 1, y, ..p } }"
    assert rewritten(source, ("StructField", "x: 1", "")) == (
        "fn f() -> P { (if #(1) { P {  y, ..p } } else { P { x: 1, y, ..p } }) }"
    )


def test_a_constant_is_changed_where_it_is_used() -> None:
    source = "const N: u8 = 2 * 3 * 4; fn f() -> u8 { N }"
    assert rewritten(source, ("BinaryOperator", "*", "+")) == (
        "const N: u8 = 2 * 3 * 4; fn f() -> u8 { (if #(1) { ((2)+(3)) * 4 } else { N }) }"
    )


def test_a_constant_that_another_one_needs_has_no_place() -> None:
    source = b"const N: u8 = 2 * 3; const M: u8 = N;"
    assert not mutations.File(source).place(mutations.Mutation(1, "BinaryOperator", 16, 17, b"+"))


def test_no_other_operator_joins_what_is_bound() -> None:
    source = b"fn f() { if a && let Some(b) = c { d() } }"
    assert mutations.File(source).is_impossible(mutations.Mutation(1, "BinaryOperator", 14, 16, b"||"))


def test_an_error_in_a_change_is_told_from_one_beside_it() -> None:
    file = mutations.File(b"fn f() -> u8 { a + b }")
    for number, operator in enumerate((b"-", b"*"), 1):
        file.place(mutations.Mutation(number, "BinaryOperator", 17, 18, operator))
    output = file.rewritten()
    text = bytes(output.text)
    assert output.culprits(text.index(b"(a)-(b)"), text.index(b"(a)-(b)") + 3) == {1}
    assert output.culprits(text.index(b"a + b"), text.index(b"a + b") + 5) == {2}
    assert output.culprits(0, 2) == set()


def test_modules_of_tests_are_no_part_of_a_source() -> None:
    assert mutations.without_tests(b"fn f() {}\n#[cfg(test)]\nmod tests { use super::*; }\n") == b"fn f() {}\n\n"
