"""The page: what a browser shows for a patch that is clicked is what the tensor says."""

import html
import json
import re
import shutil
import subprocess

import pytest
import torch
from explain.test_step_weights import network, weights_of

from vidattn.explain.explorer import POOLED_FROM, explore, pooling
from vidattn.explain.packed import unpacked
from vidattn.explain.rollout import gradient_rollout, rollout

CLIP = torch.randint(256, (3, 4, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
CLICK = """
<script>
(async () => {
  while (!document.body.dataset.ready) await new Promise(done => setTimeout(done, 5));
  const panel = panels[0], canvas = panel.canvases[2].canvas, box = canvas.getBoundingClientRect();
  panel.block.value = "1";
  panel.block.onchange();
  panel.step.selectedIndex = 1;
  panel.head.value = "2";
  const at = { clientX: box.left + .7 * box.width, clientY: box.top + .3 * box.height, bubbles: true };
  canvas.dispatchEvent(new MouseEvent("click", at));
  await redraw();
  const looked = panel.shown;
  chosen.direction = "key";
  await redraw();
  document.body.dataset.found = JSON.stringify([looked, panel.shown, panels[1].shown, panel.said.textContent]);
})();
</script>
"""


def normalize(video):
    return video.float() / 255 - 0.5


def explored(attention="time+space", **changes):
    return explore(network(attention), normalize, CLIP, ["a", "b", "</script>"], seconds=[0, 0.1, 0.2, 0.3], **changes)


@pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine")
def test_a_click_shows_what_the_tensor_says_and_the_other_panel_follows(tmp_path):
    page = explored(heads="all").beside(explored("joint")).html()
    (tmp_path / "page.html").write_text(page.replace("</body>", CLICK + "</body>"))
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom"]
    run = subprocess.run(
        [BROWSER, *words, f"--user-data-dir={tmp_path}/profile", f"file://{tmp_path}/page.html"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'data-found="([^"]*)"', run.stdout)
    assert found, run.stdout[-500:]
    looked, seen_by, beside, said = json.loads(html.unescape(found[1]))

    steps = weights_of(network("time+space"), normalize(CLIP[None]))
    head, grid = steps[3].heads[2], steps[3].grid
    query = grid.prefix + (2 * 4 + 1) * 4 + 2  # time 2, row 1, column 2
    error = head.max().item() / 255
    torch.testing.assert_close(torch.tensor(looked["shares"]), head[query, grid.prefix :], atol=error, rtol=0)
    torch.testing.assert_close(torch.tensor(seen_by["shares"]), head[grid.prefix :, query], atol=error, rtol=0)
    assert "row 1, column 2, time 2" in said
    (joint,) = [one for one in weights_of(network("joint"), normalize(CLIP[None])) if one.block == 1]
    column = joint.heads.mean(0)[:, query]
    torch.testing.assert_close(
        torch.tensor(beside["shares"]), column[1:], atol=column.max().item() / 255 + 1e-3, rtol=0
    )


def test_the_page_asks_nothing_of_any_network():
    page = explored().html()
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|src=[\"'](?!data:)|@import|fetch\(", page)
    assert page.count("</script>") == 2  # the name of a class does not end one


def test_maps_are_those_of_classify():
    (model,) = explored().models
    video = normalize(CLIP[None])
    first = ["a", "b", "</script>"].index(model["answers"][0][0])
    wanted = (rollout(network("time+space"), video), gradient_rollout(network("time+space"), video, first))
    for shown, one in zip(model["maps"][:2], wanted, strict=True):
        shares = unpacked(shown["data"], 1).view(shown["grid"])
        torch.testing.assert_close(shares, one.video[0].detach(), atol=one.video.max().item() / 255, rtol=0)


def test_many_weights_are_pooled_and_it_is_said(monkeypatch):
    assert [pooling(count) for count in (1, POOLED_FROM, POOLED_FROM + 1, 10**12)] == [1, 1, 2, 4]
    monkeypatch.setattr("vidattn.explain.explorer.POOLED_FROM", 1000)
    (model,) = explored("joint").models
    assert model["steps"][0]["pool"] > 1
    assert any("keys are pooled" in note for note in model["notes"])


def test_a_head_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="head 3: the network has heads 0 to 2"):
        explored(heads=[0, 3])


def test_what_is_no_page_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"page.png: an exploration is a page; choose a name that ends in .html"):
        explored().save(tmp_path / "page.png")


def test_a_notebook_shows_the_page_in_a_frame():
    shown = explored()._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "<script" not in shown  # escaped
