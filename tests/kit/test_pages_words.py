"""A student's Markdown on a page: words are only words, mathematics only mathematics, and pictures only pictures."""

import random

import pytest

from grading.pages import pictures
from grading.pages.mathematics import mathml
from grading.pages.pictures import Album, embedded
from grading.pages.words import LONGEST, html
from grading.pages.words import pictures as shown_in
from tests.kit.class_of_forty import HOSTILE_WORDS
from tests.kit.reading_pages import assert_harmless, picture

# Words


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("# A\n\ntext", '<p class="heading">A</p>\n<p>text</p>\n'),
        ("a <b>c</b> <script>x</script>", "<p>a &lt;b&gt;c&lt;/b&gt; &lt;script&gt;x&lt;/script&gt;</p>\n"),
        ("[a](http://b.example)", '<p><a href="http://b.example" rel="noopener noreferrer">a</a></p>\n'),
        ("[a](javascript:alert(1))", "<p>a</p>\n"),
        ("[a](data:text/html,b) c", "<p>a c</p>\n"),
        ("[a](#main)", "<p>a</p>\n"),
        ("![a](b.png)", '<p><span class="absent">a</span></p>\n'),
        ("costs $5 or $6", "<p>costs $5 or $6</p>\n"),
        ('```x" onload="y\na<b\n```', '<pre tabindex="0"><code>a&lt;b\n</code></pre>\n'),
        ("a\x1b[1m\u202eb\ud800", "<p>a\ufffd[1m\ufffdb\ufffd</p>\n"),
    ],
)
def test_words_are_rendered_and_only_words(words, told):
    assert html(words, Album({})) == told


@pytest.mark.parametrize("words", ["$x^2$", "$`x^2`$", "$$x^2$$", "$$\nx^2\n$$", "```math\nx^2\n```"])
def test_mathematics_is_mathml_in_all_its_spellings(words):
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html(words, Album({}))
    assert ('display="block"' in html(words, Album({}))) == (not words.startswith(("$x", "$`")))


@pytest.mark.parametrize(
    ("latex", "held"),
    [
        (r"\mathbb E_q x", "<mi>𝔼</mi>"),
        (r"\mathcal L", "<mi>ℒ</mi>"),
        (r"\log p", '<mi>log</mi><mspace width="0.17em" /><mi>p</mi>'),
        (r"\log_2 \log x", '</msub><mspace width="0.17em" /><mi>log</mi><mspace width="0.17em" /><mi>x</mi>'),
        (r"\log(p)", '<mi>log</mi><mo stretchy="false">(</mo>'),
        (r"x_{\max}", "<msub><mi>x</mi><mrow><mo>max</mo></mrow></msub>"),
    ],
)
def test_letters_have_their_fonts_and_functions_stand_apart_from_arguments(latex, held):
    assert held in mathml(latex, display=False)


@pytest.mark.parametrize(
    "latex",
    [
        r"\foo x",
        r"x_{",
        r"\href{javascript:a}{x}",
        r"\style{color:red}{x}",
        r"\newcommand{\a}{\a\a}\a",
        "x" * 2001,
        "{" * 200 + "x" + "}" * 200,
        r"\sqrt{" * 40 + "x" + "}" * 40,
    ],
)
def test_a_formula_that_cannot_be_rendered_stays_as_it_was_written(latex):
    assert mathml(latex, display=False) is None
    assert "<math" not in html(f"${latex}$", Album({}))
    assert latex[:5].replace("{", "") in html(f"${latex}$", Album({}))


def test_formulas_that_cannot_be_read_are_told_once_below_the_words():
    text = html("$x^2$ is no $\\foo x$, and $$\\foo x$$ neither", Album({}))
    assert text.endswith('<p class="quiet">This formula could not be read: \\foo x</p>\n')
    text = html("".join(f"$\\foo{letter}<b>$ and\n" for letter in "abcdef"), Album({}))
    assert text.count("could not be read") == 1
    assert "These 6 formulas could not be read: \\fooa&lt;b&gt;, " in text
    assert text.endswith("\\food&lt;b&gt; and 2 more</p>\n")
    assert "could not be read" not in html("costs $5 or $x$", Album({}))


