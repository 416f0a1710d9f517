from drawn_answers import answers

from vidattn.detection.scores import DetectionScores
from vidattn.training.detection_report import detection_report
from vidattn.training.report import Report


def test_a_test_leaves_its_numbers_a_table_and_a_line_for_each_class_that_there_is():
    found, truth = answers(0)
    scores = DetectionScores.of(found, truth)
    report = detection_report(scores, Report({"loss": 1.5}, {"loss": "1.5"}), ["a", "b", "c", "d"])

    assert report.numbers == {"loss": 1.5} | scores.numbers
    assert report.rows["frame-mAP@0.5"] == f"{scores.frames[0].mean:.1%}"
    assert report.rows["frames evaluated"] == f"{len(found)} of {len(truth)}"
    figure = report.figures["precision_recall.png"]()
    lines = figure.axes[0].lines
    there = [name for name, value in zip("abcd", scores.frames[0].of_class, strict=True) if value == value]
    assert sorted(line.get_label()[0] for line in lines) == there


def test_where_nothing_was_answered_the_losses_are_all():
    logged = Report({"loss": 1.5}, {"loss": "1.5"})
    assert detection_report(None, logged, []) is logged
