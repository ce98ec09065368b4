"""A flow that is registered with two schedules and a notification, as a user does it in the form."""

from __future__ import annotations

from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, open_form, show_flows
from survey import field
from themes import show_themes
from webhook import BLOCK, receiver

FLOW = """
from prefect import flow

@flow
def report(region: str = "north", fails: bool = False):
    \"\"\"Write the daily report.

    Args:
        region: the region of the report.
        fails: whether to fail.
    \"\"\"
    if fails:
        raise ValueError("broken on purpose")
"""


def test_two_schedules_and_a_notification(page: Page, lab: Lab) -> None:
    with receiver() as (url, received):
        lab.open_notebook(page, lab.write("report.ipynb", FLOW, BLOCK.format(url=url)))
        lab.run_all(page)
        show_flows(page)
        form = open_form(page)
        expect(form).to_contain_text("Write the daily report.")
        expect(form).not_to_contain_text("Args:")

        form.get_by_test_id("satflow-add-schedule").click()
        first, second = (form.get_by_test_id("satflow-schedule").nth(at) for at in (0, 1))
        expect(first.get_by_test_id("satflow-schedule-kind")).to_be_focused()
        expect(first.get_by_test_id("satflow-next-runs").locator("li")).to_have_count(3, timeout=STARTS)
        first.get_by_test_id("satflow-schedule-kind").select_option("hours")
        first.get_by_test_id("satflow-every").fill("5")
        first.get_by_test_id("satflow-schedule-start").fill("2098-01-01")
        expect(first.get_by_test_id("satflow-next-runs")).to_contain_text("2098", timeout=STARTS)
        first.get_by_test_id("satflow-schedule-end").fill("2097-12-31")
        expect(first).to_contain_text("ends on 2097-12-31, before its start", timeout=STARTS)
        first.get_by_test_id("satflow-schedule-end").fill("2098-12-31")
        form.get_by_test_id("satflow-add-schedule").click()
        second.get_by_test_id("satflow-schedule-kind").select_option("rrule")
        second.get_by_test_id("satflow-rrule").fill("DTSTART:20990101T060000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR")
        second.get_by_test_id("satflow-schedule-name").fill("fridays")
        second.get_by_test_id("satflow-schedule-parameters").locator("summary").click()
        field(second, "region").fill("south")
        expect(second.get_by_test_id("satflow-next-runs")).to_contain_text("2099")
        second.scroll_into_view_if_needed()
        shot(page, "alerts-schedules")

        form.get_by_test_id("satflow-add-notify").click()
        expect(form.get_by_test_id("satflow-notify-block")).to_have_value("custom-webhook/team")
        form.get_by_test_id("satflow-notify-test").click()
        item = form.get_by_test_id("satflow-notify-item").first
        expect(item).to_contain_text("Sent with custom-webhook/team.", timeout=STARTS)
        assert "Test by SatFlow" in received[0]
        form.get_by_test_id("satflow-add-notify").click()
        form.get_by_test_id("satflow-notify-on").nth(1).select_option("overdue")
        form.get_by_test_id("satflow-notify-hours").fill("30")
        form.get_by_test_id("satflow-add-trigger").click()
        form.get_by_test_id("satflow-trigger-kind").select_option("event")
        form.get_by_test_id("satflow-trigger-event").fill("orders.received")
        form.get_by_test_id("satflow-add-trigger").click()
        form.get_by_test_id("satflow-trigger-kind").nth(1).select_option("files")
        form.get_by_test_id("satflow-trigger-files").fill("/data/incoming/*.csv")
        form.get_by_test_id("satflow-trigger-parameter").fill("region")
        form.get_by_test_id("satflow-trigger-item").last.scroll_into_view_if_needed()
        show_themes(page, "alerts")

        form.get_by_test_id("satflow-advanced").locator("summary").first.click()
        form.get_by_test_id("satflow-timeout").scroll_into_view_if_needed()
        show_themes(page, "alerts-advanced")

        form.get_by_test_id("satflow-submit").click()
        registered = form.get_by_test_id("satflow-registered")
        expect(registered).to_have_attribute("data-outcome", "created", timeout=STARTS)
        shot(page, "alerts-registered")
        field(form.get_by_test_id("satflow-parameters"), "fails").check()
        form.get_by_test_id("satflow-submit-and-run").click()
        expect(page.get_by_test_id("satflow-state").first).to_contain_text("Failed", timeout=RUNS)
        for _ in range(240):
            if any("broken on purpose" in each for each in received):
                break
            page.wait_for_timeout(500)
        assert any("broken on purpose" in each for each in received)
