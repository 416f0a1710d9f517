from vidattn.bench.classify import answer_seconds
from vidattn.classify.classifier import Classifier


def test_the_answer_takes_as_long_as_its_parts_and_little_more(checkpoint, tiny_video):
    classifier = Classifier.from_pretrained(checkpoint, num_clips=2)
    seen = []
    classifier.network.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))

    seconds = answer_seconds(classifier, str(tiny_video), rounds=2)

    assert {name: len(values) for name, values in seconds.items()} == {"decoding": 2, "forward": 2, "answer": 2}
    assert set(seen) == {2}  # both clips together, in the parts as in the whole
    assert min(seconds["answer"]) > min(seconds["forward"]) > 0
