import re

import pytest

from vidattn.cli import COMMANDS, main


@pytest.mark.parametrize("words", [["classify"], ["check"], ["flops"], ["prepare"], ["bench-loader"], ["make"]])
def test_a_file_that_begins_with_a_dash_is_told_from_an_option(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-M8.mp4").touch()
    with pytest.raises(SystemExit) as end:
        main([*words, "-M8.mp4"])

    assert end.value.code == 2
    line = f"vidattn {words[0]}: -M8.mp4 begins with a dash, as options do; write ./-M8.mp4\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_its_own_name(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])

    assert end.value.code == 0
    assert re.match(rf"(?i)usage: vidattn (\[options\] )?{command}\b", capsys.readouterr().out)


@pytest.mark.parametrize("command", ["check", "flops", "doctor", "bench-loader", "bench-image", "prepare"])
def test_an_unknown_option_is_refused_under_the_commands_own_name(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--nonsense=1"])

    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"usage: vidattn {command} ")
