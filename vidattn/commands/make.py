"""`vidattn make`: the sets that this package draws itself."""

from jsonargparse import ArgumentParser

from vidattn.data.made.videos import AppearanceSet, MotionSet


def make(words: list[str]) -> None:
    """`vidattn make motion|appearance`: write one of the self-made sets."""
    parser = ArgumentParser(prog="vidattn make", description="Write a set of videos that this package draws itself.")
    commands = parser.add_subcommands()
    sets = {"motion": MotionSet, "appearance": AppearanceSet}
    for name, cls in sets.items():
        command = ArgumentParser(description=(cls.__doc__ or "").splitlines()[0])
        command.add_class_arguments(cls, as_group=False)
        commands.add_subcommand(name, command)
    config = parser.parse_args(words)
    folder = sets[config.subcommand](**config[config.subcommand]).write()
    print(f"wrote {folder}: train.csv, val.csv, test.csv")
