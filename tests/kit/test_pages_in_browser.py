"""The pages in a browser: laid out, sorted, chosen from, read by keyboard, and deaf to a hostile submission."""

import io
import os
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw

import data
from grading.claims import measure_claims
from grading.listing import Listed
from grading.pages import class_page, feedback_page
from grading.pages.own_report import Written
from grading.report import write
from grading.rubric import load
from tests.kit.browsing import By, Keys, NoAlertPresentException, Select, accessible, browser, screenshot
from tests.kit.class_of_forty import HOSTILE_WORDS, WORDS, hostile, records

PAGES = ["index", "feedback", "hostile", "refused", "report"]
TALLEST = 3_000  # pixels of a screenshot that nobody looks at


def curve() -> bytes:
    picture, file = Image.new("RGB", (640, 360), "white"), io.BytesIO()
    ImageDraw.Draw(picture).line([(20, 20), (200, 250), (620, 330)], fill="navy", width=4)
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def class_():
    return [*records(), hostile()]


@pytest.fixture(scope="module")
def measured(tmp_path_factory, make_run_in, images):
    """Two runs with figures, measured again: one says what was not measured, and one reaches what it has to."""
    place, rubric = tmp_path_factory.mktemp("runs"), load()
    easy = {n: replace(c, at_least=dict.fromkeys(c.at_least, -9999.0)) for n, c in rubric.claims.items() if c.at_least}
    told = {"log_likelihood_by_samples": {"1": -543.2, "50": -541.7}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load", lambda name, root: images)
        first = make_run_in(place, "vae-1", summary=told)
        claims = list(measure_claims(first, rubric, None, None))
        reported = {claim.name: claim.measured for claim in claims if claim.measured is not None}
        second = make_run_in(place, "vae-2-with-a-long-name-of-its-own", summary=reported)
        easier = list(measure_claims(second, replace(rubric, claims=rubric.claims | easy), None, None))
    for run, count in ((first, 3), (second, 1)):
        (run.path / "figures").mkdir()
        for number in range(count):
            (run.path / "figures" / f"learning_curve_{number}.png").write_bytes(curve())
    return [(first, claims), (second, easier)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory, class_, measured):
    """The addresses of all pages, by name."""
    out = tmp_path_factory.mktemp("pages")
    pair = SimpleNamespace(first=class_[0].submission, second=class_[-1].submission, share_first=0.8, share_second=0.5)
    class_page.write(out, class_, [pair])
    figures = {"figures/curve.png": curve(), "figures/evil.svg": b"<svg onload='window.hacked=18'/>"}
    (out / "feedback").mkdir()
    chosen = {"feedback": class_[1], "hostile": class_[-1], "refused": class_[12]}
    texts = {name: feedback_page.render(record, figures) for name, record in chosen.items()}
    files = {"index": out / "index.html"} | {name: out / "feedback" / f"{name}.html" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text, encoding="utf-8")
    written = [Written("3.2", "The cost", WORDS), Written("3.3", "Hostile", HOSTILE_WORDS), Written("3.4", "Empty", "")]
    listed = [
        Listed("vae.kl_gaussian_gaussian_analytic", "1", "f.py", state, 1, 7.75, 15) for state in ("todo", "wrong")
    ]
    write(out / "report.html", measured, listed, written, figures)
    return {name: path.as_uri() for name, path in {**files, "report": out / "report.html"}.items()}


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def show(driver, pages):
    """A function that opens a page in a window of this width and scheme, and returns the driver."""

    def opened(name: str, width: int = 1280, scheme: str = "light"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        window = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)
        driver.get(pages[name])
        return driver

    return opened


def column(driver, name: str) -> list[str]:
    """Return the values of a column of the class, as its rows stand now; of hidden rows too."""
    script = """return [...document.querySelectorAll('#submissions tbody tr')].map(row =>
        row.querySelector(`[data-column="${arguments[0]}"]`).dataset.value)"""
    return driver.execute_script(script, name)


def shown(driver) -> list[str]:
    rows = "return [...document.querySelectorAll('#submissions tbody tr')]"
    return driver.execute_script(f"{rows}.filter(row => !row.hidden).map(row => row.dataset.submission)")


def header(driver, name: str):
    return driver.find_element(By.XPATH, f"//table[@id='submissions']//th[button[text()='{name}']]")


# Opened as a file


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_a_file_without_a_word_on_the_console(show, name):
    driver = show(name)
    driver.get_log("browser")
    driver.refresh()
    assert driver.get_log("browser") == []
    assert (
        driver.execute_script(
            "return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:'))"
        )
        == []
    )


@pytest.mark.parametrize("name", ["index", "hostile", "report"])
def test_nothing_of_a_hostile_submission_runs_or_covers_the_page(show, name):
    driver = show(name)
    hover = "document.querySelectorAll('*').forEach(e => ['mouseover', 'click', 'focus', 'error', 'load', 'toggle']"
    driver.execute_script("document.addEventListener('click', e => e.preventDefault(), true)")
    driver.execute_script(f"{hover}.forEach(kind => e.dispatchEvent(new Event(kind, {{bubbles: true}}))))")
    time.sleep(0.2)  # what would load or wait for a timer
    assert driver.execute_script("return window.hacked === undefined")
    with pytest.raises(NoAlertPresentException):
        driver.switch_to.alert.accept()
    found = (
        "return [...document.querySelectorAll('main *')].filter(e => getComputedStyle(e).position === 'fixed').length"
    )
    assert driver.execute_script(found) == 0
    addresses = driver.execute_script("return [...document.querySelectorAll('a')].map(a => a.protocol)")
    assert set(addresses) <= {"file:", "http:", "https:", "mailto:"}


def test_the_policy_stops_what_an_escape_would_have_missed(show):
    driver = show("index")
    driver.execute_script("""const s = document.createElement('div'); s.innerHTML =
        '<img src="x" onerror="window.hacked=1"><iframe src="data:text/html,x"></iframe>';
        document.body.append(s); const t = document.createElement('script'); t.textContent = 'window.hacked=2';
        document.body.append(t);""")
    time.sleep(0.2)
    assert driver.execute_script("return window.hacked === undefined")
    driver.get_log("browser")


# The table of the class


def test_a_click_sorts_by_number_and_another_one_turns_it_round(show):
    driver = show("index")
    header(driver, "points").find_element(By.TAG_NAME, "button").click()
    points = column(driver, "points")
    graded = [float(p) for p in points if p]
    assert graded == sorted(graded)
    assert points[: len(graded)] == [p for p in points if p]  # the refused ones are last
    assert header(driver, "points").get_attribute("aria-sort") == "ascending"
    header(driver, "points").find_element(By.TAG_NAME, "button").click()
    points = column(driver, "points")
    assert [float(p) for p in points if p] == graded[::-1]
    assert "" not in points[: len(graded)]
    assert header(driver, "points").get_attribute("aria-sort") == "descending"
    header(driver, "vae").find_element(By.TAG_NAME, "button").click()
    assert header(driver, "points").get_attribute("aria-sort") == "none"


def test_a_header_is_reached_and_pressed_by_keyboard(show):
    driver = show("index")
    driver.find_element(By.ID, "kind").send_keys(Keys.TAB, Keys.TAB)
    for _ in range(4):
        focused = driver.switch_to.active_element
        if focused.text.startswith("outcome"):
            break
        focused.send_keys(Keys.TAB)
    assert focused.text.startswith("outcome")
    assert driver.execute_script("return parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    focused.send_keys(Keys.ENTER)
    assert header(driver, "outcome").get_attribute("aria-sort") == "ascending"
    assert column(driver, "outcome") == sorted(column(driver, "outcome"))
    focused.send_keys(Keys.SPACE)
    assert header(driver, "outcome").get_attribute("aria-sort") == "descending"


def test_items_are_sorted_too(show):
    driver = show("index")
    driver.find_element(By.XPATH, "//table[@id='parts']//button[text()='mean share']").click()
    cells = "[...document.querySelectorAll('#parts [data-column=difficulty]')]"
    shares = driver.execute_script(f"return {cells}.map(cell => Number(cell.dataset.value))")
    assert shares == sorted(shares)
    assert len(set(shares)) > 5


def test_rows_are_chosen_by_name_and_by_outcome(show, class_):
    driver = show("index")
    output = driver.find_element(By.ID, "shown")
    assert output.text == f"{len(class_)} of {len(class_)} shown"
    driver.find_element(By.ID, "filter").send_keys("JÖRG")
    expected = [r.submission for r in class_ if "jörg" in r.submission.lower()]
    assert shown(driver) == expected
    assert output.text == f"{len(expected)} of {len(class_)} shown"
    driver.find_element(By.ID, "filter").clear()
    driver.find_element(By.ID, "filter").send_keys(class_[3].student)
    assert shown(driver) == [class_[3].submission]
    for _ in range(7):
        driver.find_element(By.ID, "filter").send_keys(Keys.BACKSPACE)
    Select(driver.find_element(By.ID, "kind")).select_by_value("refused")
    assert shown(driver) == [r.submission for r in class_ if r.outcome == "refused"]
    Select(driver.find_element(By.ID, "kind")).select_by_value("late")
    assert shown(driver) == [r.submission for r in class_ if r.settlement and r.settlement.late_days]


# Laid out


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_its_window(show, name, width):
    driver = show(name, width)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide, window = driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window == width


def cut(driver) -> list[str]:
    """Return the labels of the tables that are wider than their frame; what a student wrote is left out."""
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    frames = (
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth && !e.closest('.words'))"
    )
    return driver.execute_script(f"return {frames}.map(e => e.getAttribute('aria-label'))")


@pytest.mark.parametrize("name", ["index", "feedback", "report"])
def test_on_a_desk_no_table_is_cut(show, name):
    assert cut(show(name)) == []


def test_on_a_phone_points_and_parts_are_not_cut_and_of_other_tables_the_outcome_is_seen(show):
    driver = show("feedback", 390)
    assert not {"How the points come about", "Parts"} & set(cut(driver))
    assert "Parts" not in cut(show("report", 390))
    for name in ("feedback", "report"):
        cells = "[...document.querySelectorAll('td.right, td.wrong, td.reached, td.missed, td.todo, td.unmeasured')]"
        ends = show(name, 390).execute_script(f"return {cells}.map(cell => cell.getBoundingClientRect().right)")
        assert len(ends) >= 4
        assert max(ends) <= 390


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_drawn_as_high_as_it_is_laid_out(show, name, width, scheme, tmp_path):
    """Leaves its pictures whole in the folder that ELBO_SCREENSHOTS names, for a person to look at."""
    asked = os.environ.get("ELBO_SCREENSHOTS")
    place, tallest = (Path(asked), 12_000) if asked else (tmp_path, TALLEST)
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"{name}-{width}-{scheme}.png"
    wide, high = screenshot(show(name, width, scheme), file, tallest)
    with Image.open(file) as picture:
        assert picture.size == (wide, min(high, tallest))
        assert name == "refused" or high > 2_000
        assert width - 20 < wide <= width  # beside a bar that scrolls
        colours = sorted(picture.convert("RGB").getcolors(wide * high), reverse=True)
    paper = {"light": (255, 255, 255), "dark": (21, 23, 27)}[scheme]
    assert colours[0][1] == paper
    assert len(colours) > 30


def test_a_report_tells_of_runs_with_claims_thresholds_and_figures(show):
    driver = show("report")
    assert [each.text for each in driver.find_elements(By.CSS_SELECTOR, "#run-1 ~ h3")][:2] == ["Claims", "Figures"]
    outcomes = {each.text for each in driver.find_elements(By.CSS_SELECTOR, ".scroll td.reached, .scroll td.wrong")}
    assert outcomes >= {"reached", "wrong"}
    widths = "return [...document.querySelectorAll('.figures img')].map(image => image.naturalWidth)"
    assert driver.execute_script(widths) == [640] * 4


@pytest.mark.parametrize("name", ["feedback", "report"])
def test_mathematics_is_laid_out(show, name):
    driver = show(name)
    fraction, line = driver.execute_script("""return ['mfrac', 'math mi'].map(s =>
        document.querySelector(s).getBoundingClientRect().height)""")
    assert fraction > 1.4 * line
    assert driver.execute_script("return document.querySelector('.words img').naturalWidth") == 640


def test_what_is_printed_has_no_controls_and_nothing_that_scrolls(show):
    driver = show("index")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    script = """return [getComputedStyle(document.querySelector('.controls')).display,
        getComputedStyle(document.querySelector('.scroll')).overflowX]"""
    assert driver.execute_script(script) == ["none", "visible"]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


# For everybody


def script(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_by_everybody(show, name):
    assert show(name).execute_script(script("page_rules.js")) == []


NAMED = {"link", "button", "DisclosureTriangle", "searchbox", "combobox", "table", "region", "navigation", "image"}


@pytest.mark.parametrize("name", PAGES)
def test_a_screen_reader_is_told_a_name_for_all_that_it_stops_at(show, name):
    driver = show(name)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    tree = accessible(driver)
    assert [role for role, told, _ in tree if role in NAMED and not told] == []
    assert tree[0][0] == "RootWebArea"
    assert tree[0][1]  # the page's title
    roles = {role for role, _, _ in tree}
    assert roles >= {"main", "banner", "link", "heading"}
    assert roles >= {"table", "region"} or name == "refused"
    assert roles >= {"button", "searchbox", "combobox", "navigation", "image"} or name != "index"
    levels = [properties["level"] for role, _, properties in tree if role == "heading"]
    assert levels.count(1) == 1
    assert all(later <= before + 1 for before, later in pairwise([0, *levels]))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(show, name, scheme):
    driver = show(name, scheme=scheme)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    worst = driver.execute_script(script("page_contrast.js"))
    assert len(worst) >= 4
    assert {key: ratio for key, ratio in worst.items() if ratio < 4.5} == {}


def test_dark_is_dark(show):
    back = "return getComputedStyle(document.documentElement).backgroundColor"
    assert show("index", scheme="light").execute_script(back) == "rgb(255, 255, 255)"
    assert show("index", scheme="dark").execute_script(back) == "rgb(21, 23, 27)"


def test_the_skip_link_leads_to_the_content(show):
    driver = show("feedback")
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    link = driver.switch_to.active_element
    assert link.text == "Skip to the content"
    assert link.location["x"] >= 0
    link.send_keys(Keys.ENTER)
    assert driver.switch_to.active_element.get_attribute("id") == "content"
