"""Texts of people and models are never read as HTML, by the page or by what draws its mathematics."""

from playwright.sync_api import expect

from page_link import link_to
from surefoot.sampling.fake_sampler import FakeSampler

SCRIPTS = (
    "<script>window.hurt = 1</script>",
    "<img src=x onerror='window.hurt = 2'>",
    "<svg onload='window.hurt = 3'><a href='javascript:window.hurt = 4'>here</a></svg>",
)
FORMULAS = (
    r"$\href{javascript:window.hurt=5}{here}$",
    r"$\htmlData{x=1}{y} \htmlStyle{color:red}{z}$",
    r"$\includegraphics[height=1em]{https://example.org/x.png}$",
    r"$\def\a{\a\a}\a$",
    r"$\text{<img src=x onerror='window.hurt = 6'>}$",
    r"$\rule{9999em}{9999em}$",
)
HOSTILE = "\n".join(f"{text} is fine." for text in (*SCRIPTS, *FORMULAS))


def unharmed(shown) -> None:
    page = shown.page
    page.wait_for_timeout(300)
    assert page.evaluate("window.hurt ?? null") is None
    inside = "#answer, #label-dialog, #error, #solutions"
    tags = page.eval_on_selector_all(
        f":is({inside}) :is(script, img, iframe, object, embed)", "all => all.map(each => each.tagName)"
    )
    assert tags == []
    links = page.eval_on_selector_all("a, [href]", "all => all.map(each => String(each.getAttribute('href')))")
    assert [link for link in links if "javascript:" in link or "example.org" in link] == []
    handlers = page.evaluate(
        "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(name => name.startsWith('on'))"
    )
    assert handlers == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [each.url for each in shown.sent if not each.url.startswith(page.url.split("#")[0])] == []


def test_hostile_solutions_are_shown_as_they_are(open_page, fakes) -> None:
    shown = open_page(fakes + link_to(mode="paste", problem=HOSTILE, solutions=[HOSTILE, f"\\boxed{{{SCRIPTS[1]}}}"]))
    expect(shown.page.locator("#status")).to_contain_text("came with the link")
    shown.submit()
    expect(shown.page.locator(".step").first).to_be_visible()
    shown.page.wait_for_selector(".katex")
    for text in (*SCRIPTS, *FORMULAS[:4]):
        expect(shown.page.locator("#answer")).to_contain_text(text)
        expect(shown.page.locator("#problem-shown")).to_contain_text(text)
    unharmed(shown)
    shown.page.check('[data-focus="choose-0"]')
    shown.page.click("#label-open")
    expect(shown.page.locator("#label-steps")).to_contain_text(SCRIPTS[0])
    unharmed(shown)


def test_hostile_candidates_and_answers_of_a_model_are_too(open_page, serve_fakes) -> None:
    url = serve_fakes(sampler=FakeSampler([HOSTILE, f"The answer is {SCRIPTS[1]}", f"\\boxed{{{FORMULAS[0]}}}"]))
    shown = open_page(url + link_to(mode="sample", problem="2?", sampling={"n": 3}))
    expect(shown.page.locator("#status")).to_contain_text("came with the link")
    shown.submit()
    expect(shown.page.locator(".card")).to_have_count(3)
    unharmed(shown)


def test_what_a_link_holds_is_a_request_and_nothing_else(open_page, fakes) -> None:
    ask = {"mode": "<img>", "problem": SCRIPTS[1], "solutions": [7, SCRIPTS[0], None], "model": "'; x", "strategy": "x"}
    shown = open_page(fakes + link_to(**ask, sampling={"n": "9"}, __proto__={"a": 1}))
    expect(shown.page.locator("#status")).to_contain_text("came with the link")
    expect(shown.page.locator("#solutions textarea")).to_have_count(1)
    assert shown.page.input_value("#model") == "prm"
    unharmed(shown)
