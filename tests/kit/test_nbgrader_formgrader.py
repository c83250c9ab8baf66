"""Formgrader in a browser: points of machine and person side by side, and nothing that was handed in runs there."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

from grading.nbgrader import ASSIGNMENT
from grading.nbgrader import gradebook as view
from tests.kit.browsing import By, Keys, WebDriver, browser
from tests.kit.small_course import (
    ANSWERS,
    CLAIMS,
    PARTS,
    POINTS,
    RUBRIC,
    WORDS,
    generate,
    hand_in,
    nbgrader,
    record,
    write,
)

FORMGRADER = "nbgrader.server_extensions.formgrader"
RUNS = "window.hacked = 1"
SCRIPTS = f"""\
<!-- figure: a hint of the kit's -->

A bound <b>in bold</b>, $a < b$ and
<script>{RUNS}</script>

<img src=x onerror="{RUNS}"> <svg onload="{RUNS}"></svg> <details ontoggle="{RUNS}" open>x</details>

# A heading <img src=x onerror="{RUNS}"> {{#x}}

```mermaid
</pre><img src=x onerror="{RUNS}">
```

``` <img src=x onerror="{RUNS}">
</code></pre><script>{RUNS}</script>
```

[a](javascript:{RUNS.replace(" ", "")} "b") [c](<&#106;avascript:{RUNS}>) [d](java&Tab;script:{RUNS.replace(" ", "")})
<javascript:{RUNS.replace(" ", "")}> [e](data:text/html,<script>{RUNS}</script>) [f][g]
![h](x" onerror="{RUNS}) ![i" onerror="{RUNS}](x) ![j](x "k\\" onerror=\\"{RUNS}")

[g]: vbscript:{RUNS.replace(" ", "")} '" onclick="{RUNS}'

| <img src=x onerror="{RUNS}"> | l |
| --- | --- |
| $</script><img src=x onerror="{RUNS}">$ | $$<svg onload="{RUNS}">$$ |

\\begin{{x}}<img src=x onerror="{RUNS}">\\end{{x}}
"""
OUTPUTS = {
    "text/html": f"<script>{RUNS}</script><img src=x onerror='{RUNS}'>",
    "application/javascript": RUNS,
    "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUNS}'><script>{RUNS}</script></svg>",
    "text/vnd.mermaid": f"</pre><script>{RUNS}</script>",
    "text/markdown": f"<script>{RUNS}</script>",
    "text/latex": f"</div><script>{RUNS}</script>",
    "application/vnd.jupyter.widget-view+json": {"model_id": f"</script><script>{RUNS}</script>"},
}
MATHJAX = "MathJax = {Hub: {Config() {}, Startup: {signal: {Interest() {}}}}}"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of which ana's hand-in was graded by the kit, and mallory's by nbgrader, as it would leave it."""
    course = generate(tmp_path_factory.mktemp("course"))
    for student, words in (("ana", "Because it is a bound."), ("mallory", SCRIPTS)):
        hand_in(course, student, words)
    write(course, record(), record("mallory"))
    path = course / "autograded" / "mallory" / ASSIGNMENT / "report.ipynb"
    notebook = nbformat.read(path, as_version=4)
    shown = [{kind: value, "text/plain": "as text"} for kind, value in OUTPUTS.items()]
    outputs = [new_output("display_data", data=data) for data in [*shown, *({k: v} for k, v in OUTPUTS.items())]]
    outputs += [new_output("stream", text=OUTPUTS["text/html"]), new_output("error", traceback=[OUTPUTS["text/html"]])]
    notebook.cells += [new_code_cell(SCRIPTS, outputs=outputs), new_raw_cell(SCRIPTS), new_markdown_cell(SCRIPTS)]
    notebook.cells[-2].metadata["raw_mimetype"] = "text/html"
    notebook.metadata["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"state": {"x": f"</script>{SCRIPTS}"}}
    }
    nbformat.write(notebook, path)
    return course


@pytest.fixture(scope="module")
def server(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A Jupyter server with formgrader for the course: its address and token."""
    home = tmp_path_factory.mktemp("home")
    places = {"HOME": home, "JUPYTER_CONFIG_DIR": home, "JUPYTER_DATA_DIR": home, "JUPYTER_RUNTIME_DIR": home}
    options = ["--no-browser", "--allow-root", "--port=0", f"--ServerApp.root_dir={course}"]
    options.append(f"--ServerApp.jpserver_extensions={{'{FORMGRADER}': True}}")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *options],
        cwd=course,
        env=os.environ | {name: str(place) for name, place in places.items()},
        stdout=subprocess.DEVNULL,
        stderr=(home / "log").open("w"),
    )
    try:
        yield _started(process, home)
    finally:
        process.terminate()
        process.wait(30)


def _started(process: subprocess.Popen[bytes], home: Path) -> dict[str, Any]:
    """Wait for what the server says of itself, and until it answers."""
    for _ in range(600):
        assert process.poll() is None, (home / "log").read_text()
        try:
            (found,) = [json.loads(path.read_text()) for path in home.glob("jpserver-*.json")]
            urllib.request.urlopen(f"{found['url']}api?token={found['token']}")
        except (ValueError, OSError):
            time.sleep(0.1)
        else:
            return dict(found)
    raise AssertionError((home / "log").read_text())


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory, server: dict[str, Any]) -> Iterator[WebDriver]:
    """A browser that the server knows, with a stand-in for MathJax, which formgrader loads and waits for."""
    with browser(tmp_path_factory.mktemp("chromium")) as started:
        started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": MATHJAX})
        started.get(f"{server['url']}formgrader?token={server['token']}")
        yield started


@pytest.fixture
def open_notebook(driver: WebDriver, server: dict[str, Any]) -> Callable[[str, str], WebDriver]:
    """A function that opens a student's notebook where a person grades it."""
    address, token = f"{server['url']}formgrader", f"token={server['token']}"

    def opened(student: str, name: str) -> WebDriver:
        all_of_it = f"{address}/api/submitted_notebooks/{ASSIGNMENT}/{name}?{token}"
        (number,) = [each["id"] for each in json.load(urllib.request.urlopen(all_of_it)) if each["student"] == student]
        driver.get(f"{address}/submissions/{number}/")
        loaded = "return [...document.querySelectorAll('.score')].some(e => e.value || e.placeholder)"
        _wait(lambda: driver.execute_script(loaded))
        return driver

    return opened


def _wait(holds: Callable[[], Any]) -> None:
    for _ in range(100):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("the page did not come to it in ten seconds")


def points(driver: WebDriver) -> dict[str, float | None]:
    """Return what stands in the field of each cell with points: a person's, or else the machine's in grey, or None."""
    script = "return [...document.querySelectorAll('.score')].map(e => [e.id, e.value || e.placeholder])"
    return {name: float(value) if value else None for name, value in driver.execute_script(script)}


def test_formgrader_shows_machine_points_and_takes_those_of_a_person_which_come_back(
    open_notebook: Callable[[str, str], WebDriver], course: Path
) -> None:
    claim = next(iter(RUBRIC.claims.values())).points
    code = {"check_vae_log_mean_exp": POINTS[PARTS[0]], "check_vae_elbo": 0.0, "claims_vae": claim}
    assert points(open_notebook("ana", "vae")) == code
    driver = open_notebook("ana", "report")
    assert points(driver) == {"question_1_1": None, "answers_1_1": ANSWERS}
    assert f"/ {WORDS}" in driver.find_element(By.TAG_NAME, "body").text
    driver.find_element(By.ID, "question_1_1").send_keys("0.5", Keys.TAB)
    driver.find_element(By.CSS_SELECTOR, "textarea.comment").send_keys("Nearly.", Keys.TAB)
    _wait(lambda: (given := view.manual_points(course, RUBRIC)) and given["ana"]["1.1"].comment)
    given = view.manual_points(course, RUBRIC)["ana"]["1.1"]
    assert (given.points, given.comment) == (0.5, "Nearly.")
    write(course, record(), record("mallory"))
    assert points(open_notebook("ana", "report")) == {"question_1_1": 0.5, "answers_1_1": ANSWERS}


def test_the_list_of_submissions_has_the_points_of_all(driver: WebDriver, server: dict[str, Any]) -> None:
    driver.get(f"{server['url']}formgrader/manage_submissions/{ASSIGNMENT}")
    _wait(lambda: "mallory" in driver.find_element(By.TAG_NAME, "body").text)
    possible = sum(POINTS.values()) + CLAIMS + ANSWERS + WORDS
    assert f"/ {possible:g}" in driver.find_element(By.TAG_NAME, "body").text


def expect_harmless(driver: WebDriver) -> None:
    """Nothing ran, nothing waits to, and the words are there to be read."""
    time.sleep(0.3)  # what would load first
    assert driver.execute_script("return window.hacked === undefined")
    cells = "return [...document.querySelectorAll('.rendered_html *, .output *, .input_area *')]"
    attributes = driver.execute_script(f"{cells}.flatMap(e => [...e.attributes]).map(a => a.name)")
    assert [name for name in attributes if name.startswith("on")] == []
    protocols = driver.execute_script(f"{cells}.map(e => e.protocol || '')")
    assert {each for each in protocols if "script" in each or each == "data:"} == set()
    assert {*driver.execute_script(f"{cells}.map(e => e.localName)")}.isdisjoint({"script", "svg", "iframe", "details"})
    text = driver.find_element(By.TAG_NAME, "body").text
    assert f"<script>{RUNS}</script>" in text
    assert "in bold" in text
    assert "<!--" not in driver.find_element(By.CSS_SELECTOR, ".rendered_html").text


@pytest.mark.parametrize("shown", ["formgrader", "feedback"])
def test_nothing_that_a_student_handed_in_runs(
    shown: str, open_notebook: Callable[[str, str], WebDriver], driver: WebDriver, course: Path
) -> None:
    if shown == "formgrader":
        open_notebook("mallory", "report")
    else:
        nbgrader(course, "generate_feedback", ASSIGNMENT, "--student", "mallory")
        driver.get((course / "feedback" / "mallory" / ASSIGNMENT / "report.html").as_uri())
    expect_harmless(driver)
