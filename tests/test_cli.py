import re
from importlib.metadata import version

import pytest

from vidattn.cli import main


def test_an_unknown_command_shows_the_known_ones(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["train"])
    assert exit.value.code == 2
    assert re.match(r"(?s)vidattn: unknown command 'train'.*fit .*predict ", capsys.readouterr().err)


@pytest.mark.parametrize("words", [[], ["help"], ["--help"]])
def test_help_shows_the_commands(capsys, words):
    main(words)

    assert "vidattn <command>" in capsys.readouterr().out


def test_help_of_a_command_is_the_commands_own(capsys):
    with pytest.raises(SystemExit) as end:
        main(["help", "classify"])

    assert end.value.code == 0
    assert "--weights" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys):
    main(["--version"])

    assert capsys.readouterr().out == f"vidattn {version('vidattn')}\n"
