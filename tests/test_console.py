import io

from vidattn.console import plain_console


def test_names_are_printed_as_they_are():
    name = "[bold]a :smile: 12.5 [/x] " + 200 * "long "
    plain_console(file := io.StringIO()).print(name)

    assert file.getvalue() == name + "\n"
