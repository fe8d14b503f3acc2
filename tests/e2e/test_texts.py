"""Texts of every kind arrive unchanged."""

import pytest

from world import World, unique

PART_CHARACTERS = 7_500
# The end of a first communication in which the description does not fit.
GOES_ON = "\n\n(The description goes on in the next message.)"
TEXTS = {
    "line ends": "First line\r\nsecond line\r\n\r\nfourth line",
    "unicode": "Größe 日本語 👩‍👩‍👧‍👦 e\u0301 \u202eright to left\u202c \U0001f600",
    "variables": "${gs.getUser()} $${x} {{mustache}} %s %(name)s $(date) `id` \\u0041 \\n",
    "markup": "<script>alert(1)</script> &amp; <!-- -->",
    "headings of a journal": "2026-11-20 21:14:06 - Abel Tuter (Work notes)\nnot a heading\n\n(Additional comments)",
    "query operators": "a^ORb^EQ^^c=d",
    "quotes": "He said \"no\" and 'yes', 100 % \\ sure\ttab",
    "spaces": "one\n\n\n\nfive   spaces",
    "code": "[code]<b>bold</b>[/code] and [CODE]x[/Code]",
    "signature": "Regards\n--\nAbel [ref bcdf]",
}
UNPRINTABLE = "before\x00\x07\x1b[31mafter"


def comparable(text: str) -> str:
    """Returns the text with one kind of line end."""
    return text.replace("\r\n", "\n").strip()


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_comment_arrives_as_it_was_written(world: World, name: str):
    incident = world.linked()
    start = unique("Start")
    world.comment(incident, f"{start}\n{TEXTS[name]}")
    world.until_sent(incident, start)
    world.settle()
    (communication,) = world.communications(incident, start)
    assert comparable(TEXTS[name]) in comparable(communication["body"])
    assert len(world.communications(incident)) == 2
    assert len(world.comments(incident)) == 1


def test_a_mark_that_people_copy_is_passed_on_to_nobody(world: World):
    incident = world.linked()
    world.comment(incident, "Abel [ref bcdf-ghjk-mnpq-rstv] from here")
    world.until_sent(incident, "Abel [ref (removed)] from here")
    world.reply(incident, "> Abel [ref bcdf-ghjk-\r\n> mnpq-rstv] from there")
    world.until_received(incident, "> Abel [ref (removed)] from there")
    world.settle()
    assert len(world.communications(incident, "from here")) == 1
    assert len(world.comments(incident, "from there")) == 1


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "code"])
def test_a_reply_arrives_as_it_was_written(world: World, name: str):
    incident = world.linked()
    start = unique("Start")
    world.reply(incident, f"{start}\n{TEXTS[name]}")
    world.until_received(incident, start)
    world.settle()
    (entry,) = world.comments(incident, start)
    assert comparable(TEXTS[name]) in comparable(entry["value"])
    assert len(world.communications(incident)) == 2


def test_a_reply_is_never_shown_as_html(world: World):
    incident = world.linked()
    world.reply(incident, "Look: [code]<img src=x onerror=alert(1)>[/code] [CODE]b[/CODE]")
    world.until_received(incident, "Look:")
    world.settle()
    (entry,) = world.comments(incident, "Look:")
    assert "[code]" not in entry["value"].lower() and "[/code]" not in entry["value"].lower()
    assert "<img src=x onerror=alert(1)>" in entry["value"]


