from foreseen import plain_video

from vidattn import Classifier


def test_the_card_holds_names_bars_and_every_frame_and_escapes_what_it_shows(checkpoint, tmp_path):
    path = plain_video(tmp_path / "a<b>.mp4", [120] * 40)

    html = Classifier.from_pretrained(checkpoint)(path)._repr_html_()

    assert html.count("data:image/jpeg;base64,") == 4
    assert "jump &amp; land" in html
    assert "a&lt;b&gt;.mp4" in html
    assert "http" not in html