@pytest.mark.parametrize(
    ("latex", "held"),
    [
        (r"\text{</mtext><script>x</script>}", "&lt;/mtext&gt;&lt;script&gt;x&lt;/script&gt;"),
        (r"\hspace{99999em}x", "<mspace />"),
        (r"\color{red}{x}", "<mstyle>"),
        (r"a \quad b", '<mspace width="1em" />'),
        (r"\text{&lt;b&gt;}", "<mtext>&lt;b&gt;</mtext>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "<mtr><mtd"),
    ],
)
def test_little_of_mathml_is_kept(latex, held):
    found = mathml(latex, display=False)
    assert held in found
    assert_harmless(found)


def test_hostile_words_are_harmless():
    text = html(HOSTILE_WORDS, Album({"figures/evil.svg": b"<svg onload='a'/>", "x": b"<script>"}))
    page = assert_harmless(text)
    assert not [tag for tag, _ in page.tags if tag in ("script", "style", "svg", "img", "a")]
    assert "100 of 100 points</p>" in text


SIGNS = [
    *"[]()!<>*_`$\\#|-~&{}^'\"=: \n",
    "\n\n",
    "a",
    "1.",
    "$$",
    "```",
    "![",
    "](",
    "<img src='",
    "\\frac",
    "\\text{",
]


@pytest.mark.parametrize("seed", range(150))
def test_words_of_random_signs_are_harmless(seed):
    chance = random.Random(seed)
    assert_harmless(html("".join(chance.choices(SIGNS, k=400)), Album({"a": picture()})))


REPEATED = ["[", "![", "![a](", "[a](b", "*a ", "**a _b ", "$a", "$x$ ", "$$x$$ ", "<", "<img ", "> ", "- ", "`a``"]
REPEATED += ["\\", "[a]: b\n", "[a]\n", "|a", "&", "~~a ", "a\n=\n", "$\\sqrt{", "\\begin{matrix}"]


@pytest.mark.parametrize("sign", REPEATED)
def test_a_long_text_is_cut_and_does_not_hang(sign):
    text = html(sign * (200_000 // len(sign)), Album({}))
    assert "signs more are not shown" in text
    assert len(text) < 2_000_000


def test_what_is_cut_says_how_much():
    assert html("a" * LONGEST, Album({})).endswith("a</p>\n")
    assert html("a" * (LONGEST + 3), Album({})).endswith('<p class="quiet">3 signs more are not shown.</p>\n')


def test_a_long_address_is_no_link_however_often_it_is_named():
    text = html(f"[a]: http://b.example/{'c' * 9000}\n\n{'[a] ' * 2000}", Album({}))
    assert "<a " not in text
    assert len(text) < 20_000


# Pictures


@pytest.mark.parametrize(("kind", "mime"), [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif")])
def test_a_picture_is_what_its_content_says(kind, mime):
    assert embedded(picture(kind)).startswith(f"data:image/{mime};base64,")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html>",
        picture("BMP"),
        picture()[:20],
    ],
)
def test_what_is_no_picture_is_not_shown(content):
    assert embedded(content) is None


def test_a_picture_that_is_too_large_is_not_shown(monkeypatch):
    assert embedded(picture() + bytes(pictures.LARGEST)) is None
    monkeypatch.setattr(pictures, "MOST_PIXELS", 5)
    assert embedded(picture()) is None


@pytest.mark.parametrize("path", ["figures/a b.png", "./figures/a%20b.png", "figures\\a b.png", "../runs/x/a b.png"])
def test_a_picture_is_found_by_its_path_or_its_name(path):
    assert Album({"figures/a b.png": picture()}).show(path) == embedded(picture())


def test_a_page_shows_so_many_pictures_and_the_others_by_their_words(monkeypatch):
    monkeypatch.setattr(pictures, "MOST", 3)
    text = html("![curve](a.png)\n" * 5 + "<img src='a.png' alt='tag'>", Album({"a.png": picture()}))
    assert text.count("<img ") == 3
    assert text.count('<img src="data:image/png;base64,') == text.count('alt="curve">') == 3
    assert text.count('<span class="absent">') == 3


def test_a_tag_of_a_picture_is_a_picture_and_in_code_it_is_code():
    text = html(
        """<img width=3 src="a.png" alt='the "curve"' onerror="x"> `<img src="a.png">`""", Album({"a.png": picture()})
    )
    assert text.count("<img ") == 1
    assert 'alt="the &#34;curve&#34;">' in text
    assert "onerror" not in text
    assert shown_in("![a](b%20c.png) <img src='d.png'> ![e](b%20c.png) `![f](g.png)`") == ["b%20c.png", "d.png"]
