"""Who does what, where, in a video of any length: boxes and actions from a trained detector."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vidattn.checkpoints.read import read_checkpoint
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checks import check_positive, check_rate
from vidattn.classify.device import usable_device
from vidattn.classify.given_boxes import Boxes, boxes_on, chained
from vidattn.classify.preparation import Preparation, cut_off, preparation_of
from vidattn.classify.sources import One, open_source
from vidattn.classify.video_detections import VideoDetections, check_names
from vidattn.classify.windows import stream_clips
from vidattn.data.boxes.split import stride_of
from vidattn.data.boxes.transforms import WholePicture
from vidattn.data.boxes.windows import Window, windows
from vidattn.data.clips.sampling import VideoTimes
from vidattn.detection.found import FrameBoxes
from vidattn.detection.tubes import Linking
from vidattn.models.actions import Actions
from vidattn.models.network import Network
from vidattn.models.normalize import Normalize
from vidattn.models.plain_parts import part_of
from vidattn.models.query_decoder import Given, Queries, QueryDecoder
from vidattn.models.tubes import asked_frames, on_each_frame, to_centers


class Detector:
    """Finds people and names their actions, window by window; windows are joined into tubes.

    Memory goes by a batch of clips and by what is found, not by the length of the video.

    Args:
        network: normalised clips in.
        decoder: of queries, see `vidattn.models.QueryDecoder`.
        actions: what its logits mean.
        class_names: of the actions.
        preparation: which frames the network sees, and at what size; whole pictures, as squares.
        device: "cuda" where there is one, else "cpu", by default.
        batch_size: clips that go through the network together.
        least: score from which a box counts, 0 to 1.
        linking: makes tubes of the boxes.

    Raises:
        ValueError: there is no such device, batches would be empty, or clips have no stride.
    """

    def __init__(
        self,
        network: Network,
        decoder: QueryDecoder,
        actions: Actions,
        class_names: Sequence[str],
        preparation: Preparation,
        device: str | int | torch.device | None = None,
        batch_size: int = 8,
        least: float = 0.3,
        linking: Linking = Linking(least_frames=2),
    ) -> None:
        check_positive(batch_size=batch_size)
        check_rate(least=least)
        self.device = usable_device(device)
        self.network, self.decoder = network.to(self.device).eval(), decoder.to(self.device).eval()
        self.normalize = Normalize(preparation.mean, preparation.std).to(self.device)
        self.actions, self.preparation = actions, preparation
        self.class_names = check_names(class_names, decoder.num_actions)
        self.batch_size, self.least, self.linking = batch_size, least, linking
        self.stride = stride_of(preparation.sampling)
        self.asked = asked_frames(preparation.sampling.num_frames, decoder.numbers.num_boxes)

    @classmethod
    def from_pretrained(cls, source: str | Path, **options: Any) -> "Detector":
        """From a run of `vidattn.ActionDetector`, or a checkpoint of one.

        Args:
            source: the run's folder, or a file in it.
            options: see `Detector`, from `device` on.

        Raises:
            WeightsError: the source cannot be read, or is no detector's.
        """
        saved = read_checkpoint(source)
        if not saved.detector:
            raise WeightsError(
                f"{source}: holds no detector of actions; train one (vidattn fit with class_path: "
                "vidattn.ActionDetector), or ask vidattn classify what happens in a video"
            )
        network = saved.config.build()
        network.load_state_dict({**network.state_dict(), **saved.state})
        numbers = part_of(Queries, saved.detector.get("queries"), "queries")
        decoder = numbers.build(network.num_features, saved.config.num_classes)
        weights = {
            name.removeprefix("decoder."): one for name, one in saved.beside.items() if name.startswith("decoder.")
        }
        try:
            decoder.load_state_dict(weights)
        except RuntimeError as error:
            raise WeightsError(f"{source}: the decoder's weights are not what its numbers say ({error})") from None
        actions = part_of(Actions, saved.detector.get("actions"), "actions")  # type: ignore[type-abstract]
        preparation = preparation_of(saved.config, saved.preprocessing)
        return cls(network, decoder, actions, saved.class_names, preparation, **options)

    def __call__(self, source: One, boxes: Boxes | None = None, fps: float = 30.0) -> VideoDetections:
        """What goes on in a video.

        Args:
            source: a file, a whole video as bytes or a binary stream, or frames uint8 `(T, H, W, 3)`.
            boxes: of people whom somebody else has found, whose actions shall be named; see
                `vidattn.classify.given_boxes.Boxes`. By default the detector finds them itself.
            fps: frames per second of frames given as an array.

        Raises:
            VideoDecodeError: the video cannot be read.
            ValueError: an array or a box is not what is wanted.
        """
        with open_source(source, "pyav", fps) as reader:  # which decodes from end to end
            times = VideoTimes(reader.num_frames, reader.fps, reader.times)
            frames = list(self._frames(reader, times, boxes))
            seconds = [times.seconds(frame) for frame in range(times.num_frames)]
            notes, path = cut_off(reader), reader.path
        frames.sort(key=lambda one: one.frame)
        tubes = sorted(self.linking.tubes(frames), key=lambda tube: -tube.score) if frames else []
        sure = [tube for tube in tubes if tube.score >= self.least]
        return VideoDetections(path, self.class_names, seconds, frames, sure, notes)

    def _frames(self, reader: Any, times: VideoTimes, boxes: Boxes | None) -> Iterator[FrameBoxes]:
        """What is found in each frame, while the file is decoded once."""
        count, length = times.num_frames, self.preparation.sampling.num_frames
        found = windows(0, range(count), 0, count, length, self.stride, self.asked)
        found.sort(key=lambda window: (max(window.frames), min(window.frames)))
        picture = WholePicture(self.preparation.image_size)
        clips = stream_clips(reader, [window.frames for window in found], lambda one: picture.cut(picture.strip(one)))
        for start in range(0, len(found), self.batch_size):
            batch = found[start : start + self.batch_size]
            video = torch.cat([next(clips) for _ in batch])
            yield from self._answer(reader.path, batch, video, boxes)

    @torch.inference_mode()
    def _answer(self, path: str, batch: Sequence[Window], video: Tensor, boxes: Boxes | None) -> Iterator[FrameBoxes]:
        features = self.network.features(self.normalize(video.to(self.device)), normalized=True)
        answers = [[window.answers[place] for place in self.asked] for window in batch]
        if boxes is None:
            found, _ = self.decoder(features, video.shape[2])
            places, scores = on_each_frame(found, self.actions.scores(found.logits[-1]))
            own = torch.ones(places.shape[:3], dtype=torch.bool)
        else:
            tubes = [chained(self._given(boxes, frames, clip)) for frames, clip in zip(answers, video, strict=True)]
            most = max(1, *(len(tube) for tube, _ in tubes), 0)
            places = torch.full((len(batch), most, len(self.asked), 4), 0.5)
            own = torch.zeros(places.shape[:3], dtype=torch.bool)
            group = torch.full((len(batch), most), -1)
            for clip, (tube, known) in enumerate(tubes):
                places[clip, : len(tube)], own[clip, : len(tube)], group[clip, : len(tube)] = tube, known, 0
            given = Given(to_centers(places).to(self.device), group.to(self.device))
            said = self.decoder.answer_given(features, video.shape[2], given)
            scores = self.actions.scores_of_given(said.logits[-1])[:, :, None].expand(-1, -1, len(self.asked), -1)
        for clip, frames in enumerate(answers):
            for asked, frame in enumerate(frames):
                if frame >= 0:
                    kept = own[clip, :, asked].to(scores.device)
                    if boxes is None:
                        kept = kept & (scores[clip, :, asked].amax(-1) >= self.least / 2)
                    one = places.to(scores.device)[clip, :, asked][kept], scores[clip, :, asked][kept]
                    yield FrameBoxes(path, frame, *(part.float().cpu().numpy() for part in one))

    def _given(self, boxes: Boxes, frames: Sequence[int], clip: Tensor) -> list[np.ndarray]:
        """The boxes on the asked frames that are answered for; none on the others."""
        none = np.zeros((0, 4), np.float32)
        pictures = clip[:, self.asked].unbind(1)
        return [
            boxes_on(boxes, frame, picture) if frame >= 0 else none
            for frame, picture in zip(frames, pictures, strict=True)
        ]