@pytest.mark.parametrize("characters", [7_400, 7_500, 8_000, 20_000])
def test_a_long_comment_arrives_in_parts(world: World, characters: int):
    incident = world.linked()
    text = "".join(f"{place:05} " for place in range(characters // 6 + 1))[:characters - 1] + "."  # fmt: skip
    world.comment(incident, text)
    parts = -(-characters // PART_CHARACTERS)
    world.until(f"{parts} parts are sent", lambda: len(world.communications(incident)) == 1 + parts, incident)
    world.until_in_sync(incident)
    world.settle()
    sent = [communication["body"] for communication in world.communications(incident)[1:]]
    assert len(sent) == parts
    assert all(len(body.encode()) <= 8_000 for body in sent)
    assert "".join(body.split("\n\n", 1)[1] for body in sent) == text
    if parts > 1:
        assert [f"part {number} of {parts}" in body.splitlines()[0] for number, body in enumerate(sent, 1)]
        assert all(f", part {number} of {parts} [ref " in body for number, body in enumerate(sent, 1))


LONG_TEXTS = {
    # Each of these characters has three bytes in UTF-8.
    "9,000 characters of Chinese and Japanese": ("障害が発生しました。請重新啟動執行個體" * 500)[:8_999] + "。",
    "60,000 characters": "".join(f"{place:05} " for place in range(10_000))[:59_999] + ".",
}


@pytest.mark.parametrize("name", list(LONG_TEXTS))
def test_a_very_long_comment_arrives_whole(world: World, name: str):
    text = LONG_TEXTS[name]
    incident = world.linked()
    start = unique("Start")
    world.comment(incident, f"{start} {text}")
    whole = f"{start} {text}"

    def sent() -> str:
        bodies = [communication["body"] for communication in world.communications(incident)[1:]]
        return "".join(body.split("\n\n", 1)[1] for body in bodies)

    world.until("all of it is sent", lambda: len(sent()) >= len(whole), incident)
    world.until_in_sync(incident)
    world.settle()
    assert sent() == whole
    assert all(len(communication["body"].encode()) <= 8_000 for communication in world.communications(incident))
    assert len(world.comments(incident)) == 1


def test_a_long_description_goes_on_in_further_messages(world: World):
    text = "".join(f"{place:05} " for place in range(3_000)) + "."
    incident = world.open_incident(description=text)
    world.until_in_sync(incident)
    world.until("the end is sent", lambda: world.communications(incident, "02999 ."), incident)
    world.settle()
    bodies = [communication["body"].split("\n\n", 1)[1] for communication in world.communications(incident)]
    assert bodies[0].endswith(GOES_ON)
    assert bodies[0].removesuffix(GOES_ON) + "".join(bodies[1:]) == text


def test_a_reply_of_eight_thousand_characters_arrives_whole(world: World):
    incident = world.linked()
    text = "".join(f"{place:07} " for place in range(1_000))
    world.reply(incident, text)
    world.until_received(incident, "0000999")
    world.settle()
    (entry,) = world.comments(incident)
    assert text.strip() in entry["value"]


def test_two_equal_comments_are_two(world: World):
    incident = world.linked()
    for _ in range(2):
        world.comment(incident, "Any news?")
    world.until("both are sent", lambda: len(world.communications(incident, "Any news?")) == 2, incident)
    world.settle()
    assert len(world.communications(incident, "Any news?")) == 2
    assert len(world.comments(incident, "Any news?")) == 2


def test_two_equal_replies_are_two(world: World):
    incident = world.linked()
    for _ in range(2):
        world.reply(incident, "We are still on it.")
    world.until("both arrive", lambda: len(world.comments(incident, "still on it")) == 2, incident)
    world.settle()
    assert len(world.comments(incident, "still on it")) == 2


def test_an_equal_text_from_both_sides_is_one_of_each(world: World):
    incident = world.linked()
    world.comment(incident, "Thank you.")
    world.reply(incident, "Thank you.")
    world.until("both are at AWS", lambda: len(world.communications(incident, "Thank you.")) == 2, incident)
    world.until("both are on the incident", lambda: len(world.comments(incident, "Thank you.")) == 2, incident)
    world.settle()
    assert len(world.communications(incident, "Thank you.")) == 2
    assert len(world.comments(incident, "Thank you.")) == 2


def test_a_subject_is_one_line_within_its_limit(world: World):
    incident = world.linked(short_description="One\nline\r\nand\ta tab " + "é" * 300)
    subject = world.case(incident)["subject"]
    assert subject.startswith(f"[{incident.number}] One line and a tab éé")
    assert len(subject) <= 250


def test_an_incident_without_description_uses_its_title(world: World):
    incident = world.linked(short_description="Nothing but a title", description="")
    assert "Nothing but a title" in world.communications(incident)[0]["body"]


def test_an_unprintable_text_stops_nobody(world: World):
    incident = world.linked()
    world.comment(incident, UNPRINTABLE)
    world.until_sent(incident, "after")
    world.comment(incident, "And on.")
    world.until_sent(incident, "And on.")
    world.settle()
    world.assert_once_at_aws(incident, "And on.")
