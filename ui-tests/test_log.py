"""Logs as a terminal shows them, including very long lines."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Locator, Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, open_form, show_flows
from themes import show_themes

LOUD = r"""
from prefect import flow

@flow(log_prints=True)
def loud():
    for done in range(0, 101, 10):
        print(f"\r{done}% of the tiles", end=" ")
    print("\033[38;5;208morange\033[0m \033[38;2;120;80;255mviolet\033[0m \033[1;4mbold\033[0m \033[7mreversed\033[0m")
    print('if access == "user\u202e \u2066// only admins\u2069 \u2066":')
    print("an error " * 33_334 + "needle")
"""


def test_a_long_line_is_searched_and_shown_whole_on_request(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("loud.ipynb", LOUD))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    form.get_by_test_id("satflow-submit-and-run").click()
    run = page.get_by_test_id("satflow-run").last
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Completed", timeout=RUNS)
    count = run.get_by_test_id("satflow-log-count")
    expect(count).not_to_contain_text("Loading", timeout=STARTS)
    log = run.get_by_test_id("satflow-log")
    expect(log).to_contain_text("100% of the tiles")
    expect(log).not_to_contain_text("50% of the tiles")
    expect(log).to_contain_text("⟨U+202E⟩")
    orange = log.locator("span", has_text="orange").last
    expect(orange).to_have_css("color", "rgb(255, 135, 0)")

    search = run.get_by_test_id("satflow-log-search")
    search.press_sequentially("e")
    expect(search).to_have_value("e")
    expect(run.get_by_test_id("satflow-log-matches")).to_contain_text(" of ")
    assert log.locator("mark").count() < 2000
    search.fill("needle")
    expect(run.get_by_test_id("satflow-log-matches")).to_have_text("1 of 1")
    expect(log.locator("mark", has_text="needle")).to_be_visible()
    search.fill("")
    run.get_by_test_id("satflow-log-follow").click()
    show_themes(page, "60-log")
    assert_link_leads_to_a_line(page, run)
    whole = run.get_by_test_id("satflow-log-show-all")
    whole.scroll_into_view_if_needed()
    whole.click()
    expect(whole).to_have_count(0)
    expect(log).to_contain_text("needle")


def assert_link_leads_to_a_line(page: Page, run: Locator) -> None:
    """Open the link of a line in another page, and one to a run that does not exist."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    line = run.get_by_test_id("satflow-log-line").filter(has_text="orange")
    line.hover()
    line.get_by_test_id("satflow-log-link").click()
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert "token" not in link
    other = page.context.new_page()
    other.goto(link)
    expect(other.locator(".jp-Satflow-line.jp-mod-linked")).to_contain_text("orange", timeout=STARTS)
    expect(other.locator(".jp-Satflow-line.jp-mod-linked")).to_be_in_viewport()
    expect(other).not_to_have_url(re.compile("satflow-run"))
    shot(other, "60-linked-line")
    other.goto(re.sub("satflow-run=[0-9a-f]{8}", "satflow-run=00000000", link))
    expect(other.get_by_test_id("satflow-error").first).to_contain_text("No flow run has the id")
    other.close()
