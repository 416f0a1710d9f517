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
from vidattn.classify.show.people import telling_frames
from vidattn.classify.show.video_pictures import VideoPictures, small_pictures
from vidattn.classify.sources import One, open_source
from vidattn.classify.video_detections import VideoDetections, check_names
from vidattn.classify.windows import stream_clips
from vidattn.data.boxes.split import stride_of
from vidattn.data.boxes.transforms import WholePicture
from vidattn.data.boxes.windows import Window, windows
from vidattn.data.clips.sampling import VideoTimes
from vidattn.detection.found import FrameBoxes
from vidattn.detection.tubes import Linking
from vidattn.explain.query_looks import QueryLook, QueryLooks, watch_queries
from vidattn.mistakes import Mistake
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
        linking: makes tubes of the boxes. Windows answer in turns for frames beside each other and may see a person a
            little differently; so less overlap joins boxes here than in scores, which keep to the published rule.

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
        linking: Linking = Linking(overlap=0.3, least_frames=5),
    ) -> None:
        check_positive(batch_size=batch_size)
        check_rate(least=least)
        self.device = usable_device(device)
        self.network, self.decoder = network.to(self.device).eval(), decoder.to(self.device).eval()
        self.normalize = Normalize(preparation.mean, preparation.std).to(self.device)
        self.actions, self.preparation = actions, preparation
        self.class_names = check_names(class_names, decoder.num_actions)
        self.batch_size, self.least, self.linking = batch_size, least, linking
        self._picture = WholePicture(preparation.image_size)
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
            frames.sort(key=lambda one: one.frame)
            tubes = sorted(self.linking.tubes(frames), key=lambda tube: -tube.score) if frames else []
            sure = [tube for tube in tubes if tube.score >= self.least]
            telling = telling_frames(sure, times.num_frames)
            again = not hasattr(source, "read")  # a stream has been read by now
            pictures = VideoPictures(source, telling, fps) if again else small_pictures(reader, telling)
            notes, path = cut_off(reader), reader.path
        return VideoDetections(path, self.class_names, seconds, frames, sure, notes, pictures)

    @torch.inference_mode()
    def look(
        self, source: One, frame: int | None = None, layer: int = -1, most: int = 4, fps: float = 30.0
    ) -> QueryLooks:
        """What the surest queries looked at in the clip that answers for a frame.

        Args:
            source: a video; see `__call__`.
            frame: its number within the video; the one in the middle by default.
            layer: of the decoder; the last by default.
            most: queries, of those at least as sure as `least`; the surest in any case.
            fps: frames per second of frames given as an array.

        Raises:
            VideoDecodeError: the video cannot be read.
            ValueError: there is no such frame or layer, or its cross-attention does not say where it looks.
        """
        check_positive(most=most)
        with open_source(source, "pyav", fps) as reader:
            times, path = VideoTimes(reader.num_frames, reader.fps, reader.times), reader.path
            frame = times.num_frames // 2 if frame is None else frame
            if not 0 <= frame < times.num_frames:
                raise Mistake(f"frame={frame}: {path} has frames 0 to {times.num_frames - 1}")
            window = next(one for one in self._windows(times.num_frames) if frame in one.answers)
            pictures = reader.frames(window.frames)  # (T, H, W, 3)
        clip = self._picture.strip(pictures.permute(0, 3, 1, 2)).transpose(0, 1)
        features = self.network.features(self.normalize(clip[None].to(self.device)), normalized=True)
        said, seen = watch_queries(self.decoder, features, clip.shape[1], layer)
        boxes, scores = on_each_frame(said, self.actions.scores(said.logits[-1]))
        best, actions = scores[0].amax(1).max(-1)  # over the asked frames, then the actions
        order = best.argsort(descending=True)[:most].tolist()
        looks = [
            QueryLook(
                f"{self.class_names[int(actions[query])]} {float(best[query]):.0%}",
                query,
                dict(zip(self.asked, boxes[0, query].float().cpu().numpy(), strict=True)),
                seen.of(query),
            )
            for query in order
            if best[query] >= self.least or query == order[0]
        ]
        seconds = [times.seconds(number) for number in window.frames]
        return QueryLooks(path, clip.permute(1, 2, 3, 0).numpy(), seconds, looks, pictures.shape[2] / pictures.shape[1])

    def _windows(self, count: int) -> list[Window]:
        """Clips that answer for each of so many frames once."""
        return windows(0, range(count), 0, count, self.preparation.sampling.num_frames, self.stride, self.asked)

    def _frames(self, reader: Any, times: VideoTimes, boxes: Boxes | None) -> Iterator[FrameBoxes]:
        """What is found in each frame, while the file is decoded once."""
        found = self._windows(times.num_frames)
        found.sort(key=lambda window: (max(window.frames), min(window.frames)))
        clips = stream_clips(
            reader, [window.frames for window in found], lambda one: self._picture.cut(self._picture.strip(one))
        )
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
