"""What leaves ServiceNow by the rules of an administrator: marked work notes, marked comments, no silent author."""

import pytest

from world import RESOLVED, UNKNOWN_OUTCOME_SECONDS, World, unique

WORK_NOTE_PREFIX = "x_casebridge_aws.work_note_prefix"
COMMENT_PREFIX = "x_casebridge_aws.comment_prefix"
SILENT_AUTHORS = "x_casebridge_aws.silent_authors"


def assert_private(world: World, incident, secret: str) -> None:
    """Checks that a text is neither at AWS, nor in the app's answer, nor in a log."""
    assert secret not in str(world.cases(incident))
    assert secret not in str(world.snapshot(incident))
    assert secret not in str([world.log_lines(function) for function in world.stack.description["functions"]])


@pytest.mark.exclusive
def test_a_marked_work_note_reaches_the_case_without_its_prefix_and_no_other_does(world: World):
    secret = unique("Internal")
    with world.property_set(WORK_NOTE_PREFIX, "[aws]"):
        incident = world.draft()
        world.change(incident, work_notes=f"{secret} before the case.")
        world.change(incident, work_notes="[aws] Nobody has restarted it.")
        world.assign(incident)
        world.until_in_sync(incident)
        world.change(incident, work_notes=f"{secret}: begin with [aws] to share.")
        world.change(incident, work_notes=" [AWS]\nThe disk is full.", comments="We look at the disk.")
        world.until_sent(incident, "The disk is full.")
        world.until_sent(incident, "We look at the disk.")
        world.settle()
        opening, *later = world.communications(incident)
        assert "Nobody has restarted it." in opening["body"]
        assert len(later) == 2, world.describe(incident)
        assert "[aws]" not in str(world.cases(incident)).lower()
        assert_private(world, incident, secret)
        assert len(world.find("sys_journal_field", element_id=incident.sys_id, element="work_notes")) == 4


@pytest.mark.exclusive
def test_comments_stay_where_they_need_a_prefix_and_have_none(world: World):
    secret = unique("Among colleagues")
    with world.property_set(COMMENT_PREFIX, "[aws]"):
        incident = world.linked()
        world.comment(incident, secret)
        world.comment(incident, "[aws] Is it the network?")
        world.until_sent(incident, "Is it the network?")
        world.reply(incident, "It is not.")
        world.until_received(incident, "It is not.")
        world.settle()
        assert len(world.communications(incident)) == 3, world.describe(incident)
        assert_private(world, incident, secret)
        # A read after L leaves the private comment behind for good.
        world.settle(UNKNOWN_OUTCOME_SECONDS)
        world.comment(incident, "[aws] Still there?")
        world.until_sent(incident, "Still there?")
        world.settle()
    world.comment(incident, "And now?")
    world.until_sent(incident, "And now?")
    world.settle()
    assert secret not in str(world.cases(incident))


@pytest.mark.exclusive
def test_a_silent_author_is_not_heard_and_reopens_nothing(world: World):
    secret = unique("Closed by the night job")
    silent = world.stack.description["servicenow"]["admin"]["username"]
    with world.property_set(SILENT_AUTHORS, f"nobody, {silent.upper()}"):
        incident = world.linked()
        world.resolve(incident)
        world.until_status(incident, "resolved")
        world.change(incident, world.stack.admin, comments=secret)
        world.settle()
        assert (world.state(incident), world.status(incident)) == (RESOLVED, "resolved")
        assert_private(world, incident, secret)
        assert world.comments(incident, secret)
        # What an agent writes then reopens both, and takes nothing of the silent author along.
        world.comment(incident, "It is down again.")
        world.until_sent(incident, "It is down again.")
        world.settle()
        assert_private(world, incident, secret)
