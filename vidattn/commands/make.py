"""`vidattn make`: the sets that this package draws itself."""

from pathlib import Path

from jsonargparse import ArgumentParser

from vidattn.commands.options import refuse_dashed_files
from vidattn.data.made.videos import AppearanceSet, MotionSet, SyntheticSet
from vidattn.writable import writing

SETS: dict[str, type[SyntheticSet]] = {"motion": MotionSet, "appearance": AppearanceSet}


def make(words: list[str]) -> None:
    """`vidattn make motion|appearance`, with the words behind it."""
    refuse_dashed_files(words, ())
    parser = ArgumentParser(prog="vidattn make", description="Write a set of videos that this package draws itself.")
    commands = parser.add_subcommands()
    for name, cls in SETS.items():
        command = ArgumentParser(description=(cls.__doc__ or "").splitlines()[0])
        command.add_class_arguments(cls, as_group=False, skip={"folder"})
        command.set_defaults(num_train=cls.default_num_train)
        command.add_argument(
            "--out", default=cls.default_folder, help="folder for the set; reused if it holds this very set"
        )
        commands.add_subcommand(name, command)
    config = parser.parse_args(words)
    options = config[config.subcommand].as_dict()
    made = SETS[config.subcommand](options.pop("out"), **options)
    with writing(Path(made.folder)):
        folder = made.write()
    print(f"wrote {folder}: train.csv, val.csv, test.csv")
